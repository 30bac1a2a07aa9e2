#pragma once

#include <map>

#include "port/store.h"

namespace godwit::store {

/// Entries in memory: in the order of their keys, with an exact count of their bytes and the order in which they
/// expire. At the bound nothing that lives is thrown out: what has expired makes room, then writes are refused.
class EntryTable {
 public:
  static constexpr size_t kEntryBytes = 160;  ///< beside key and value: what the tables cost

  explicit EntryTable(size_t bytes_max) : bytes_max_(bytes_max) {}

  std::optional<StoreEntry> get(std::string_view key, Timestamp now) const;
  std::vector<StoreEntry> scan(std::string_view prefix, std::string_view after, size_t limit, Timestamp now) const;
  Result<StoreVerdict> apply(const StoreBatch& batch, Timestamp now);

  size_t bytes() const { return bytes_; }

 private:
  struct Entry;
  using Entries = std::map<std::string, Entry, std::less<>>;
  using Expiries = std::multimap<Timestamp, Entries::iterator>;
  struct Entry {
    std::string value;
    uint64_t version = 0;
    Expiries::iterator expiry;  ///< expiries_.end(): it stays
  };
  /// How a key was before the batch, so that what is half done can be taken back.
  struct Before {
    std::string key;
    std::optional<std::string> value;
    uint64_t version = 0;
    Timestamp expires = kNever;
  };

  bool lives(const Entry& entry, Timestamp now) const;
  uint64_t version_of(std::string_view key, Timestamp now) const;
  void remember(std::string_view key, std::vector<Before>& before) const;
  Status run(const StoreStep& step, Timestamp now);
  void write(std::string_view key, std::string value, uint64_t version, Timestamp expires);
  void erase(Entries::iterator at);
  void restore(std::vector<Before>& before);
  void reclaim(Timestamp now, size_t entries_max);

  const size_t bytes_max_;
  Entries entries_;
  Expiries expiries_;
  size_t bytes_ = 0;
  uint64_t last_version_ = 0;
};

}  // namespace godwit::store
