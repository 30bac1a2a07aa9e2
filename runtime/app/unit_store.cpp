#include "app/unit_store.h"

#include "store/bounds.h"

namespace godwit::app {
namespace {

template <typename Value>
void count(store::EngineCounters& counters, const Result<Value>& outcome) {
  --counters.waiting;
  if (!outcome) ++(outcome.error().code == Code::kStoreFailed ? counters.failures : counters.refused);
}

}  // namespace

void UnitStore::get(std::string key, GetDone done) {
  if (!live_) return done(tl::unexpected(not_live()));
  ++counters_.waiting;
  live_->get(std::move(key), [&counters = counters_, done = std::move(done)](Result<std::optional<StoreEntry>> found) {
    count(counters, found);
    done(std::move(found));
  });
}

void UnitStore::scan(std::string prefix, std::string after, size_t limit, ScanDone done) {
  if (!live_) return done(tl::unexpected(not_live()));
  ++counters_.waiting;
  live_->scan(std::move(prefix), std::move(after), limit,
              [&counters = counters_, done = std::move(done)](Result<std::vector<StoreEntry>> found) {
                count(counters, found);
                done(std::move(found));
              });
}

void UnitStore::apply(StoreBatch batch, ApplyDone done) {
  if (!live_) return done(tl::unexpected(not_live()));
  if (const Status valid = store::check(batch); !valid) {
    ++counters_.refused;
    return done(tl::unexpected(valid.error()));
  }
  ++counters_.waiting;
  live_->apply(std::move(batch), [&counters = counters_, done = std::move(done)](Result<StoreVerdict> verdict) {
    count(counters, verdict);
    if (verdict) ++(verdict->applied ? counters.batches : counters.conflicts);
    done(std::move(verdict));
  });
}

Error UnitStore::not_live() const {
  ++counters_.failures;
  return {Code::kStoreFailed, unit_ + " keeps the store, and is not live"};
}

}  // namespace godwit::app
