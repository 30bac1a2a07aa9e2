#pragma once

#include <atomic>
#include <cstddef>

namespace godwit::app {

/// A bound that several workers share and that is kept exactly.
class SharedCap {
 public:
  explicit SharedCap(size_t bound) : bound_(bound) {}
  /// Those who are in stay in.
  void set_bound(size_t bound) { bound_.store(bound, std::memory_order_relaxed); }
  bool try_acquire() {
    size_t used = used_.load(std::memory_order_relaxed);
    while (used < bound_.load(std::memory_order_relaxed)) {
      if (used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void release() { used_.fetch_sub(1, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::atomic<size_t> bound_;
  std::atomic<size_t> used_{0};
};

}  // namespace godwit::app
