#pragma once

#include <cstdint>
#include <limits>

#include "base/result.h"
#include "base/time.h"
#include "transfer/network.h"
#include "transfer/size_class.h"

namespace godwit::transfer {

inline constexpr uint64_t kBytesMax = std::numeric_limits<uint64_t>::max();

/// Sizes of bodies, both ends included.
struct SizeRange {
  uint64_t bytes_min = 0;
  uint64_t bytes_max = kBytesMax;

  constexpr bool contains(uint64_t bytes) const { return bytes >= bytes_min && bytes <= bytes_max; }
  bool operator==(const SizeRange&) const = default;
};

/// What a strategy is asked: how any body of these sizes, all of one class, is to travel on such a path.
struct Question {
  SizeRange sizes;
  Network network;
};

enum class Lane : uint8_t {
  kShared,  ///< in order with all others, at no cost per message
  kOwn,     ///< a stream of its own: nobody waits behind it
};
constexpr std::string_view name_of(Lane lane) { return lane == Lane::kShared ? "shared" : "own"; }

struct Plan {
  SizeClass size_class = SizeClass::kTiny;
  Lane lane = Lane::kShared;
  uint64_t buffer_bytes = 0;
  uint64_t chunk_bytes = 0;
  Duration timeout{};
  uint32_t retries = 0;
  uint32_t streams = 1;  ///< that share one body
  bool compress = false;

  bool operator==(const Plan&) const = default;
};

// The bounds of a plan: what is beyond them cannot be meant.
inline constexpr uint64_t kSharedLaneBytesMax = (64 << 10) - 1;  ///< larger ones would hold up the small ones behind
inline constexpr uint64_t kPlanBufferBytesMax = 64 << 20;        ///< held in memory for one body
inline constexpr Duration kPlanTimeoutMax = 24h;
inline constexpr uint32_t kPlanRetriesMax = 100;
inline constexpr uint32_t kPlanStreamsMax = 64;

/// ValueWrong, with the reason: the plan makes no sense for bodies of these sizes.
Status check(const Plan& plan, const SizeRange& sizes);

}  // namespace godwit::transfer
