#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/worker_metrics.h"

namespace godwit::transfer {

/// In the order of their sizes; what is counted by class is counted by these.
enum class SizeClass : uint8_t { kTiny, kSmall, kMedium, kLarge, kHuge };

/// The smallest body of each class.
inline constexpr std::array<uint64_t, kSizeClasses> kClassBegins = {0, 1 << 10, 64 << 10, 1 << 20, 100 << 20};
inline constexpr std::array<std::string_view, kSizeClasses> kClassNames = {"tiny", "small", "medium", "large", "huge"};

constexpr SizeClass size_class(uint64_t body_bytes) { return static_cast<SizeClass>(size_class_of(body_bytes)); }
constexpr size_t index_of(SizeClass size_class) { return static_cast<size_t>(size_class); }
constexpr std::string_view name_of(SizeClass size_class) { return kClassNames[index_of(size_class)]; }

}  // namespace godwit::transfer
