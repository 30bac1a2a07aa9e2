#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "app/config/config_text.h"
#include "app/config/diff.h"
#include "app/config/loader.h"

namespace godwit::app {
namespace {

struct Options {
  ConfigSources sources{{}, process_environment(), {}};
  std::filesystem::path other_file;
  Detail detail = Detail::kValues;
  bool json = false;
  Profile profile = Profile::kDefaults;
};

const std::map<std::string, Profile> kProfiles = {
    {"default", Profile::kDefaults}, {"standard", Profile::kStandard}, {"high-performance", Profile::kHighPerformance}};

std::optional<LoadedConfig> load_or_explain(const ConfigSources& sources) {
  auto loaded = load_config(sources);
  if (loaded) return std::move(*loaded);
  for (const Error& error : loaded.error()) print_error(error);
  return std::nullopt;
}

ExitCode show(const Options& options) {
  const auto loaded = load_or_explain(options.sources);
  if (!loaded) return ExitCode::kUsage;
  fmt::print("{}\n", options.json ? show_config_json(*loaded) : show_config(*loaded, options.detail));
  return ExitCode::kOk;
}

ExitCode diff(const Options& options) {
  ConfigSources other = options.sources;
  other.file = options.other_file;
  const auto before = load_or_explain(options.sources);
  const auto after = load_or_explain(other);
  if (!before || !after) return ExitCode::kUsage;
  fmt::print("{}\n", describe(diff_configs(before->config, after->config)));
  return ExitCode::kOk;
}

void add_sources(CLI::App& verb, Options& options) {
  verb.add_option("-c,--config", options.sources.file, "the configuration (default: every key at its default)")
      ->type_name("FILE");
  verb.add_option("--set", options.sources.settings,
                  "one key, in TOML; wins over file and environment; may be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_show(CLI::App& config, Verb& chosen, const std::shared_ptr<Options>& options) {
  CLI::App* verb = config.add_subcommand("show", "Print the values in force, from file, environment and --set");
  add_sources(*verb, *options);
  verb->add_flag("--origin{1}", options->detail, "say where each value came from");
  verb->add_flag("--json", options->json, "for machines, with origins");
  verb->footer("Examples:\n  godwit config show -c conf/dev.toml --origin");
  verb->callback([&chosen, options] { chosen = [options] { return show(*options); }; });
}

void add_default(CLI::App& config, Verb& chosen, const std::shared_ptr<Options>& options) {
  CLI::App* verb = config.add_subcommand("default", "Print a whole file: every key with its default, unit and reason");
  add_choice(*verb, "--profile", "for what size of server (default: default)", kProfiles, options->profile);
  verb->footer("Examples:\n  godwit config default > godwit.toml");
  verb->callback([&chosen, options] {
    chosen = [options] { return fmt::print("{}", profile_file(options->profile)), ExitCode::kOk; };
  });
}

void add_diff(CLI::App& config, Verb& chosen, const std::shared_ptr<Options>& options) {
  CLI::App* verb = config.add_subcommand("diff", "Say what a reload would do with each key that differs");
  add_sources(*verb, *options);
  verb->add_option("FILE", options->other_file, "the configuration that would be loaded")->required();
  verb->footer("Examples:\n  godwit config diff -c /etc/godwit/godwit.toml new.toml");
  verb->callback([&chosen, options] { chosen = [options] { return diff(*options); }; });
}

}  // namespace

void add_config(CLI::App& program, Verb& chosen) {
  CLI::App* config = program.add_subcommand(
      "config", "Print the configuration in force or the defaults, or what a reload would change");
  const auto options = std::make_shared<Options>();
  add_show(*config, chosen, options);
  add_default(*config, chosen, options);
  add_diff(*config, chosen, options);
  config->require_subcommand(1);
}

}  // namespace godwit::app
