#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"

namespace godwit {

/// A first-in, first-out queue with a bound: `push` refuses at the bound instead of growing. Memory grows with use up
/// to the bound and is kept, so a queue in steady use does not allocate. T is default-constructible and movable.
template <typename T>
class Ring {
 public:
  explicit Ring(size_t bound) : bound_(bound) {}

  /// False at the bound; the value is untouched then.
  [[nodiscard]] bool push(T&& value) {
    if (size_ == bound_) return false;
    if (size_ == slots_.size()) grow();
    slots_[wrap(head_ + size_)] = std::move(value);
    ++size_;
    return true;
  }
  [[nodiscard]] bool push(const T& value) { return push(T(value)); }

  T& front() { return (*this)[0]; }

  /// Takes the oldest value out. There must be one.
  T pop() {
    T value = std::exchange(front(), T{});
    head_ = wrap(head_ + 1);
    --size_;
    return value;
  }

  /// The value `index` places behind the oldest.
  T& operator[](size_t index) {
    GW_CHECK(index < size_);
    return slots_[wrap(head_ + index)];
  }
  const T& operator[](size_t index) const { return const_cast<Ring&>(*this)[index]; }

  void clear() {
    while (!empty()) pop();
  }

  size_t size() const { return size_; }
  size_t bound() const { return bound_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == bound_; }

 private:
  static constexpr size_t kFirstSlots = 8;

  size_t wrap(size_t index) const { return index < slots_.size() ? index : index - slots_.size(); }

  void grow() {
    std::vector<T> larger(std::min(bound_, std::max(kFirstSlots, slots_.size() * 2)));
    for (size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    head_ = 0;
  }

  size_t bound_;
  std::vector<T> slots_;
  size_t head_ = 0;
  size_t size_ = 0;
};

}  // namespace godwit
