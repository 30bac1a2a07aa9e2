#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "store/engine.h"

namespace godwit::app {

class WorkerOnce;

constexpr std::string_view kOncePrefix = "once/";  ///< of the keys in the store

struct OnceLimits {
  Duration ttl = 5min;
  Duration lease = 60s;
  size_t entries_max = 100'000;
  size_t bytes_max = 64 << 20;
  static constexpr size_t kWaitersMax = 10'000;  ///< of one key
  static constexpr size_t kEntryBytes = 256;     ///< that a key counts for beside itself and its outcome
};

/// Who waits for which key, and what all keys cost: what the workers of a process share of host::Once. The outcomes
/// themselves are in the store. Safe from any thread; nothing is called from within.
class OnceBook {
 public:
  explicit OnceBook(const OnceLimits& limits) : limits_(limits) {}

  const OnceLimits& limits() const { return limits_; }

  struct Waiter {
    WorkerOnce* at;
    uint64_t id;
    bool operator==(const Waiter&) const = default;
  };
  enum class Place : uint8_t {
    kFirst,  ///< nobody was about this key: whoever asked sees to it
    kWaits,
    kTooMany,
  };
  Place join(std::string_view key, Waiter waiter);
  /// It waits no more. The key stays somebody's.
  void forget(std::string_view key, Waiter waiter);
  /// The next of those who wait.
  std::optional<Waiter> take_first(std::string_view key);
  /// All that wait; nobody is about the key any more.
  std::deque<Waiter> take(std::string_view key);
  /// False: somebody waits.
  bool drop_if_alone(std::string_view key);

  /// The key costs so many bytes until `expires`, in place of what it did before. StoreFull names the bound.
  Status keep(std::string_view key, size_t bytes, Timestamp expires, Timestamp now);
  void release(std::string_view key);
  /// Whether it is kept; what another process keeps is not known.
  bool knows(std::string_view key, Timestamp now) const;
  size_t entries() const;
  size_t bytes() const;

 private:
  struct Kept;
  using Keys = std::map<std::string, Kept, std::less<>>;
  using Expiries = std::multimap<Timestamp, Keys::iterator>;
  struct Kept {
    size_t bytes = 0;
    Expiries::iterator expiry;
  };
  void erase(Keys::iterator at);

  const OnceLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Waiter>, std::less<>> waiting_;  ///< by key that somebody is about
  Keys kept_;
  Expiries expiries_;
  size_t bytes_ = 0;
};

/// What a process before this one has kept: counts it.
Status read_once(store::Engine& engine, OnceBook& book, Timestamp now);

}  // namespace godwit::app
