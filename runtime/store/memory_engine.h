#pragma once

#include <mutex>

#include "port/clock.h"
#include "store/engine.h"
#include "store/entry_table.h"

namespace godwit::store {

/// Entries for the life of the process. Its doors answer before their calls return.
class MemoryEngine final : public Engine {
 public:
  /// `clock` is asked from any thread.
  MemoryEngine(const Clock& clock, size_t bytes_max) : clock_(clock), table_(bytes_max) {}

  std::unique_ptr<Store> open_door(Mailbox&) override { return open_door(); }
  std::unique_ptr<Store> open_door();
  Result<std::vector<StoreEntry>> scan_now(std::string prefix, std::string after, size_t limit) override;

 private:
  class Door;
  Result<StoreVerdict> apply(const StoreBatch& batch);

  const Clock& clock_;
  std::mutex mutex_;
  EntryTable table_;
};

}  // namespace godwit::store
