#include "io/log_repeats.h"

#include <functional>
#include <utility>

namespace godwit::io {
namespace {

constexpr Duration kWindow = 1s;

size_t hash_of(std::string_view module, std::string_view message) {
  const std::hash<std::string_view> hash;
  return hash(message) * 31 + hash(module);
}

}  // namespace

LogRepeats::Verdict LogRepeats::admit(LogLevel level, std::string_view module, std::string_view message,
                                      Timestamp now) {
  const size_t hash = hash_of(module, message);
  Entry& entry = entry_of(hash);
  Verdict verdict{true, std::nullopt};
  if (entry.hash != hash || now - entry.since >= kWindow) {
    verdict.earlier = restart(entry);
    entry.hash = hash;
    entry.since = now;
  }
  if (entry.passed < per_second_) {
    ++entry.passed;
    return verdict;
  }
  if (entry.suppressed++ == 0) {
    entry.level = level;
    entry.module = module.substr(0, kTextBytesMax);
    entry.message = message.substr(0, kTextBytesMax);
  }
  verdict.passes = false;
  return verdict;
}

// Its own place among a few neighbours, or the one that was quiet longest: two busy messages that meet do not evict
// each other.
LogRepeats::Entry& LogRepeats::entry_of(size_t hash) {
  constexpr size_t kNeighbours = 4;
  Entry* oldest = &entries_[hash % kMessages];
  for (size_t i = 0; i < kNeighbours; ++i) {
    Entry& entry = entries_[(hash + i) % kMessages];
    if (entry.hash == hash) return entry;
    if (entry.since < oldest->since) oldest = &entry;
  }
  return *oldest;
}

std::optional<LogRepeats::Suppressed> LogRepeats::take_finished(Timestamp now) {
  for (Entry& entry : entries_) {
    if (entry.suppressed == 0) continue;
    if (now == kNever || now - entry.since >= kWindow) return restart(entry);
  }
  return std::nullopt;
}

std::optional<LogRepeats::Suppressed> LogRepeats::restart(Entry& entry) {
  entry.passed = 0;
  const uint64_t times = std::exchange(entry.suppressed, 0);
  if (times == 0) return std::nullopt;
  return Suppressed{entry.level, std::move(entry.module), std::move(entry.message), times};
}

}  // namespace godwit::io
