#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace godwit::session {

/// Deadlines of many small things that mostly end before them (pending replies): arming and disarming cost a few moves.
/// One turn of the wheel is 32.8 s; later deadlines go round again. A deadline fires within one tick (8 ms) after it is
/// due, never before. (Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987, scheme 6.)
class TimingWheel {
 public:
  static constexpr Duration kTick = 8ms;
  static constexpr size_t kSlots = 4096;
  static constexpr uint32_t kNone = UINT32_MAX;

  TimingWheel() { heads_.fill(kNone); }

  /// Items are small dense numbers (slots of a table); each has at most one deadline.
  void arm(uint32_t item, Timestamp deadline, Timestamp now);
  void disarm(uint32_t item);
  size_t size() const { return size_; }

  /// When `advance` is to be called next; kNever while empty.
  Timestamp next() const;

  /// Appends to `due` what is due at `now` and disarms it.
  void advance(Timestamp now, std::vector<uint32_t>& due);

 private:
  struct Link {
    uint32_t next = kNone;
    uint32_t previous = kNone;
    uint32_t slot = kNone;  ///< kNone: not armed
    Timestamp deadline = kNever;
  };
  static uint64_t tick_of(Timestamp at) { return to_ns(at) / static_cast<uint64_t>(kTick.count()); }
  void unlink(uint32_t item);
  void collect(size_t slot, Timestamp now, std::vector<uint32_t>& due);

  std::array<uint32_t, kSlots> heads_;
  std::vector<Link> links_;
  uint64_t swept_tick_ = 0;  ///< every slot up to this tick has been looked at
  size_t size_ = 0;
};

}  // namespace godwit::session
