#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "base/time.h"

namespace godwit::sim {

/// What a way through the network does to datagrams, in one direction. May be changed at any time.
struct Conditions {
  double loss = 0;   ///< share of datagrams that vanish
  double burst = 1;  ///< mean length of a row of losses; 1 = each on its own
  Duration delay = 1ms;
  Duration jitter{};                ///< each datagram takes delay ± up to so much, so they may overtake each other
  double reorder = 0;               ///< share that takes up to twice as long as the others
  double duplicate = 0;             ///< share that arrives twice
  double corrupt = 0;               ///< share in which some bits are flipped
  size_t mtu_bytes = 1500;          ///< IP packets that are longer vanish
  uint64_t rate_bytes_per_s = 0;    ///< 0 = as fast as they come
  size_t queue_bytes = 256 * 1024;  ///< in front of the rate; what does not fit vanishes
  bool blackhole = false;           ///< nothing passes
};

/// One direction of a link: decides the fate of each datagram from its conditions and a seed.
class Link {
 public:
  explicit Link(uint64_t seed) : random_(seed) {}

  Conditions conditions;

  struct Fate {
    std::vector<Timestamp> arrivals;  ///< none: lost; two: duplicated
    bool corrupted = false;
  };
  Fate send(Timestamp now, size_t datagram_bytes);

  /// Flips one to three bits.
  void corrupt(std::vector<uint8_t>& datagram);

  struct Counts {
    uint64_t sent = 0, lost = 0, duplicated = 0, corrupted = 0, bytes = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  bool loses();
  /// When the datagram has left the queue; nullopt when the queue has no room for it.
  std::optional<Timestamp> pass_queue(Timestamp now, size_t packet_bytes);
  Duration travel();

  Prng random_;
  Counts counts_;
  bool in_burst_ = false;
  Timestamp busy_until_{};
};

}  // namespace godwit::sim
