#include "store/entry_table.h"

namespace godwit::store {
namespace {

constexpr size_t kReclaimedPerBatch = 64;  ///< more than most batches add: what has expired does not pile up

Timestamp expiry_after(Duration ttl, Timestamp now) {
  return ttl > Duration::zero() && ttl < kNever - now ? now + ttl : kNever;
}

}  // namespace

bool EntryTable::lives(const Entry& entry, Timestamp now) const {
  return entry.expiry == expiries_.end() || entry.expiry->first > now;
}

std::optional<StoreEntry> EntryTable::get(std::string_view key, Timestamp now) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !lives(found->second, now)) return std::nullopt;
  const Entry& entry = found->second;
  const Duration left = entry.expiry == expiries_.end() ? Duration::max() : entry.expiry->first - now;
  return StoreEntry{found->first, entry.value, entry.version, left};
}

std::vector<StoreEntry> EntryTable::scan(std::string_view prefix, std::string_view after, size_t limit,
                                         Timestamp now) const {
  std::vector<StoreEntry> entries;
  auto at = after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
  for (; at != entries_.end() && at->first.starts_with(prefix) && entries.size() < limit; ++at) {
    if (auto entry = get(at->first, now)) entries.push_back(std::move(*entry));
  }
  return entries;
}

uint64_t EntryTable::version_of(std::string_view key, Timestamp now) const {
  const auto found = entries_.find(key);
  return found == entries_.end() || !lives(found->second, now) ? 0 : found->second.version;
}

Result<StoreVerdict> EntryTable::apply(const StoreBatch& batch, Timestamp now) {
  reclaim(now, kReclaimedPerBatch);
  StoreVerdict verdict;
  std::vector<Before> before;
  for (size_t i = 0; i < batch.size(); ++i) {
    const StoreStep& step = batch[i];
    if (step.version && version_of(step.key, now) != *step.version) {
      restore(before);
      return StoreVerdict{.failed_step = i};
    }
    remember(step.key, before);
    if (const Status done = run(step, now); !done) {
      restore(before);
      return tl::unexpected(done.error());
    }
    verdict.versions.push_back(version_of(step.key, now));
  }
  verdict.applied = true;
  return verdict;
}

void EntryTable::remember(std::string_view key, std::vector<Before>& before) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return before.push_back({std::string(key), std::nullopt});
  const Entry& entry = found->second;
  before.push_back(
      {std::string(key), entry.value, entry.version, entry.expiry == expiries_.end() ? kNever : entry.expiry->first});
}

Status EntryTable::run(const StoreStep& step, Timestamp now) {
  if (step.what == StoreStep::What::kExpect) return {};
  const auto found = entries_.find(step.key);
  if (step.what == StoreStep::What::kRemove) {
    if (found != entries_.end()) erase(found);
    return {};
  }
  std::string value = step.value;
  if (step.what == StoreStep::What::kAppend && found != entries_.end() && lives(found->second, now)) {
    value.insert(0, found->second.value);
    if (value.size() > Store::kValueBytesMax) return fail(Code::kMessageTooLarge, "the value would grow beyond 16 MiB");
  }
  write(step.key, std::move(value), ++last_version_, expiry_after(step.ttl, now));
  if (bytes_ > bytes_max_) reclaim(now, entries_.size());
  if (bytes_ <= bytes_max_) return {};
  return fail(Code::kStoreFull, "at most " + std::to_string(bytes_max_) + " bytes (store.bytes_max) are kept");
}

void EntryTable::write(std::string_view key, std::string value, uint64_t version, Timestamp expires) {
  const auto [at, added] = entries_.try_emplace(std::string(key), Entry{{}, 0, expiries_.end()});
  Entry& entry = at->second;
  if (added) bytes_ += kEntryBytes + key.size();
  bytes_ += value.size();
  bytes_ -= entry.value.size();
  entry.value = std::move(value);
  entry.version = version;
  if (entry.expiry != expiries_.end()) expiries_.erase(entry.expiry);
  entry.expiry = expires == kNever ? expiries_.end() : expiries_.emplace(expires, at);
}

void EntryTable::erase(Entries::iterator at) {
  bytes_ -= kEntryBytes + at->first.size() + at->second.value.size();
  if (at->second.expiry != expiries_.end()) expiries_.erase(at->second.expiry);
  entries_.erase(at);
}

void EntryTable::restore(std::vector<Before>& before) {
  for (; !before.empty(); before.pop_back()) {
    Before& was = before.back();
    if (was.value) {
      write(was.key, std::move(*was.value), was.version, was.expires);
    } else if (const auto at = entries_.find(was.key); at != entries_.end()) {
      erase(at);
    }
  }
}

void EntryTable::reclaim(Timestamp now, size_t entries_max) {
  for (; entries_max > 0 && !expiries_.empty() && expiries_.begin()->first <= now; --entries_max) {
    erase(expiries_.begin()->second);
  }
}

}  // namespace godwit::store
