#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace godwit {

/// Names an object in a SlotMap<T> without pointing at it: a stale id is an ordinary miss, never a dangling pointer.
/// Generation 0 is never handed out, so a default Id names nothing.
template <typename T>
struct Id {
  uint32_t slot = 0;
  uint32_t generation = 0;

  explicit operator bool() const { return generation != 0; }
  auto operator<=>(const Id&) const = default;

  uint64_t to_u64() const { return uint64_t{generation} << 32 | slot; }
  static Id from_u64(uint64_t bits) { return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)}; }
};

}  // namespace godwit

template <typename T>
struct std::hash<godwit::Id<T>> {
  size_t operator()(godwit::Id<T> id) const noexcept { return std::hash<uint64_t>{}(id.to_u64()); }
};
