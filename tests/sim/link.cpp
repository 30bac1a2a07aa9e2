#include "link.h"

#include <algorithm>

namespace godwit::sim {
namespace {

constexpr size_t kIpAndUdpHeaderBytes = 28;

Duration scaled(Duration duration, double by) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * by));
}

}  // namespace

Link::Fate Link::send(Timestamp now, size_t datagram_bytes) {
  const size_t packet_bytes = datagram_bytes + kIpAndUdpHeaderBytes;
  ++counts_.sent;
  counts_.bytes += datagram_bytes;
  Fate fate;
  const bool lost = loses();
  const auto leaves = pass_queue(now, packet_bytes);
  if (lost || !leaves || conditions.blackhole || packet_bytes > conditions.mtu_bytes) {
    ++counts_.lost;
    return fate;
  }
  fate.arrivals.push_back(*leaves + travel());
  if (random_.chance(conditions.duplicate)) {
    ++counts_.duplicated;
    fate.arrivals.push_back(*leaves + travel());
  }
  fate.corrupted = random_.chance(conditions.corrupt);
  counts_.corrupted += fate.corrupted;
  return fate;
}

/// Gilbert's model: in a burst everything is lost; bursts begin and end so that both the share and the mean length come
/// out.
bool Link::loses() {
  if (conditions.loss <= 0) return in_burst_ = false;
  if (conditions.burst <= 1 || conditions.loss >= 1) return random_.chance(conditions.loss);
  const double ends = 1 / conditions.burst;
  const double begins = ends * conditions.loss / (1 - conditions.loss);
  in_burst_ = in_burst_ ? !random_.chance(ends) : random_.chance(begins);
  return in_burst_;
}

std::optional<Timestamp> Link::pass_queue(Timestamp now, size_t packet_bytes) {
  if (conditions.rate_bytes_per_s == 0) return now;
  const double seconds_per_byte = 1.0 / static_cast<double>(conditions.rate_bytes_per_s);
  const Timestamp starts = std::max(now, busy_until_);
  if (starts - now > scaled(1s, seconds_per_byte * static_cast<double>(conditions.queue_bytes))) return std::nullopt;
  return busy_until_ = starts + scaled(1s, seconds_per_byte * static_cast<double>(packet_bytes));
}

Duration Link::travel() {
  Duration takes = conditions.delay;
  if (conditions.jitter > Duration::zero()) takes += scaled(conditions.jitter, 2 * random_.unit() - 1);
  if (random_.chance(conditions.reorder)) takes += scaled(conditions.delay, random_.unit());
  return std::max(takes, Duration(1us));
}

void Link::corrupt(std::vector<uint8_t>& datagram) {
  for (uint64_t flips = random_.between(1, 3); flips > 0; --flips) {
    datagram[random_.below(datagram.size())] ^= static_cast<uint8_t>(1u << random_.below(8));
  }
}

}  // namespace godwit::sim
