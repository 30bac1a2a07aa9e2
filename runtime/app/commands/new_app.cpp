#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/templates.h"
#include "app/commands/verb.h"
#include "app/lint/known_names.h"

namespace godwit::app {
namespace {

using Files = std::map<std::string, std::string>;

struct Options {
  std::string name;
  std::filesystem::path parent = ".";
};

/// Where a folder is hidden, the server takes nothing in it for a part of the app.
Files stubs() {
  return {{".godwit/godwit.lua", std::string(template_text("meta/godwit.lua"))},
          {".godwit/spec.lua", std::string(template_text("meta/spec.lua"))}};
}

Result<Files> project(const std::string& name) {
  const auto names = known_names();
  if (!names) return tl::unexpected(names.error());
  const std::map<std::string, std::string> words = {{"NAME", name}};
  Files files = stubs();
  for (const auto& [path, from] : Files{{"main.lua", "main.lua.in"},
                                        {"spec/" + name + "_spec.lua", "spec.lua.in"},
                                        {"README.md", "README.md.in"},
                                        {".luarc.json", "luarc.json.in"}})
    files[path] = fill_in(template_text("app/" + from), words);
  files[".luacheckrc"] = luacheck_config(*names);
  return files;
}

Status write_app(const Options& options, const std::filesystem::path& folder) {
  if (Status named = check_project_name(options.name); !named) return named;
  const auto files = project(options.name);
  if (!files) return tl::unexpected(files.error());
  return write_project(folder, *files);
}

ExitCode make_app(const Options& options) {
  const std::filesystem::path folder = (options.parent / options.name).lexically_normal();
  if (const Status written = write_app(options, folder); !written) {
    print_error(written.error());
    return ExitCode::kUsage;
  }
  fmt::print("{0} is there; next:\n  cd {0} && godwit test .\n", folder.string());
  return ExitCode::kOk;
}

ExitCode make_stubs(const std::filesystem::path& folder) {
  std::error_code error;
  Status written = std::filesystem::is_directory(folder, error)
                       ? write_files(folder, stubs())
                       : fail(Code::kUsageInvalid, folder.string() + ": is no folder");
  if (!written) {
    print_error(written.error());
    return ExitCode::kUsage;
  }
  return ExitCode::kOk;
}

}  // namespace

void add_new_app(CLI::App& parent, Verb& chosen) {
  CLI::App* verb =
      parent.add_subcommand("app", "Begin an app: main.lua, specs, what editors and luacheck need, README");
  const auto options = std::make_shared<Options>();
  verb->add_option("NAME", options->name, "of the app, its folder and its actions")->required();
  verb->add_option("--in,--path", options->parent, "where the folder is made (default: here)")->type_name("FOLDER");
  verb->footer("Examples:\n  godwit new app greeter\n  godwit new app greeter --in scripts");
  verb->callback([&chosen, options] { chosen = [options] { return make_app(*options); }; });
}

void add_new_stubs(CLI::App& parent, Verb& chosen) {
  CLI::App* verb = parent.add_subcommand("stubs", "Write .godwit/ of an app anew: what editors know of the Lua API");
  const auto folder = std::make_shared<std::filesystem::path>(".");
  verb->add_option("FOLDER", *folder, "of the app (default: here)");
  verb->footer("Examples:\n  godwit new stubs my_app");
  verb->callback([&chosen, folder] { chosen = [folder] { return make_stubs(*folder); }; });
}

}  // namespace godwit::app
