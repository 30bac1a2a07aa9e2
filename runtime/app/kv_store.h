#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "app/kv_space.h"
#include "host/kv.h"
#include "port/clock.h"

namespace godwit::app {

/// The node-local store in memory: a locked space per app. Gone with the process.
class MemoryKvStore final : public host::KvStore {
 public:
  /// `clock` is asked from any thread.
  MemoryKvStore(const Clock& clock, const KvLimits& limits) : clock_(clock), limits_(limits) {}

  std::optional<host::Value> get(std::string_view space, std::string_view key) override;
  std::optional<Versioned> get_versioned(std::string_view space, std::string_view key) override;
  Status set(std::string_view space, std::string_view key, const host::Value& value, Duration ttl) override;
  Result<bool> add(std::string_view space, std::string_view key, const host::Value& value, Duration ttl) override;
  Result<double> increment(std::string_view space, std::string_view key, double by, double initial,
                           Duration ttl) override;
  Result<bool> compare_and_set(std::string_view space, std::string_view key, const std::optional<host::Value>& expected,
                               const std::optional<host::Value>& value, Duration ttl) override;
  Result<bool> put_versioned(std::string_view space, std::string_view key, uint64_t version, const host::Value& value,
                             Duration ttl) override;
  bool remove(std::string_view space, std::string_view key) override;
  std::optional<Duration> ttl(std::string_view space, std::string_view key) override;
  std::vector<std::string> keys(std::string_view space, std::string_view prefix, std::string_view after,
                                size_t limit) override;

 private:
  struct Locked {
    explicit Locked(const KvLimits& limits) : space(limits) {}
    std::mutex mutex;
    KvSpace space;
  };
  Locked& locked(std::string_view space);
  Timestamp expiry_after(Duration ttl, Timestamp now) const;

  const Clock& clock_;
  const KvLimits limits_;
  std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<Locked>, std::less<>> spaces_;  ///< never removed: apps are few
};

}  // namespace godwit::app
