#include "app/commands/bench_options.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "app/commands/flags.h"
#include "base/limits.h"

namespace godwit::app {
namespace {

const std::map<std::string, BenchPattern> kPatterns = {{"request", BenchPattern::kRequest},
                                                       {"event", BenchPattern::kEvent},
                                                       {"connect", BenchPattern::kConnect},
                                                       {"idle", BenchPattern::kIdle},
                                                       {"resume", BenchPattern::kResume}};
const std::map<std::string, wire::Kind> kKinds = {{"command", wire::Kind::kCommand}, {"query", wire::Kind::kQuery}};

constexpr Duration kDefaultDuration = 5s;
constexpr uint32_t kClientsMax = 100'000;
constexpr double kRateMax = 10e6;
constexpr uint64_t kCountMax = 1'000'000'000'000;

/// A range lets "nan" through, because it is neither below nor above.
std::string check_number(const std::string& text) {
  return std::isnan(std::strtod(text.c_str(), nullptr)) ? "expected a number" : "";
}

}  // namespace

std::string_view name_of(BenchPattern pattern) {
  for (const auto& [name, value] : kPatterns) {
    if (value == pattern) return name;
  }
  return "unknown";
}

void BenchOptions::add_to(CLI::App& verb) {
  connect.add_to(verb, "for connecting, and for each answer");
  add_choice(verb, "--pattern",
             "request (default), event (acknowledged), connect (handshakes), idle (held sessions), "
             "resume (sessions that lose their connections and come back with messages)",
             kPatterns, pattern);
  verb.add_option("--clients", clients, "connections")->check(CLI::Range(1u, kClientsMax))->capture_default_str();
  verb.add_option("--in-flight", in_flight, "messages per client, or handshakes, at one time")
      ->check(CLI::Range(1u, kInFlightMax))
      ->capture_default_str();
  add_bytes(verb, "--size", "of each body", limits::kInlineBodyBytesMax, size_bytes);
  add_parsed(verb, "--duration", "how long (default: 5s, without --count)", parse_positive_duration, duration)
      ->type_name("DURATION");
  verb.add_option("--count", count, "how many messages, or handshakes, in all")
      ->check(CLI::Range(uint64_t{1}, kCountMax));
  verb.add_option("--rate", rate_per_s,
                  "messages per second in all, sent on time whatever the answers do; latency counts from the time at "
                  "which a message was to be sent")
      ->check(CLI::Range(0.001, kRateMax))
      ->check(check_number);
  verb.add_option("--action", action, "of each message; its handler should reply with the body it got")
      ->capture_default_str();
  add_choice(verb, "--kind", "of requests (default: command)", kKinds, kind);
  verb.add_flag("--no-verify", no_verify, "do not compare answers with what was sent");
  add_duration(verb, "--busy-poll", "ask for packets so long before sleeping (20us to 50us); default: off", busy_poll);
  verb.add_flag("--json", json, "print one JSON object");
}

void BenchOptions::complete() {
  if (!duration && !count) duration = kDefaultDuration;
}

client::ClientLoopOptions BenchOptions::loop_options() const {
  client::ClientLoopOptions options{.tls = connect.tls()};
  options.core.session.body_bytes_max = limits::kInlineBodyBytesMax;
  options.core.codec.inline_bytes_max = limits::kInlineBodyBytesMax;
  // As clients of the library do: what is sent is kept until it is acknowledged.
  options.core.keep_sessions =
      pattern == BenchPattern::kRequest || pattern == BenchPattern::kEvent || pattern == BenchPattern::kResume;
  options.core.promises_max = std::max<size_t>(options.core.promises_max, size_t{clients} * in_flight);
  options.loop.busy_poll.enabled = busy_poll > Duration::zero();
  options.loop.busy_poll.spin = busy_poll;
  return options;
}

}  // namespace godwit::app
