#include "app/kv_store.h"

#include <algorithm>

namespace godwit::app {
namespace {

Status check(std::string_view key, const host::Value* value) {
  if (key.empty() || key.size() > host::KvStore::kKeyBytesMax) {
    return fail(Code::kMessageTooLarge, "a key has 1 to 512 bytes");
  }
  if (value && host::bytes_of(*value) > host::KvStore::kValueBytesMax) {
    return fail(Code::kMessageTooLarge, "a value has at most 1 MiB");
  }
  return {};
}

}  // namespace

MemoryKvStore::Locked& MemoryKvStore::locked(std::string_view space) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = spaces_.find(space); found != spaces_.end()) return *found->second;
  }
  const std::unique_lock lock(mutex_);
  std::unique_ptr<Locked>& made = spaces_.try_emplace(std::string(space)).first->second;
  if (!made) made = std::make_unique<Locked>(limits_);
  return *made;
}

Timestamp MemoryKvStore::expiry_after(Duration ttl, Timestamp now) const {
  return ttl > Duration::zero() && ttl < kNever - now ? now + ttl : kNever;
}

std::optional<host::Value> MemoryKvStore::get(std::string_view space, std::string_view key) {
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const host::Value* value = at.space.get(key, clock_.measure());
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<host::KvStore::Versioned> MemoryKvStore::get_versioned(std::string_view space, std::string_view key) {
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const host::Value* value = at.space.get(key, clock_.measure());
  return value ? std::optional(Versioned{*value, at.space.version(key)}) : std::nullopt;
}

Result<bool> MemoryKvStore::put_versioned(std::string_view space, std::string_view key, uint64_t version,
                                          const host::Value& value, Duration ttl) {
  if (const Status valid = check(key, &value); !valid) return tl::unexpected(valid.error());
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const Timestamp now = clock_.measure();
  const uint64_t known = at.space.get(key, now) ? at.space.version(key) : 0;
  if (known != version) return false;
  if (const Status put = at.space.put(key, value, expiry_after(ttl, now), now); !put)
    return tl::unexpected(put.error());
  return true;
}

Status MemoryKvStore::set(std::string_view space, std::string_view key, const host::Value& value, Duration ttl) {
  if (Status valid = check(key, &value); !valid) return valid;
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const Timestamp now = clock_.measure();
  return at.space.put(key, value, expiry_after(ttl, now), now);
}

Result<bool> MemoryKvStore::add(std::string_view space, std::string_view key, const host::Value& value, Duration ttl) {
  return compare_and_set(space, key, std::nullopt, value, ttl);
}

Result<double> MemoryKvStore::increment(std::string_view space, std::string_view key, double by, double initial,
                                        Duration ttl) {
  if (const Status valid = check(key, nullptr); !valid) return tl::unexpected(valid.error());
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const Timestamp now = clock_.measure();
  double sum = initial + by;
  Timestamp expires = expiry_after(ttl, now);
  if (const host::Value* known = at.space.get(key, now)) {
    const auto* number = std::get_if<double>(known);
    if (!number) return fail(Code::kValueWrong, "only numbers can be incremented");
    sum = *number + by;
    expires = at.space.expiry(key);
  }
  if (const Status put = at.space.put(key, sum, expires, now); !put) return tl::unexpected(put.error());
  return sum;
}

Result<bool> MemoryKvStore::compare_and_set(std::string_view space, std::string_view key,
                                            const std::optional<host::Value>& expected,
                                            const std::optional<host::Value>& value, Duration ttl) {
  if (const Status valid = check(key, value ? &*value : nullptr); !valid) return tl::unexpected(valid.error());
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const Timestamp now = clock_.measure();
  const host::Value* known = at.space.get(key, now);
  if (known ? expected != *known : expected.has_value()) return false;
  if (!value) {
    at.space.remove(key, now);
  } else if (const Status put = at.space.put(key, *value, expiry_after(ttl, now), now); !put) {
    return tl::unexpected(put.error());
  }
  return true;
}

bool MemoryKvStore::remove(std::string_view space, std::string_view key) {
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  return at.space.remove(key, clock_.measure());
}

std::optional<Duration> MemoryKvStore::ttl(std::string_view space, std::string_view key) {
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  const Timestamp now = clock_.measure();
  if (!at.space.get(key, now)) return std::nullopt;
  const Timestamp expires = at.space.expiry(key);
  return expires == kNever ? Duration::max() : expires - now;
}

std::vector<std::string> MemoryKvStore::keys(std::string_view space, std::string_view prefix, std::string_view after,
                                             size_t limit) {
  Locked& at = locked(space);
  const std::lock_guard lock(at.mutex);
  return at.space.keys(prefix, after, std::min(limit, kKeysMax), clock_.measure());
}

}  // namespace godwit::app
