#pragma once

#include <tsl/robin_map.h>

#include <array>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "host/services.h"
#include "port/clock.h"

namespace godwit::app {

/// The attributes of all sessions of the process; each session's are gone with it. From any thread. Sessions are spread
/// over many locks, so that workers, which mostly ask for their own sessions, do not wait for each other.
class AttributeTable {
 public:
  static constexpr size_t kAttributesMax = 64;  ///< of one session
  static constexpr size_t kNameBytesMax = 256;
  static constexpr size_t kValueBytesMax = 16 * 1024;

  /// `clock` is asked from any thread.
  explicit AttributeTable(const Clock& clock) : clock_(clock) {}

  void enter(host::SessionKey key);
  void leave(host::SessionKey key);

  // As host::Services says.
  std::optional<host::Value> get(host::SessionKey key, std::string_view name) const;
  Status set(host::SessionKey key, std::string_view name, const std::optional<host::Value>& value, Duration ttl);
  Result<bool> compare_and_set(host::SessionKey key, std::string_view name, const std::optional<host::Value>& expected,
                               const std::optional<host::Value>& value);

 private:
  struct Attribute {
    std::string name;
    host::Value value;
    Timestamp expires = kNever;
  };
  using Attributes = std::vector<Attribute>;  ///< few: looking through them is faster than any table
  struct Shard {
    mutable std::mutex mutex;
    tsl::robin_map<host::SessionKey, Attributes> sessions;
  };
  static constexpr size_t kShards = 64;

  Shard& shard_of(host::SessionKey key) const;
  static Attribute* find(Attributes& attributes, std::string_view name, Timestamp now);
  static Status put(Attributes& attributes, std::string_view name, const std::optional<host::Value>& value,
                    Timestamp expires, Timestamp now);

  const Clock& clock_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace godwit::app
