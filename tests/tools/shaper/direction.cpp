#include "direction.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/units.h"

namespace godwit::shaper {
namespace {

Result<double> parse_share(std::string_view text) {
  double share = 0;
  const bool percent = text.ends_with('%');
  const std::string_view digits = text.substr(0, text.size() - (percent ? 1 : 0));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), share);
  if (percent) share /= 100;
  if (error == std::errc() && end == digits.data() + digits.size() && share >= 0 && share <= 1) return share;
  return fail(Code::kConfigInvalid, "expected a share such as 5% or 0.05");
}

Result<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return fail(Code::kConfigInvalid, "expected a whole number");
}

/// "10mbit", "256kbit", "0".
Result<uint64_t> parse_rate(std::string_view text) {
  uint64_t unit = 1;
  for (const auto& [name, bits] : {std::pair("kbit", 1'000u), {"mbit", 1'000'000u}, {"gbit", 1'000'000'000u}}) {
    if (!text.ends_with(name)) continue;
    text.remove_suffix(4);
    unit = bits;
    break;
  }
  const auto number = parse_number(text);
  if (!number) return fail(Code::kConfigInvalid, "expected a rate such as 10mbit or 256kbit");
  return *number * unit;
}

Result<bool> parse_switch(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return fail(Code::kConfigInvalid, "expected on or off");
}

template <typename Value>
Status put(Value& to, const Result<Value>& value) {
  if (!value) return tl::unexpected(value.error());
  to = *value;
  return {};
}

}  // namespace

std::vector<std::string_view> Faults::names() {
  return {"delay",      "jitter",  "loss", "burst", "duplicate", "reorder",
          "reorder-by", "corrupt", "rate", "queue", "mtu",       "blackhole"};
}

Status Faults::set(std::string_view name, std::string_view value) {
  if (name == "delay") return put(delay, parse_duration(value));
  if (name == "jitter") return put(jitter, parse_duration(value));
  if (name == "loss") return put(loss, parse_share(value));
  if (name == "burst") return put(burst, parse_number(value));
  if (name == "duplicate") return put(duplicate, parse_share(value));
  if (name == "reorder") return put(reorder, parse_share(value));
  if (name == "reorder-by") return put(reorder_by, parse_duration(value));
  if (name == "corrupt") return put(corrupt, parse_share(value));
  if (name == "rate") return put(rate, parse_rate(value));
  if (name == "queue") return put(queue_bytes, parse_bytes(value));
  if (name == "mtu") return put(mtu, parse_number(value));
  if (name == "blackhole") return put(blackhole, parse_switch(value));
  return fail(Code::kConfigInvalid, "unknown");
}

std::string Counters::to_json() const {
  return fmt::format(R"({{"packets": {}, "bytes": {}, "delivered": {}, "lost": {}, "duplicated": {}, "reordered": {}, )"
                     R"("corrupted": {}, "too_long": {}, "queue_full": {}, "swallowed": {}}})",
                     packets, bytes, delivered, lost, duplicated, reordered, corrupted, too_long, queue_full,
                     swallowed);
}

void Direction::pass(std::string& packet, Timestamp now, const std::function<void(Timestamp)>& deliver) {
  ++counters.packets;
  counters.bytes += packet.size();
  if (faults.blackhole) return void(++counters.swallowed);
  if (packet.size() > faults.mtu) return void(++counters.too_long);
  if (lose()) return void(++counters.lost);
  const auto left = leave(packet.size(), now);
  if (!left) return void(++counters.queue_full);
  if (!packet.empty() && prng_.chance(faults.corrupt)) {
    ++counters.corrupted;
    packet[prng_.below(packet.size())] ^= static_cast<char>(1 << prng_.below(8));
  }
  const Timestamp arrival = arrive(*left);
  ++counters.delivered;
  deliver(arrival);
  if (!prng_.chance(faults.duplicate)) return;
  ++counters.duplicated;
  deliver(arrival);
}

/// Bursts begin so much more seldom as they are longer.
bool Direction::lose() {
  if (losing_ > 0) return --losing_, true;
  const double burst = static_cast<double>(std::max<uint64_t>(1, faults.burst));
  // The share of packets that begin a burst, among those that are not within one.
  const double begins = faults.loss >= 1 ? 1 : faults.loss / (burst * (1 - faults.loss) + faults.loss);
  if (!prng_.chance(begins)) return false;
  losing_ = static_cast<uint64_t>(burst) - 1;
  return true;
}

std::optional<Timestamp> Direction::leave(size_t bytes, Timestamp now) {
  if (faults.rate == 0) return now;
  const Timestamp free = std::max(link_free_, now);
  const double waiting = std::chrono::duration<double>(free - now).count() * static_cast<double>(faults.rate) / 8;
  if (waiting + static_cast<double>(bytes) > static_cast<double>(faults.queue_bytes)) return std::nullopt;
  const std::chrono::duration<double> takes(static_cast<double>(bytes) * 8 / static_cast<double>(faults.rate));
  link_free_ = free + std::chrono::duration_cast<Duration>(takes);
  return link_free_;
}

Timestamp Direction::arrive(Timestamp left) {
  const auto jitter = static_cast<uint64_t>(faults.jitter.count());
  const Duration drift = Duration(static_cast<Duration::rep>(prng_.between(0, 2 * jitter))) - faults.jitter;
  Timestamp arrival = left + std::max(Duration(0), faults.delay + drift);
  if (prng_.chance(faults.reorder)) {
    ++counters.reordered;
    return arrival + faults.reorder_by;
  }
  arrival = std::max(arrival, last_arrival_);
  last_arrival_ = arrival;
  return arrival;
}

}  // namespace godwit::shaper
