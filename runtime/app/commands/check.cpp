#include "app/commands/check.h"

#include <cstdio>

#include "app/certificates.h"
#include "app/commands/print.h"
#include "app/commands/report.h"
#include "app/config/consistency.h"
#include "app/config/loader.h"
#include "app/config/tokens.h"
#include "app/script_check.h"
#include "app/settings.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

/// What the files that the configuration names have against them.
void check_files(const Config& config, std::vector<Error>& errors) {
  const auto addresses = listen_addresses(config);
  if (!addresses) errors.push_back(addresses.error());
  if (const auto policy = http_policy(config); !policy) errors.push_back(policy.error());
  if (const auto own = own_http_policies(config); !own) errors.push_back(own.error());
  if (!config.tls.certificate.empty()) {
    const auto tls = quic::load_tls_server({.certificate_file = config.tls.certificate,
                                            .key_file = config.tls.key,
                                            .client_ca_file = config.tls.client_ca,
                                            .client_auth = config.tls.client_auth},
                                           io::wall_clock_us());
    if (!tls) errors.push_back(tls.error());
  }
  if (config.auth.mode == AuthSection::Mode::kToken) {
    const auto tokens = load_tokens(config.auth.tokens_file);
    if (!tokens) errors.insert(errors.end(), tokens.error().begin(), tokens.error().end());
  }
}

}  // namespace

ExitCode run_check(const CheckOptions& options) {
  const auto loaded = load_config({options.config_file, process_environment(), options.settings});
  if (!loaded) return report(loaded.error());
  std::vector<Error> errors;
  check_files(loaded->config, errors);
  const ScriptCheck scripts = check_scripts(loaded->config);
  errors.insert(errors.end(), scripts.errors.begin(), scripts.errors.end());
  for (const Warning& warning : check_consistency(loaded->config)) print_warning(warning.text + "; " + warning.advice);
  for (const std::string& warning : scripts.warnings) print_warning(warning);
  if (!errors.empty()) return report(errors);
  std::printf("ok: configuration and scripts are valid, %zu handlers\n", scripts.handlers);
  return ExitCode::kOk;
}

}  // namespace godwit::app
