#include <fmt/format.h>

#include "app/commands/command_log.h"
#include "app/commands/flags.h"
#include "app/commands/json.h"
#include "app/commands/listener.h"
#include "app/commands/message_options.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/text.h"

namespace godwit::app {
namespace {

constexpr size_t kShownBytesMax = 64 * 1024;  ///< of a body, as one line of text
constexpr uint64_t kCountMax = 1'000'000'000'000;

struct Options {
  ListenOptions listen;
  std::string reply;
  bool json = false;
};

void show_json(const wire::Envelope& envelope, Bytes body) {
  Json json{{"kind", wire::name_of(envelope.kind)}, {"action", envelope.action}};
  put_body(json, as_text(body));
  json["headers"] = Json::object();
  for (const wire::Header& header : envelope.headers) json["headers"][std::string(header.name)] = header.value;
  if (envelope.flags & wire::flags::kUnreliable) json["unreliable"] = true;
  print_json(json);
}

// One line each, whatever the bytes are.
void show_text(const wire::Envelope& envelope, Bytes body) {
  fmt::print("{} {} {}\n", wire::name_of(envelope.kind), escape_for_log(envelope.action, kShownBytesMax),
             escape_for_log(as_text(body), kShownBytesMax));
  std::fflush(stdout);
}

/// "chat.join=lobby": the action, and the body behind the first equals sign.
Result<std::pair<std::string, std::string>> parse_first(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string action(text.substr(0, equals));
  if (Status valid = routing::check_action(action); !valid) return tl::unexpected(std::move(valid.error()));
  return std::pair(action, std::string(equals == text.npos ? "" : text.substr(equals + 1)));
}

void add_first(CLI::App& verb, ListenOptions& listen) {
  verb.add_option_function<std::vector<std::string>>(
          "--first",
          [&listen](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              auto parsed = parse_first(text);
              if (!parsed) throw CLI::ValidationError("--first", parsed.error().text);
              listen.first.push_back(std::move(*parsed));
            }
          },
          "a command to send before listening, to log in or to join; may be given more than once")
      ->type_name("ACTION=BODY")
      ->type_size(1)
      ->allow_extra_args(false);
}

ExitCode run(Options& options, bool answers) {
  ListenOptions& listen = options.listen;
  if (Status complete = listen.connect.complete(); !complete) {
    print_error(complete.error());
    return exit_code_of(complete.error().code);
  }
  if (answers) listen.reply = options.reply;
  const CommandLog log(listen.connect.verbose);
  const auto tell_connected = [&] {
    fmt::print(stderr, "godwit: listening as {}\n", listen.connect.credentials.client_id);
  };
  const Error outcome = Listener(listen, tell_connected, options.json ? show_json : show_text).run(log.log());
  if (outcome.code != Code::kOk && outcome.code != Code::kCancelled) print_error(outcome);
  return exit_code_of(outcome.code);
}

}  // namespace

void add_listen(CLI::App& program, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  ListenOptions& listen = options->listen;
  CLI::App* verb = program.add_subcommand("listen", "Print what the server sends, and acknowledge it");
  listen.connect.add_to(*verb, "for connecting");
  listen.pattern = *routing::Pattern::parse("**");
  add_parsed(*verb, "--action", "take only what matches, such as chat.* or command/reboot (default: everything)",
             routing::Pattern::parse, listen.pattern)
      ->type_name("PATTERN");
  add_first(*verb, listen);
  add_headers(*verb, "goes along with each --first; may be given several times", listen.first_headers);
  verb->add_option("--count", listen.count, "end after so many messages")->check(CLI::Range(uint64_t{1}, kCountMax));
  add_duration(*verb, "--for", "end after so long", listen.duration)->default_str("");
  CLI::Option* reply = verb->add_option("--reply", options->reply,
                                        "the body that answers commands and queries (default: they are refused)");
  verb->add_flag("--json", options->json, "print one JSON object per message");
  verb->footer(
      "Prints `godwit: listening as CLIENT` on stderr once it is connected and --first was answered: from then on\n"
      "nothing is missed.\n"
      "Examples:\n"
      "  godwit listen 127.0.0.1:8453 --insecure --uid ada\n"
      "  godwit listen server:8453 --first chat.join=lobby --action 'chat.**' --count 10 --json --ca ca.pem\n"
      "  godwit listen server:8453 --action command/reboot --reply done --ca ca.pem\n"
      "Exit code: 0 it had enough, 1 a --first failed, 2 usage, 3 no connection or it was lost, 130 Ctrl-C.");
  verb->callback([&chosen, options, reply] {
    chosen = [options, answers = reply->count() > 0] { return run(*options, answers); };
  });
}

}  // namespace godwit::app
