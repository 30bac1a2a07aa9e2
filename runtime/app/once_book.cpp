#include "app/once_book.h"

#include <algorithm>

namespace godwit::app {

OnceBook::Place OnceBook::join(std::string_view key, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) {
    waiting_.emplace(std::string(key), std::deque{waiter});
    return Place::kFirst;
  }
  if (found->second.size() >= OnceLimits::kWaitersMax) return Place::kTooMany;
  found->second.push_back(waiter);
  return Place::kWaits;
}

void OnceBook::forget(std::string_view key, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  if (const auto found = waiting_.find(key); found != waiting_.end()) std::erase(found->second, waiter);
}

std::optional<OnceBook::Waiter> OnceBook::take_first(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(key);
  if (found == waiting_.end() || found->second.empty()) return std::nullopt;
  const Waiter first = found->second.front();
  found->second.pop_front();
  return first;
}

std::deque<OnceBook::Waiter> OnceBook::take(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return {};
  std::deque<Waiter> waiters = std::move(found->second);
  waiting_.erase(found);
  return waiters;
}

bool OnceBook::drop_if_alone(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(key);
  if (found != waiting_.end() && !found->second.empty()) return false;
  if (found != waiting_.end()) waiting_.erase(found);
  return true;
}

Status OnceBook::keep(std::string_view key, size_t bytes, Timestamp expires, Timestamp now) {
  const std::lock_guard lock(mutex_);
  while (!expiries_.empty() && expiries_.begin()->first <= now) erase(expiries_.begin()->second);
  const size_t cost = OnceLimits::kEntryBytes + key.size() + bytes;
  const auto known = kept_.find(key);
  const size_t others = bytes_ - (known == kept_.end() ? 0 : known->second.bytes);
  if (known == kept_.end() && kept_.size() >= limits_.entries_max) {
    return fail(Code::kStoreFull,
                "at most " + std::to_string(limits_.entries_max) + " (operations.entries_max) are kept");
  }
  if (others + cost > limits_.bytes_max) {
    return fail(Code::kStoreFull,
                "at most " + std::to_string(limits_.bytes_max) + " bytes (operations.bytes_max) are kept");
  }
  if (known != kept_.end()) erase(known);
  const auto at = kept_.emplace(std::string(key), Kept{cost, {}}).first;
  at->second.expiry = expiries_.emplace(expires, at);
  bytes_ += cost;
  return {};
}

void OnceBook::release(std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(key); found != kept_.end()) erase(found);
}

bool OnceBook::knows(std::string_view key, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  return found != kept_.end() && found->second.expiry->first > now;
}

void OnceBook::erase(Keys::iterator at) {
  bytes_ -= at->second.bytes;
  expiries_.erase(at->second.expiry);
  kept_.erase(at);
}

size_t OnceBook::entries() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

size_t OnceBook::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Status read_once(store::Engine& engine, OnceBook& book, Timestamp now) {
  for (std::string after;;) {
    auto part = engine.scan_now(std::string(kOncePrefix), after, Store::kScanMax);
    if (!part) return tl::unexpected(std::move(part.error()));
    for (const StoreEntry& entry : *part) {
      // Beyond the bounds, which may be smaller than they were: it stays, and nothing new is let in.
      (void)book.keep(entry.key, entry.value.size(), entry.left == Duration::max() ? kNever : now + entry.left, now);
    }
    if (part->size() < Store::kScanMax) return {};
    after = part->back().key;
  }
}

}  // namespace godwit::app
