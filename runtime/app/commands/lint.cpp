#include <fmt/format.h>

#include <algorithm>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/report.h"
#include "app/commands/verb.h"
#include "app/config/loader.h"
#include "app/lint/luacheck.h"
#include "app/lint/own_checks.h"
#include "app/spec/specs.h"
#include "host/spec.h"

namespace godwit::app {
namespace {

struct Options {
  std::vector<std::filesystem::path> paths;
};

/// The apps whose files are looked at; `only` is one file of it, empty for all.
struct Subject {
  std::filesystem::path folder;
  std::string only;
};

Result<std::vector<Subject>> find_subjects(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return fail(Code::kFileUnreadable, path.string() + ": does not exist");
  if (const auto app = app_around(path)) {
    const bool file = std::filesystem::is_regular_file(path, error);
    return std::vector{Subject{*app, file ? path.lexically_relative(*app).generic_string() : std::string()}};
  }
  const auto folders = host::find_apps(path);
  if (!folders) return tl::unexpected(folders.error());
  std::vector<Subject> subjects;
  for (const auto& folder : *folders) subjects.push_back({folder, {}});
  return subjects;
}

Result<std::vector<Subject>> find_all(const std::vector<std::filesystem::path>& paths) {
  std::vector<Subject> all;
  for (const std::filesystem::path& path : paths) {
    auto found = find_subjects(path);
    if (!found) return found;
    std::move(found->begin(), found->end(), std::back_inserter(all));
  }
  if (all.empty()) return fail(Code::kUsageInvalid, "there are no apps: an app is a folder with a main.lua");
  return all;
}

class Lint {
 public:
  explicit Lint(KnownNames names) : names_(std::move(names)), config_(luacheck_config(names_)) {}

  Status check(const Subject& subject) {
    const auto source = host::read_app_with_specs(subject.folder, {});
    if (!source) return tl::unexpected(source.error());
    std::vector<Finding> findings = own_checks(*source, names_);
    std::vector<std::string> files;
    for (const auto& file : source->files) files.push_back(file.path);
    const auto more = run_luacheck(subject.folder, files, config_);
    if (!more) return tl::unexpected(more.error());
    if (*more) findings.insert(findings.end(), (*more)->begin(), (*more)->end());
    luacheck_missing_ |= !*more;
    std::sort(findings.begin(), findings.end());
    for (const Finding& finding : findings) {
      if (subject.only.empty() || finding.file == subject.only) print(subject, finding);
    }
    files_ += subject.only.empty() ? files.size() : 1;
    return {};
  }

  ExitCode finish() const {
    if (luacheck_missing_) {
      print_warning("luacheck is not installed (Debian: lua-check); these are godwit's own checks alone");
    }
    if (found_ == 0) fmt::print("ok: {} files, nothing found\n", files_);
    return found_ == 0 ? ExitCode::kOk : ExitCode::kPeerFailed;
  }

 private:
  void print(const Subject& subject, const Finding& finding) {
    ++found_;
    fmt::print("{}:{}:{}: {}\n", (subject.folder / finding.file).lexically_normal().string(), finding.line,
               finding.column, finding.text);
  }

  const KnownNames names_;
  const std::string config_;
  bool luacheck_missing_ = false;
  size_t files_ = 0;
  size_t found_ = 0;
};

ExitCode run(const Options& options) {
  std::vector<std::filesystem::path> paths = options.paths;
  if (paths.empty()) {
    const auto loaded = load_config({{}, process_environment(), {}});
    if (!loaded) return report(loaded.error());
    paths = loaded->config.scripts.paths;
  }
  const auto subjects = find_all(paths);
  if (!subjects) return report({&subjects.error(), 1});
  auto names = known_names();
  if (!names) return report({&names.error(), 1});
  Lint lint(std::move(*names));
  for (const Subject& subject : *subjects) {
    if (const Status checked = lint.check(subject); !checked) return report({&checked.error(), 1});
  }
  return lint.finish();
}

}  // namespace

void add_lint(CLI::App& program, Verb& chosen) {
  CLI::App* verb = program.add_subcommand("lint", "Look for mistakes in apps without running them");
  const auto options = std::make_shared<Options>();
  verb->add_option("PATH", options->paths,
                   "an app's folder, a folder of apps, or a file (default: scripts.paths of the configuration)");
  verb->footer(
      "Finds globals that do not exist or are assigned by accident, names of gw that do not exist, and, where "
      "luacheck\n"
      "is installed (Debian: lua-check), all that it finds. A .luacheckrc in the app's folder or above is honoured.\n"
      "Exit code: 0 nothing found, 1 something found, 2 usage, or there are no apps.\n"
      "Examples:\n  godwit lint scripts\n  godwit lint my_app/main.lua");
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace godwit::app
