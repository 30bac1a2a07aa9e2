#include "store/memory_engine.h"

#include <algorithm>

#include "store/bounds.h"

namespace godwit::store {

class MemoryEngine::Door final : public Store {
 public:
  explicit Door(MemoryEngine& engine) : engine_(engine) {}

  void get(std::string key, GetDone done) override {
    std::unique_lock lock(engine_.mutex_);
    auto entry = engine_.table_.get(key, engine_.clock_.measure());
    lock.unlock();
    done(std::move(entry));
  }
  void scan(std::string prefix, std::string after, size_t limit, ScanDone done) override {
    done(engine_.scan_now(std::move(prefix), std::move(after), limit));
  }
  void apply(StoreBatch batch, ApplyDone done) override { done(engine_.apply(batch)); }

 private:
  MemoryEngine& engine_;
};

std::unique_ptr<Store> MemoryEngine::open_door() { return std::make_unique<Door>(*this); }

Result<std::vector<StoreEntry>> MemoryEngine::scan_now(std::string prefix, std::string after, size_t limit) {
  const std::lock_guard lock(mutex_);
  return table_.scan(prefix, after, std::min(limit, Store::kScanMax), clock_.measure());
}

Result<StoreVerdict> MemoryEngine::apply(const StoreBatch& batch) {
  Result<StoreVerdict> verdict;
  if (const Status valid = check(batch); !valid) {
    verdict = tl::unexpected(valid.error());
  } else {
    const std::lock_guard lock(mutex_);
    verdict = table_.apply(batch, clock_.measure());
    counters_.bytes = table_.bytes();
  }
  if (!verdict) {
    ++counters_.refused;
  } else {
    ++(verdict->applied ? counters_.batches : counters_.conflicts);
  }
  return verdict;
}

}  // namespace godwit::store
