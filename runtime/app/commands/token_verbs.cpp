#include <fmt/format.h>

#include "app/commands/flags.h"
#include "app/commands/json.h"
#include "app/commands/print.h"
#include "app/commands/report.h"
#include "app/commands/verb.h"
#include "app/config/identity_files.h"
#include "base/hex.h"
#include "base/text.h"
#include "io/system_clock.h"
#include "io/system_entropy.h"
#include "routing/pattern.h"
#include "session/signed_token.h"

namespace godwit::app {
namespace {

constexpr uint64_t kBodyBytesMax = uint64_t{64} << 30;

std::string random_hex(size_t bytes) {
  std::vector<uint8_t> random(bytes);
  io::SystemEntropy().fill(random);
  return to_hex(Bytes(random));
}

struct MakeOptions {
  std::filesystem::path keys_file;
  std::string key_id;
  session::TokenClaims claims;
  Duration lifetime = 24h;
};

Result<session::SigningKey> pick(const std::vector<session::SigningKey>& keys, const std::string& id) {
  if (id.empty() && keys.size() == 1) return keys.front();
  if (id.empty()) return fail(Code::kUsageInvalid, fmt::format("there are {} keys: which one? (--key)", keys.size()));
  for (const session::SigningKey& key : keys) {
    if (key.id == id) return key;
  }
  return fail(Code::kNotFound, "no key " + id);
}

ExitCode fail_with(const Error& error) {
  print_error(error);
  return ExitCode::kUsage;
}

ExitCode make_token(MakeOptions options) {
  const auto keys = load_signing_keys(options.keys_file);
  if (!keys) return report(keys.error());
  const auto key = pick(*keys, options.key_id);
  if (!key) return fail_with(key.error());
  for (const std::string& action : options.claims.rights.actions) {
    if (const auto pattern = routing::Pattern::parse(action); !pattern) return fail_with(pattern.error());
  }
  if (Status valid = session::check_uid(options.claims.uid); !valid) return fail_with(valid.error());
  const int64_t now_s = io::wall_clock_us() / 1'000'000;
  options.claims.id = random_hex(8);
  options.claims.issued_unix_s = now_s;
  options.claims.expires_unix_s = now_s + std::chrono::duration_cast<std::chrono::seconds>(options.lifetime).count();
  const auto token = session::sign_token(options.claims, *key);
  if (!token) return fail_with(token.error());
  fmt::print("{}\n", *token);
  return ExitCode::kOk;
}

void add_make(CLI::App& group, Verb& chosen) {
  const auto options = std::make_shared<MakeOptions>();
  CLI::App* verb = group.add_subcommand("make", "Sign a token and print it");
  verb->add_option("--keys", options->keys_file, "the server's auth.keys_file, or one with some of its keys")
      ->required();
  verb->add_option("--key", options->key_id, "which key signs (default: the only one)");
  verb->add_option("--uid", options->claims.uid, "whom it is for")->required();
  verb->add_option("--client", options->claims.client_id, "good for this client id only");
  add_duration(*verb, "--lifetime", "how long it is good", options->lifetime);
  verb->add_option("--group", options->claims.groups, "a group that its sessions are in; may repeat");
  verb->add_option("--action", options->claims.rights.actions,
                   "what it may send, such as 'command/chat.*'; may repeat (default: everything)");
  add_bytes(*verb, "--body-max", "bytes of one message (default: what the server takes)", kBodyBytesMax,
            options->claims.rights.body_bytes_max);
  verb->add_option("--sessions-max", options->claims.rights.sessions_max, "sessions at one time (default: any number)");
  verb->footer(
      "Examples:\n  godwit token make --keys keys.toml --uid alice --client phone --lifetime 12h --action 'query/**'");
  verb->callback([options, &chosen] { chosen = [options] { return make_token(*options); }; });
}

struct ShowOptions {
  std::string token;
  std::filesystem::path keys_file;
};

Json to_json(const session::TokenClaims& claims) {
  Json json{{"id", claims.id},
            {"uid", claims.uid},
            {"client", claims.client_id},
            {"issued_unix_s", claims.issued_unix_s},
            {"expires_unix_s", claims.expires_unix_s},
            {"groups", claims.groups},
            {"actions", claims.rights.actions},
            {"body_max", claims.rights.body_bytes_max},
            {"sessions_max", claims.rights.sessions_max}};
  const int64_t now_s = io::wall_clock_us() / 1'000'000;
  json["expired"] = claims.expires_unix_s != 0 && claims.expires_unix_s <= now_s;
  return json;
}

ExitCode show_token(const ShowOptions& options) {
  const auto claims = session::read_token(options.token);
  if (!claims) return fail_with({Code::kArgumentInvalid, "that is no signed token"});
  Json json = to_json(*claims);
  if (!options.keys_file.empty()) {
    const auto keys = load_signing_keys(options.keys_file);
    if (!keys) return report(keys.error());
    json["signature"] = session::verify_token(options.token, *keys) ? "good" : "wrong";
  }
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  return json.value("signature", "good") == "good" ? ExitCode::kOk : ExitCode::kPeerFailed;
}

void add_show(CLI::App& group, Verb& chosen) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App* verb =
      group.add_subcommand("show", "Print what a token says, as JSON; with --keys also whether it is genuine");
  verb->add_option("TOKEN", options->token)->required();
  verb->add_option("--keys", options->keys_file, "the keys that may have signed it");
  verb->callback([options, &chosen] { chosen = [options] { return show_token(*options); }; });
}

void add_key(CLI::App& group, Verb& chosen) {
  const auto id = std::make_shared<std::string>();
  CLI::App* verb = group.add_subcommand("key", "Print a new key, as a line for the [keys] of auth.keys_file");
  verb->add_option("ID", *id, "its name, such as the month")->required();
  verb->footer("Examples:\n  (umask 077; (echo '[keys]'; godwit token key 2026-08) > keys.toml)");
  verb->callback([id, &chosen] {
    chosen = [id] {
      fmt::print("{} = \"{}\"\n", *id, random_hex(session::kSigningSecretBytesMin));
      return ExitCode::kOk;
    };
  });
}

}  // namespace

void add_token(CLI::App& program, Verb& chosen) {
  CLI::App* group = program.add_subcommand("token", "Make signed tokens for clients, where auth.mode is \"signed\"");
  group->require_subcommand(1);
  add_make(*group, chosen);
  add_show(*group, chosen);
  add_key(*group, chosen);
}

}  // namespace godwit::app
