#include "app/commands/check.h"

#include <cstdio>

#include "app/certificates.h"
#include "app/commands/print.h"
#include "app/commands/report.h"
#include "app/config/consistency.h"
#include "app/config/identity_files.h"
#include "app/config/loader.h"
#include "app/config/tokens.h"
#include "app/script_check.h"
#include "app/settings.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

void check_identity_files(const AuthSection& auth, std::vector<Error>& errors) {
  const auto note = [&](const auto& loaded) {
    if (!loaded) errors.insert(errors.end(), loaded.error().begin(), loaded.error().end());
  };
  if (auth.mode == AuthSection::Mode::kToken) note(load_tokens(auth.tokens_file));
  if (auth.mode == AuthSection::Mode::kSigned) note(load_signing_keys(auth.keys_file));
  if (!auth.rights_file.empty()) note(load_rights(auth.rights_file));
  if (!auth.revoked_file.empty()) note(load_revocations(auth.revoked_file));
}

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
  check_identity_files(config.auth, errors);
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
