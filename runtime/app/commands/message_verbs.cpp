#include "app/commands/command_log.h"
#include "app/commands/exchange.h"
#include "app/commands/flags.h"
#include "app/commands/json.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"

namespace godwit::app {
namespace {

struct Options {
  ConnectOptions connect;
  MessageOptions message;
  bool json = false;
};

int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

std::string_view status_name(wire::Status status) {
  switch (status) {
    case wire::Status::kSuccess: return "success";
    case wire::Status::kTimeout: return "timeout";
    default: return "failure";
  }
}

Json to_json(const Outcome& outcome) {
  const Error& error = outcome.error;
  Json json{{"status", status_name(outcome.status)}, {"code", static_cast<unsigned>(error.code)}};
  json["name"] = error.code == Code::kOk ? "Ok" : name_of(error.code);
  json["text"] = error.text;
  put_body(json, outcome.body);
  json["rtt_us"] = microseconds(outcome.round_trip);
  json["connect_us"] = microseconds(outcome.connect_time);
  json["headers"] = Json::object();
  for (const auto& [name, value] : outcome.headers) json["headers"][name] = value;
  return json;
}

Outcome exchange(Options& options) {
  Outcome outcome;
  if (Status complete = options.connect.complete(); !complete) {
    outcome.error = complete.error();
    return outcome;
  }
  auto body = options.message.read_body();
  if (!body) {
    outcome.error = body.error();
    return outcome;
  }
  const CommandLog log(options.connect.verbose);
  return Exchange(options.connect, options.message, std::move(*body)).run(log.log());
}

ExitCode run(Options& options) {
  const Outcome outcome = exchange(options);
  if (options.json) print_json(to_json(outcome));
  if (outcome.status != wire::Status::kSuccess) print_error(outcome.error);
  if (!options.json) print_reply(outcome.body);
  return outcome.exit_code();
}

CLI::App* add_verb(CLI::App& program, Verb& chosen, const char* name, const char* help,
                   const std::shared_ptr<Options>& options, const char* timeout_help) {
  CLI::App* verb = program.add_subcommand(name, help);
  options->connect.add_to(*verb, timeout_help);
  options->message.add_to(*verb);
  verb->add_flag("--json", options->json, "print one JSON object instead of the body");
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
  return verb;
}

}  // namespace

void add_request(CLI::App& program, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(program, chosen, "request", "Send a command or query and print the reply's body", options,
                            "for connecting and the reply together");
  options->message.add_kind_to(*verb);
  options->message.add_key_to(*verb);
  verb->footer(
      "Examples:\n"
      "  godwit request 127.0.0.1:8453 echo --body hello --insecure\n"
      "  godwit request server:8453 stats.get --kind query --ca ca.pem --json\n"
      "  godwit request server:8453 image.scale --body @photo.jpg --header width=200 --timeout 20s > small.jpg\n"
      "Exit code: 0 success, 1 the peer answered failure, 2 usage, 3 no connection or no answer in time.");
}

void add_send(CLI::App& program, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  options->message.kind = wire::Kind::kEvent;
  CLI::App* verb = add_verb(program, chosen, "send", "Send an event and wait until it is acknowledged", options,
                            "for connecting and the acknowledgement together");
  options->message.add_unreliable_to(*verb);
  verb->footer(
      "Examples:\n"
      "  godwit send 127.0.0.1:8453 echo --body hello --insecure\n"
      "  tail -1 measures.csv | godwit send server:8453 sensor.value --body - --ca ca.pem\n"
      "  godwit send 127.0.0.1:8453 echo --body here --unreliable --insecure\n"
      "Exit code: 0 acknowledged (or sent, with --unreliable), 1 the peer refused it, 2 usage, 3 no connection or no "
      "acknowledgement in time.");
}

}  // namespace godwit::app
