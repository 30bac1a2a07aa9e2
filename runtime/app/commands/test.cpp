#include <fstream>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/report.h"
#include "app/commands/verb.h"
#include "app/config/loader.h"
#include "app/settings.h"
#include "app/spec/spec_reports.h"
#include "app/spec/spec_run.h"

namespace godwit::app {
namespace {

struct Options {
  std::vector<std::filesystem::path> paths;
  std::string filter;
  bool tap = false;
  std::filesystem::path junit;
  std::optional<std::filesystem::path> config_file;
  std::vector<std::string> settings;
};

/// Tells two what happens.
class Both final : public SpecReporter {
 public:
  Both(SpecReporter& one, SpecReporter& other) : one_(one), other_(other) {}
  void ended(const CaseResult& result) override {
    one_.ended(result);
    other_.ended(result);
  }
  void finished(const SpecTotals& totals) override {
    one_.finished(totals);
    other_.finished(totals);
  }

 private:
  SpecReporter& one_;
  SpecReporter& other_;
};

SpecSetting setting_of(const Config& config) {
  return {.config = config,
          .core = core_settings(config),
          .kv = kv_limits(config),
          .once = once_limits(config),
          .store_bytes_max = config.store.bytes_max,
          .watchdog = host::make_watchdog()};
}

Result<std::vector<SpecFile>> find_all(const std::vector<std::filesystem::path>& paths) {
  std::vector<SpecFile> all;
  for (const std::filesystem::path& path : paths) {
    auto found = find_specs(path);
    if (!found) return found;
    std::move(found->begin(), found->end(), std::back_inserter(all));
  }
  if (all.empty()) return fail(Code::kUsageInvalid, "there are no specs: an app has them in spec/NAME_spec.lua");
  return all;
}

bool write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  return static_cast<bool>(out.flush());
}

ExitCode run(const Options& options) {
  const auto loaded = load_config({options.config_file, process_environment(), options.settings});
  if (!loaded) return report(loaded.error());
  const auto files = find_all(options.paths.empty() ? loaded->config.scripts.paths : options.paths);
  if (!files) return report({&files.error(), 1});
  const auto shown = options.tap ? make_tap_report(stdout) : make_text_report(stdout);
  JunitReport junit;
  Both both(*shown, junit);
  const SpecTotals totals = run_specs(*files, options.filter, setting_of(loaded->config), both);
  if (!options.junit.empty() && !write_file(options.junit, junit.text())) {
    print_error({Code::kFileUnreadable, options.junit.string() + ": cannot be written"});
    return ExitCode::kUsage;
  }
  if (totals.all() == 0) {
    print_error({Code::kUsageInvalid, "no case has such a name: " + options.filter});
    return ExitCode::kUsage;
  }
  return totals.failed == 0 ? ExitCode::kOk : ExitCode::kPeerFailed;
}

}  // namespace

void add_test(CLI::App& program, Verb& chosen) {
  CLI::App* verb =
      program.add_subcommand("test", "Run the specs of apps: the real VM, a clock that jumps, fake clients");
  const auto options = std::make_shared<Options>();
  verb->add_option("PATH", options->paths,
                   "an app's folder, a folder of apps, or a spec file (default: scripts.paths of the configuration)");
  verb->add_option("--filter", options->filter, "only cases whose name contains this")->type_name("TEXT");
  verb->add_flag("--tap", options->tap, "print TAP version 14, for machines");
  verb->add_option("--junit", options->junit, "also write JUnit's XML there")->type_name("FILE");
  verb->add_option("-c,--config", options->config_file, "configuration file: the limits that the apps run under")
      ->type_name("FILE");
  verb->add_option("--set", options->settings, "one setting, as section.key=VALUE; may be repeated")
      ->type_name("KEY=VALUE");
  verb->footer(
      "Exit code: 0 all passed, 1 a case failed, 2 usage, or there are no specs.\n"
      "Examples:\n  godwit test scripts\n  godwit test scripts/chat --filter presence\n"
      "  godwit test my_app/spec/my_app_spec.lua --tap");
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace godwit::app
