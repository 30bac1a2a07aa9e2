#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace godwit::host {

/// Keeps a handler that fails for every message from filling the log: of one text the first few per window pass, then
/// none until the window is over. Remembers a few texts; a new one takes the place of another that shares its slot.
class RepeatFilter {
 public:
  static constexpr uint32_t kPassesPerWindow = 5;
  static constexpr Duration kWindow = 10s;

  /// How many were held back since the last that passed; nullopt: hold this one back, too.
  std::optional<uint64_t> pass(std::string_view text, Timestamp now) {
    const size_t hash = std::hash<std::string_view>()(text);
    Entry& entry = entries_[hash % entries_.size()];
    if (entry.hash != hash || now - entry.since >= kWindow) {
      const uint64_t held_back = entry.hash == hash ? entry.held_back : 0;
      entry = {hash, now, 1, 0};
      return held_back;
    }
    if (entry.passed++ < kPassesPerWindow) return 0;
    ++entry.held_back;
    return std::nullopt;
  }

 private:
  struct Entry {
    size_t hash = 0;
    Timestamp since{};
    uint32_t passed = 0;
    uint64_t held_back = 0;
  };
  std::array<Entry, 32> entries_;
};

}  // namespace godwit::host
