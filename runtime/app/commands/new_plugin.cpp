#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/templates.h"
#include "app/commands/verb.h"

namespace godwit::app {
namespace {

enum class Language : uint8_t { kC, kCpp };
const std::map<std::string, Language> kLanguages = {{"c", Language::kC}, {"cpp", Language::kCpp}};

/// What the server's configuration says of a plugin of each kind.
struct Kind {
  std::string setting;   ///< its own
  std::string use = {};  ///< where it is to be asked, when that does not follow from its being loaded
};
const std::map<std::string, Kind> kKinds = {
    {"handler", {"greeting = \"good evening\""}},
    {"router", {"from = \"former.\""}},
    {"auth", {"secret = \"…\"", "[auth]\nmode = \"plugin\"\n\n"}},
    {"strategy", {"own_stream_from = 65536"}},
    {"codec", {"# none yet"}},
    {"store", {"# none yet", "[server]\nworkers = 1\n\n[store]\nengine = \"plugin\"\nplugin = \"@NAME@\"\n\n"}}};

struct Options {
  std::string name;
  std::filesystem::path parent = ".";
  Language language = Language::kC;
  std::string kind = "handler";
};

/// "rate_limit" → "RateLimit"
std::string class_name(std::string_view name) {
  std::string out;
  bool begin = true;
  for (const char c : name) {
    if (c != '_') out += begin && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begin = c == '_';
  }
  return out;
}

ExitCode make_project(const Options& options) {
  if (const Status named = check_project_name(options.name); !named) {
    print_error(named.error());
    return ExitCode::kUsage;
  }
  const bool cpp = options.language == Language::kCpp;
  const std::string source = options.name + (cpp ? ".cpp" : ".c");
  const Kind& kind = kKinds.at(options.kind);
  const std::map<std::string, std::string> words = {{"NAME", options.name},
                                                    {"CLASS", class_name(options.name)},
                                                    {"KIND", options.kind},
                                                    {"SOURCE", source},
                                                    {"SETTING", kind.setting},
                                                    {"USE", fill_in(kind.use, {{"NAME", options.name}})},
                                                    {"LANGUAGES", cpp ? "'cpp', 'c'" : "'c'"}};
  const auto filled = [&](const std::string& file) { return fill_in(template_text("plugin/" + file), words); };
  const std::filesystem::path folder = (options.parent / options.name).lexically_normal();
  const Status written = write_project(folder, {{"meson.build", filled("meson.build.in")},
                                                {"README.md", filled("README.md.in")},
                                                {".gitignore", filled("gitignore.in")},
                                                {source, filled(options.kind + (cpp ? ".cpp.in" : ".c.in"))},
                                                {options.name + "_test.c", filled(options.kind + "_test.c.in")}});
  if (!written) {
    print_error(written.error());
    return ExitCode::kUsage;
  }
  fmt::print("{0} is there; next:\n  cd {0} && meson setup build && meson test -C build\n", folder.string());
  return ExitCode::kOk;
}

}  // namespace

void add_new_plugin(CLI::App& parent, Verb& chosen) {
  CLI::App* verb = parent.add_subcommand("plugin", "Begin a plugin: source, test, build file, README");
  const auto options = std::make_shared<Options>();
  verb->add_option("NAME", options->name, "of the plugin, its folder and its file")->required();
  verb->add_option("--in", options->parent, "where the folder is made (default: here)")->type_name("FOLDER");
  add_choice(*verb, "--lang", "what it is written in (default: c)", kLanguages, options->language);
  std::map<std::string, std::string> kinds;
  for (const auto& [name, kind] : kKinds) kinds[name] = name;
  add_choice(*verb, "--kind", "what it is (default: handler)", kinds, options->kind);
  verb->footer("Examples:\n  godwit new plugin greeter --lang cpp --kind handler");
  verb->callback([&chosen, options] { chosen = [options] { return make_project(*options); }; });
}

}  // namespace godwit::app
