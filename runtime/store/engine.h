#pragma once

#include <atomic>
#include <memory>

#include "port/mailbox.h"
#include "port/store.h"

namespace godwit::store {

/// What an engine counts; read from any thread.
struct EngineCounters {
  std::atomic<uint64_t> batches{0};    ///< applied
  std::atomic<uint64_t> conflicts{0};  ///< batches that met another version
  std::atomic<uint64_t> commits{0};    ///< groups of batches that reached the disk together
  std::atomic<uint64_t> refused{0};    ///< StoreBusy, StoreFull and too large
  std::atomic<uint64_t> failures{0};   ///< of the disk
  std::atomic<uint64_t> waiting{0};    ///< calls that have not been answered yet
  std::atomic<uint64_t> bytes{0};      ///< that the entries take
};

/// The entries themselves, behind the doors that threads have to them. Outlives its doors.
class Engine {
 public:
  virtual ~Engine() = default;

  /// A store for the thread that `home` belongs to. Destroyed on that thread; what is not answered by then never is.
  /// `home` must stay until then.
  virtual std::unique_ptr<Store> open_door(Mailbox& home) = 0;

  /// For before the threads run: answers before it returns, however long that takes.
  virtual Result<std::vector<StoreEntry>> scan_now(std::string prefix, std::string after, size_t limit) = 0;

  const EngineCounters& counters() const { return counters_; }

 protected:
  EngineCounters counters_;
};

}  // namespace godwit::store
