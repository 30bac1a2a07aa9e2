#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/value.h"

namespace godwit::host {

/// Values by name that all workers of this process share. Names live in spaces, one per app, which do not see each
/// other and are bounded each for itself. Each call is one atomic step. From any thread; never blocks for long.
///
/// At the bound nothing that lives is thrown out: what has expired makes room, and then writes are refused with
/// StoreFull. A key that says "done already" must not vanish because another one came.
class KvStore {
 public:
  static constexpr size_t kKeyBytesMax = 512;
  static constexpr size_t kValueBytesMax = 1 << 20;
  static constexpr size_t kKeysMax = 1000;  ///< of one answer of `keys`

  virtual ~KvStore() = default;

  virtual std::optional<Value> get(std::string_view space, std::string_view key) = 0;

  struct Versioned {
    Value value;
    uint64_t version = 0;
  };
  /// With a number that is another one after each write, and never 0.
  virtual std::optional<Versioned> get_versioned(std::string_view space, std::string_view key) = 0;

  // A ttl of 0 is for ever; each write sets it anew. Refused: MessageTooLarge for a key or value beyond its bound,
  // StoreFull where the space has no room.

  virtual Status set(std::string_view space, std::string_view key, const Value& value, Duration ttl) = 0;
  /// False when the key is there already; nothing changed then.
  virtual Result<bool> add(std::string_view space, std::string_view key, const Value& value, Duration ttl) = 0;
  /// Adds to a number, which begins at `initial`, and returns the sum; the ttl is set when the number begins.
  /// ValueWrong when it is no number.
  virtual Result<double> increment(std::string_view space, std::string_view key, double by, double initial,
                                   Duration ttl) = 0;
  /// True when the value was `expected` (nullopt: absent) and is `value` (nullopt: absent) now.
  virtual Result<bool> compare_and_set(std::string_view space, std::string_view key,
                                       const std::optional<Value>& expected, const std::optional<Value>& value,
                                       Duration ttl) = 0;

  /// True when the key's version was this one (0: absent) and the value is `value` now.
  virtual Result<bool> put_versioned(std::string_view space, std::string_view key, uint64_t version, const Value& value,
                                     Duration ttl) = 0;

  /// Whether there was something to remove.
  virtual bool remove(std::string_view space, std::string_view key) = 0;
  /// What is left; Duration::max() for ever; nullopt when there is no such key.
  virtual std::optional<Duration> ttl(std::string_view space, std::string_view key) = 0;
  /// In the order of their bytes, beyond `after`, at most `limit` (and kKeysMax).
  virtual std::vector<std::string> keys(std::string_view space, std::string_view prefix, std::string_view after,
                                        size_t limit) = 0;
};

}  // namespace godwit::host
