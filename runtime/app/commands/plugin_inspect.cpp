#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/json.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/text.h"
#include "host/plugin_file.h"

namespace godwit::app {
namespace {

struct Options {
  std::filesystem::path file;
  bool json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// What a plugin's author wrote is printed as what it is.
std::string shown(const std::string& text) { return text.empty() ? "-" : escape_for_log(text, 256); }

void print_text(const host::PluginFile& file) {
  const host::PluginInfo& info = file.info;
  const host::HostAbi ours = host::host_abi();
  fmt::print("{} {}: {}\n", shown(info.name), shown(info.version), shown(info.description));
  fmt::print("kinds      {}\n", joined(host::kind_names(info.kinds)));
  fmt::print("interface  {}.{}, needs {}.{}; this godwit has {}.{}\n", info.abi_major, info.abi_minor, info.abi_major,
             info.host_minor_min, ours.major, ours.minor);
  fmt::print("license    {}\n", shown(info.license));
  fmt::print("author     {}\n", shown(info.author));
  fmt::print("unload     {}\n", info.can_unload() ? "never or drained" : "never");
  fmt::print("sha256     {}\n", to_hex(file.digest));
  fmt::print("file       {}, {} bytes\n", file.path.string(), file.bytes.size());
}

void print_machine(const host::PluginFile& file) {
  const host::PluginInfo& info = file.info;
  print_json({{"name", info.name},
              {"version", info.version},
              {"description", info.description},
              {"kinds", host::kind_names(info.kinds)},
              {"license", info.license},
              {"author", info.author},
              {"abi_major", info.abi_major},
              {"abi_minor", info.abi_minor},
              {"host_minor_min", info.host_minor_min},
              {"can_unload", info.can_unload()},
              {"descriptor_bytes", info.descriptor_bytes},
              {"instance_bytes", info.instance_bytes},
              {"host_bytes", info.host_bytes},
              {"message_bytes", info.message_bytes},
              {"sha256", to_hex(file.digest)},
              {"file", file.path.string()}});
}

ExitCode inspect(const Options& options) {
  const auto file = host::read_plugin(options.file, host::host_abi());
  if (!file) {
    print_error(file.error());
    return ExitCode::kUsage;
  }
  options.json ? print_machine(*file) : print_text(*file);
  return ExitCode::kOk;
}

}  // namespace

void add_plugin_inspect(CLI::App& plugin, Verb& chosen) {
  CLI::App* verb = plugin.add_subcommand("inspect", "Say what a plugin is, from its file; nothing of it is run");
  const auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->file, "the shared object")->required();
  verb->add_flag("--json", options->json, "for machines");
  verb->footer(
      "Refuses what the server would refuse, with the same words.\n"
      "Examples:\n"
      "  godwit plugin inspect build/plugins/echo.so\n"
      "Exit code: 0 it can be loaded, 2 it cannot.");
  verb->callback([&chosen, options] { chosen = [options] { return inspect(*options); }; });
}

}  // namespace godwit::app
