#include "app/commands/message_options.h"

#include <cstdio>
#include <map>
#include <memory>

#include "app/commands/flags.h"
#include "base/limits.h"
#include "base/text.h"

namespace godwit::app {
namespace {

const std::map<std::string, wire::Priority> kPriorities = {{"low", wire::Priority::kLow},
                                                           {"normal", wire::Priority::kNormal},
                                                           {"high", wire::Priority::kHigh},
                                                           {"critical", wire::Priority::kCritical}};
const std::map<std::string, wire::Kind> kKinds = {{"command", wire::Kind::kCommand}, {"query", wire::Kind::kQuery}};

Result<std::pair<std::string, std::string>> parse_header(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return fail(Code::kUsageInvalid, "expected NAME=VALUE");
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

// One byte more than may be sent tells that there is too much, however much it is.
Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string bytes(limits::kInlineBodyBytesMax + 1, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  if (std::ferror(file)) return fail(Code::kFileUnreadable, name + ": cannot be read");
  if (bytes.size() > limits::kInlineBodyBytesMax)
    return fail(Code::kMessageTooLarge, name + ": a body has at most " + format_bytes(limits::kInlineBodyBytesMax));
  return bytes;
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return fail(Code::kFileUnreadable, path + ": cannot be opened");
  return read_all(file.get(), path);
}

}  // namespace

void add_headers(CLI::App& verb, const std::string& help, Headers& headers) {
  verb.add_option_function<std::vector<std::string>>(
          "--header",
          [&headers](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              auto header = parse_header(text);
              if (!header) throw CLI::ValidationError("--header", header.error().text);
              headers.push_back(std::move(*header));
            }
          },
          help)
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void MessageOptions::add_to(CLI::App& verb) {
  verb.add_option("ACTION", action, "what the message is about, as in chat.say")->required();
  verb.add_option("--body", body_source, "TEXT, @FILE for a file's bytes, or - for standard input")
      ->type_name("TEXT|@FILE|-");
  add_headers(verb, "goes along with the message; may be given several times", headers);
  add_choice(verb, "--priority", "how much it matters beside others (default: normal)", kPriorities, priority);
  verb.add_flag("--unordered", unordered, "do not wait for messages sent before it");
  add_duration(verb, "--ttl", "not worth handling after so long (default: always worth it)", ttl);
}

void MessageOptions::add_unreliable_to(CLI::App& verb) {
  verb.add_flag("--unreliable", unreliable, "in one packet, which may be lost; waits for nothing but the connection");
}

void MessageOptions::add_key_to(CLI::App& verb) {
  verb.add_option_function<std::string>(
          "--idempotency-key", [this](const std::string& key) { headers.emplace_back("idempotency-key", key); },
          "the command is executed once however often it is sent with this key, where its handler is idempotent")
      ->type_name("KEY");
}

void MessageOptions::add_kind_to(CLI::App& verb) {
  add_choice(verb, "--kind", "what it is (default: command)", kKinds, kind);
}

Result<std::string> MessageOptions::read_body() const {
  if (body_source == "-") return read_all(stdin, "standard input");
  if (body_source.starts_with('@')) return read_file(body_source.substr(1));
  return body_source;
}

std::vector<wire::Header> MessageOptions::header_views() const {
  std::vector<wire::Header> views;
  for (const auto& [name, value] : headers) views.push_back({name, value});
  return views;
}

session::SendOptions MessageOptions::send_options(std::span<const wire::Header> header_views) const {
  using session::Order;
  return {.headers = header_views,
          .ttl = ttl,
          .priority = priority,
          .order = unreliable  ? Order::kUnreliable
                   : unordered ? Order::kUnordered
                               : Order::kOrdered};
}

}  // namespace godwit::app
