#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/id.h"

namespace godwit {

/// Owns objects and hands out ids. Erasing takes two steps: `erase` makes the object unreachable at once, `reap`
/// destroys it later, when no frame of it can be on the stack (the loop's check phase). Addresses stay stable until
/// then. Not thread-safe; one worker owns one map. Maps of one kind that are numbered apart never hand out the same id.
template <typename T>
class SlotMap {
 public:
  static constexpr unsigned kIndexBits = 24;  ///< slots of a map that has a number: 16.7 million
  SlotMap() = default;
  /// `number` stands in the 8 bits of every id's slot that are above the index.
  explicit SlotMap(uint8_t number) : prefix_(uint32_t{number} << kIndexBits) {}

  template <typename... Args>
  Id<T> emplace(Args&&... args) {
    const uint32_t slot = take_slot();
    slots_[slot].value = std::make_unique<T>(std::forward<Args>(args)...);
    ++size_;
    return id_of(slot);
  }

  /// For objects that must know their own id while being built.
  template <typename Make>
  Id<T> emplace_with(Make&& make) {
    const uint32_t slot = take_slot();
    const Id<T> id = id_of(slot);
    std::unique_ptr<T> value = make(id);
    slots_[slot].value = std::move(value);
    ++size_;
    return id;
  }

  T* get(Id<T> id) {
    const uint32_t index = id.slot - prefix_;
    if (index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.generation == id.generation ? slot.value.get() : nullptr;
  }
  const T* get(Id<T> id) const { return const_cast<SlotMap*>(this)->get(id); }

  /// Unreachable from here on; the object lives until `reap`. False for a stale id.
  bool erase(Id<T> id) {
    if (!get(id)) return false;
    const uint32_t index = id.slot - prefix_;
    Slot& slot = slots_[index];
    doomed_.push_back(std::move(slot.value));
    if (++slot.generation == 0) slot.generation = 1;
    free_.push_back(index);
    --size_;
    return true;
  }

  /// Destroys what was erased. Destructors may erase more; those go with the next reap.
  size_t reap() {
    std::vector<std::unique_ptr<T>> doomed = std::exchange(doomed_, {});
    return doomed.size();
  }

  size_t size() const { return size_; }
  size_t doomed() const { return doomed_.size(); }

  /// Visits live objects; the visitor may erase, and may add (what it adds may or may not be visited).
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (uint32_t i = 0; i < slots_.size(); ++i) {
      if (T* value = slots_[i].value.get()) visit(id_of(i), *value);
    }
  }

 private:
  struct Slot {
    uint32_t generation = 1;
    std::unique_ptr<T> value;
  };

  Id<T> id_of(uint32_t index) const { return {prefix_ + index, slots_[index].generation}; }

  uint32_t take_slot() {
    if (!free_.empty()) {
      const uint32_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    GW_CHECK(slots_.size() < size_t{1} << kIndexBits);
    slots_.emplace_back();
    return static_cast<uint32_t>(slots_.size() - 1);
  }

  const uint32_t prefix_ = 0;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<std::unique_ptr<T>> doomed_;
  size_t size_ = 0;
};

}  // namespace godwit
