#include "app/commands/control_call.h"

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/server_control.h"
#include "io/line_client.h"

namespace godwit::app {

void ControlCall::add_to(CLI::App& verb) {
  verb.add_option("-c,--config", sources.file, "the configuration of the server, which says where its socket is")
      ->type_name("FILE");
  verb.add_option("--set", sources.settings, "one key, in TOML; wins over file and environment; may be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.add_option("--socket", socket, "the admin socket (default: as the configuration says, data/admin.socket)")
      ->type_name("PATH");
  add_duration(verb, "--timeout", "how long to wait for the outcome", timeout);
  verb.add_flag("--json", json, "print the server's answer, one JSON object");
}

Result<Json> ControlCall::ask(const Json& request) const {
  std::filesystem::path path = socket;
  if (path.empty()) {
    const auto loaded = load_config(sources);
    if (!loaded) return tl::unexpected(loaded.error().front());
    path = control_path(loaded->config);
    if (path.empty()) return fail(Code::kConfigInvalid, "admin.socket is \"off\": the server cannot be talked to");
  }
  const auto line = io::ask_line(path, request.dump(-1, ' ', false, Json::error_handler_t::replace), timeout);
  if (!line) return tl::unexpected(line.error());
  Json answer = Json::parse(*line, nullptr, false);
  if (!answer.is_object()) return fail(Code::kProtocolError, "the server's answer is no JSON object");
  return answer;
}

ExitCode ControlCall::report(const Error& error) const {
  print_error(error);
  return exit_code_of(error.code);
}

ExitCode ControlCall::conclude(const Json& answer) const {
  if (answer.value("ok", false)) return ExitCode::kOk;
  const Json error = answer.value("error", Json::object());
  const auto code = static_cast<Code>(error.value("code", static_cast<unsigned>(Code::kInternal)));
  print_error({code, error.value("text", std::string())});
  return ExitCode::kPeerFailed;
}

}  // namespace godwit::app
