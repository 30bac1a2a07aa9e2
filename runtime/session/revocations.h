#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "session/identity.h"

namespace godwit::session {

/// What is no longer let in, though its credentials are good. Shared by all workers.
class Revocations {
 public:
  enum class What : uint8_t { kUid, kClient, kToken };
  using Entry = std::pair<What, std::string>;
  static constexpr size_t kEntriesMax = 100'000;  ///< some 10 MB

  void set(std::set<Entry> entries);
  /// LimitReached when there are too many.
  Status add(Entry entry);
  bool cover(const Identity& identity) const;
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::set<Entry> entries_;
};

}  // namespace godwit::session
