#include "app/kv_space.h"

namespace godwit::app {
namespace {

constexpr size_t kReclaimedPerWrite = 16;  ///< more than a write adds: what has expired does not pile up

}  // namespace

size_t KvSpace::cost(std::string_view key, const host::Value& value) {
  return KvLimits::kEntryBytes + key.size() + host::bytes_of(value);
}

const host::Value* KvSpace::get(std::string_view key, Timestamp now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const auto expiry = found->second.expiry;
  if (expiry == expiries_.end() || expiry->first > now) return &found->second.value;
  erase(found);
  return nullptr;
}

Timestamp KvSpace::expiry(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.expiry == expiries_.end()) return kNever;
  return found->second.expiry->first;
}

uint64_t KvSpace::version(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? 0 : found->second.version;
}

Status KvSpace::put(std::string_view key, const host::Value& value, Timestamp expires, Timestamp now) {
  reclaim(now, kReclaimedPerWrite);
  if (!fits(key, value)) reclaim(now, entries_.size());
  if (!fits(key, value)) {
    return fail(Code::kStoreFull, "at most " + std::to_string(limits_.entries_max) + " entries (kv.entries_max) and " +
                                      std::to_string(limits_.bytes_max) + " bytes (kv.bytes_max) are kept");
  }
  const auto [at, added] = entries_.try_emplace(std::string(key), Entry{{}, expiries_.end()});
  if (!added) bytes_ -= cost(key, at->second.value);
  bytes_ += cost(key, value);
  at->second.value = value;
  at->second.version = ++last_version_;
  set_expiry(at, expires);
  return {};
}

bool KvSpace::fits(std::string_view key, const host::Value& value) const {
  const auto known = entries_.find(key);
  if (known != entries_.end()) return bytes_ - cost(key, known->second.value) + cost(key, value) <= limits_.bytes_max;
  return entries_.size() < limits_.entries_max && bytes_ + cost(key, value) <= limits_.bytes_max;
}

void KvSpace::set_expiry(Entries::iterator at, Timestamp expires) {
  Expiries::iterator& expiry = at->second.expiry;
  if (expiry != expiries_.end()) expiries_.erase(expiry);
  expiry = expires == kNever ? expiries_.end() : expiries_.emplace(expires, at);
}

bool KvSpace::remove(std::string_view key, Timestamp now) {
  if (!get(key, now)) return false;
  erase(entries_.find(key));
  return true;
}

void KvSpace::erase(Entries::iterator at) {
  bytes_ -= cost(at->first, at->second.value);
  set_expiry(at, kNever);
  entries_.erase(at);
}

void KvSpace::reclaim(Timestamp now, size_t entries_max) {
  for (; entries_max > 0 && !expiries_.empty() && expiries_.begin()->first <= now; --entries_max) {
    erase(expiries_.begin()->second);
  }
}

std::vector<std::string> KvSpace::keys(std::string_view prefix, std::string_view after, size_t limit,
                                       Timestamp now) const {
  std::vector<std::string> keys;
  auto at = after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
  for (; at != entries_.end() && at->first.starts_with(prefix) && keys.size() < limit; ++at) {
    const auto expiry = at->second.expiry;
    if (expiry == expiries_.end() || expiry->first > now) keys.push_back(at->first);
  }
  return keys;
}

}  // namespace godwit::app
