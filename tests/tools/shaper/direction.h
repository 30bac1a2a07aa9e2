#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"

namespace godwit::shaper {

/// What happens to packets on their way in one direction. Nothing, at first.
struct Faults {
  Duration delay{};
  Duration jitter{};     ///< evenly between delay - jitter and delay + jitter; order is kept
  double loss = 0;       ///< share of the packets
  uint64_t burst = 1;    ///< lost in a row, on average not more often than `loss` says
  double duplicate = 0;  ///< share that arrives twice
  double reorder = 0;    ///< share that is held back for `reorder_by`, while others overtake
  Duration reorder_by = 10ms;
  double corrupt = 0;               ///< share of which one bit is turned over
  uint64_t rate = 0;                ///< bits per second; 0: no limit
  uint64_t queue_bytes = 64 << 10;  ///< that wait for the rate; more are dropped
  uint64_t mtu = 65'535;            ///< longer ones are dropped
  bool blackhole = false;           ///< everything is dropped

  /// "loss", "5%"; ConfigInvalid says what was expected.
  Status set(std::string_view name, std::string_view value);
  static std::vector<std::string_view> names();
};

struct Counters {
  uint64_t packets = 0;  ///< that came
  uint64_t bytes = 0;
  uint64_t delivered = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t corrupted = 0;
  uint64_t too_long = 0;
  uint64_t queue_full = 0;
  uint64_t swallowed = 0;  ///< by the blackhole

  std::string to_json() const;
};

/// Decides about each packet when it comes: never, once or twice, and when. Pure: time and chance are given.
class Direction {
 public:
  explicit Direction(uint64_t seed) : prng_(seed) {}

  Faults faults;
  Counters counters;

  /// Calls `deliver` for each arrival. May turn over a bit of the packet.
  void pass(std::string& packet, Timestamp now, const std::function<void(Timestamp)>& deliver);

 private:
  bool lose();
  std::optional<Timestamp> leave(size_t bytes, Timestamp now);
  Timestamp arrive(Timestamp left);

  Prng prng_;
  uint64_t losing_ = 0;       ///< further packets of a burst
  Timestamp link_free_{};     ///< when the last one has left
  Timestamp last_arrival_{};  ///< of those that keep their order
};

}  // namespace godwit::shaper
