#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/value.h"

namespace godwit::app {

struct KvLimits {
  size_t entries_max = 100'000;  ///< of one space
  size_t bytes_max = 32 << 20;   ///< of one space: keys, values and kEntryBytes for each
  static constexpr size_t kEntryBytes = 128;
};

/// One app's values: names in order, an exact count of what they cost, and the order in which they expire. Not
/// thread-safe: MemoryKvStore locks.
class KvSpace {
 public:
  explicit KvSpace(const KvLimits& limits) : limits_(limits) {}

  /// Null when there is none, or it has expired.
  const host::Value* get(std::string_view key, Timestamp now);
  Timestamp expiry(std::string_view key) const;
  /// Another one after each `put`; 0 when there is no such key.
  uint64_t version(std::string_view key) const;
  Status put(std::string_view key, const host::Value& value, Timestamp expires, Timestamp now);
  bool remove(std::string_view key, Timestamp now);
  std::vector<std::string> keys(std::string_view prefix, std::string_view after, size_t limit, Timestamp now) const;

  size_t entries() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry;
  using Entries = std::map<std::string, Entry, std::less<>>;
  using Expiries = std::multimap<Timestamp, Entries::iterator>;
  struct Entry {
    host::Value value;
    Expiries::iterator expiry;  ///< expiries_.end() for ever
    uint64_t version = 0;
  };

  static size_t cost(std::string_view key, const host::Value& value);
  void set_expiry(Entries::iterator at, Timestamp expires);
  void erase(Entries::iterator at);
  bool fits(std::string_view key, const host::Value& value) const;
  void reclaim(Timestamp now, size_t entries_max);

  const KvLimits limits_;
  Entries entries_;
  Expiries expiries_;
  size_t bytes_ = 0;
  uint64_t last_version_ = 0;
};

}  // namespace godwit::app
