#include <godwit/plugin.hpp>

#include <algorithm>
#include <array>

namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr int64_t kSecond = 1'000'000'000;

/// What a size class gets before the path and the memory are looked at.
struct Row {
  uint64_t bytes_below;
  uint32_t size_class;
  uint64_t buffer_bytes;
  uint64_t chunk_bytes;
  int64_t timeout_ns;
  uint32_t retries;
  bool own_stream;
  bool compress;
};
constexpr std::array<Row, 5> kRows = {{
    {kKiB, GW_SIZE_TINY, kKiB, kKiB, 5 * kSecond, 3, false, false},
    {64 * kKiB, GW_SIZE_SMALL, 64 * kKiB, 64 * kKiB, 10 * kSecond, 3, false, false},
    {kMiB, GW_SIZE_MEDIUM, 256 * kKiB, 64 * kKiB, 30 * kSecond, 2, true, true},
    {100 * kMiB, GW_SIZE_LARGE, kMiB, 256 * kKiB, 300 * kSecond, 2, true, true},
    {UINT64_MAX, GW_SIZE_HUGE, 4 * kMiB, kMiB, 3600 * kSecond, 1, true, true},
}};

constexpr size_t kSampleBytesMin = 512;  ///< fewer say little about how well the rest compresses
constexpr double kLossOfTrouble = 0.02;  ///< from here on smaller pieces lose less when one is lost

/// How many different bytes a sample has: noise, and what was compressed before, has nearly all of them.
bool is_worth_compressing(gw_bytes sample) {
  if (sample.size < kSampleBytesMin) return false;
  std::array<bool, 256> seen{};
  for (size_t i = 0; i < sample.size; ++i) seen[sample.data[i]] = true;
  return std::count(seen.begin(), seen.end(), true) < 160;
}

/// The five size classes with their usual plans, adapted to loss, memory and content.
class SizeDefault {
 public:
  explicit SizeDefault(godwit::plugin::Host host)
      : compress_(host.boolean("compress", true)),
        streams_max_(static_cast<uint32_t>(std::clamp<int64_t>(host.integer("streams_max", 4), 1, 64))) {}

  void plan(const gw_strategy_question& question, gw_strategy_plan& out) const {
    // Of unknown length: begins like a medium one, large enough to be worth a stream and small enough to be wrong
    // about.
    const uint64_t bytes = question.body_bytes == GW_SIZE_UNKNOWN ? 64 * kKiB : question.body_bytes;
    const Row& row = *std::find_if(kRows.begin(), kRows.end() - 1, [&](const Row& r) { return bytes < r.bytes_below; });
    out.size_class = row.size_class;
    out.buffer_bytes = row.buffer_bytes >> std::min(question.memory_level, 3u);
    out.chunk_bytes =
        std::min(question.loss >= kLossOfTrouble ? row.chunk_bytes / 2 : row.chunk_bytes, out.buffer_bytes);
    out.timeout_ns = row.timeout_ns + 4 * question.rtt_ns;
    out.retries = row.retries;
    out.own_stream = row.own_stream;
    out.streams = row.size_class >= GW_SIZE_LARGE && question.loss < kLossOfTrouble ? streams_max_ : 1;
    out.compress = compress_ && row.compress && is_worth_compressing(question.sample);
  }

 private:
  const bool compress_;
  const uint32_t streams_max_;
};

}  // namespace

GW_PLUGIN_CLASS(SizeDefault, .name = "size_default", .version = "1.0.0", .license = "GPL-3.0-or-later",
                .author = "the godwit project", .description = "Plans how bodies travel by their size class.")
