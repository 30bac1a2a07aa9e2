#include <fmt/format.h>

#include "app/commands/control_call.h"
#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/text.h"

namespace godwit::app {
namespace {

struct Options {
  ControlCall call;
  std::string uid, client, token;
  uint64_t session = 0;
  uint64_t after = 0;
  uint64_t limit = 100;

  /// Which one was given: what it is, and its name.
  Json whom() const {
    if (!uid.empty()) return {{"by", "uid"}, {"name", uid}};
    if (!client.empty()) return {{"by", "client"}, {"name", client}};
    if (!token.empty()) return {{"by", "token"}, {"name", token}};
    return {{"by", session == 0 ? "" : "session"}, {"name", session == 0 ? "" : std::to_string(session)}};
  }
};
using OptionsPtr = std::shared_ptr<Options>;

void print_sessions(const Json& sessions) {
  fmt::print("{:<20} {:<24} {:<20} {:>6}  {}\n", "SESSION", "CLIENT", "UID", "WORKER", "ADDRESS");
  for (const Json& one : sessions) {
    const auto text = [&](const char* key) { return escape_for_log(one.value(key, std::string()), 128); };
    fmt::print("{:<20} {:<24} {:<20} {:>6}  {}\n", one["session"].get<uint64_t>(), text("client"), text("uid"),
               one["worker"].get<uint32_t>(), text("address"));
  }
}

CLI::App* add_verb(CLI::App& group, const char* name, const char* help, const OptionsPtr& options) {
  CLI::App* verb = group.add_subcommand(name, help);
  options->call.add_to(*verb);
  return verb;
}

CLI::Option_group* add_whom(CLI::App& verb, const OptionsPtr& options) {
  CLI::Option_group* whom = verb.add_option_group("whom");
  whom->add_option("--uid", options->uid, "all sessions of this user");
  whom->add_option("--client", options->client, "the session of this client id");
  return whom;
}

void add_ls(CLI::App& group, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(group, "ls", "List who is there", options);
  add_whom(*verb, options)->require_option(0, 1);
  verb->add_option("--after", options->after, "those beyond this session: the last one of the page before");
  verb->add_option("--limit", options->limit, "at most so many (default: 100, at most 1,000)");
  verb->callback([=, &chosen] {
    chosen = [=] {
      Json request = options->whom();
      request["verb"] = "session.ls";
      request["after"] = options->after;
      request["limit"] = options->limit;
      return options->call.run(request, print_sessions);
    };
  });
}

void add_kick(CLI::App& group, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(group, "kick", "End sessions; what is queued for them goes first", options);
  CLI::Option_group* whom = add_whom(*verb, options);
  whom->add_option("--session", options->session, "this one");
  whom->require_option(1);
  verb->footer(
      "The clients are told Forbidden and do not come again by themselves; nothing keeps them from it.\n"
      "Examples:\n  godwit session kick --client sensor-7");
  verb->callback([=, &chosen] {
    chosen = [=] {
      Json request = options->whom();
      request["verb"] = "session.kick";
      return options->call.run(request,
                               [](const Json& result) { fmt::print("{} ended\n", result["ended"].get<uint64_t>()); });
    };
  });
}

void add_revoke(CLI::App& group, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = add_verb(group, "revoke", "End sessions, and let whoever it is in no more", options);
  CLI::Option_group* whom = add_whom(*verb, options);
  whom->add_option("--token", options->token, "whoever shows the signed token of this id (godwit token show)");
  whom->require_option(1);
  verb->footer(
      "Kept in auth.revoked_file, where it can be taken back; without such a file until the server's end.\n"
      "Examples:\n  godwit session revoke --uid mallory");
  verb->callback([=, &chosen] {
    chosen = [=] {
      Json request = options->whom();
      request["verb"] = "session.revoke";
      return options->call.run(request, [](const Json& result) {
        fmt::print("revoked{}\n",
                   result["kept"].get<bool>() ? "" : " until the server's end: auth.revoked_file is not set");
      });
    };
  });
}

}  // namespace

void add_session(CLI::App& program, Verb& chosen) {
  CLI::App* group = program.add_subcommand("session", "See and end the sessions of a running server");
  group->require_subcommand(1);
  group->footer("Exit code: 0 done, 1 the server refused, 2 usage, 3 no server.");
  add_ls(*group, chosen);
  add_kick(*group, chosen);
  add_revoke(*group, chosen);
}

}  // namespace godwit::app
