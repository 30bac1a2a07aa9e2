#pragma once

#include <condition_variable>
#include <deque>
#include <span>
#include <thread>
#include <variant>

#include "base/log.h"
#include "store/answers.h"
#include "store/database.h"
#include "store/engine.h"

namespace godwit::store {

struct DurableOptions {
  std::filesystem::path file;
  size_t bytes_max = 256 << 20;  ///< of the file; its log comes on top, some 16 MiB
  size_t calls_max = 100'000;    ///< that wait; further ones hear StoreBusy
  size_t waiting_bytes_max = 64 << 20;
  Duration sweep_interval = 10s;  ///< how often an idle store removes what has expired
};

/// Entries in a file. A thread of its own takes all calls that wait, makes them in one transaction, and syncs once for
/// all of them: many small writes cost what one does, and no loop waits for a disk. The calls are made in the order in
/// which they came, reads among them. What still waits at its end is written before.
class DurableEngine final : public Engine {
 public:
  /// `clock` is asked from any thread.
  static Result<std::unique_ptr<DurableEngine>> open(DurableOptions options, const Clock& clock, Log log);
  ~DurableEngine() override;

  std::unique_ptr<Store> open_door(Mailbox& home) override;
  Result<std::vector<StoreEntry>> scan_now(std::string prefix, std::string after, size_t limit) override;

 private:
  class Door;
  struct Get {
    std::string key;
    Store::GetDone done;
    Result<std::optional<StoreEntry>> result{};
  };
  struct Scan {
    std::string prefix;
    std::string after;
    size_t limit;
    Store::ScanDone done;
    Result<std::vector<StoreEntry>> result{};
  };
  struct Apply {
    StoreBatch batch;
    Store::ApplyDone done;
    Result<StoreVerdict> result{};
  };
  struct Call {
    std::shared_ptr<Answers> from;
    std::variant<Get, Scan, Apply> what;
    size_t bytes = 0;
  };
  using Group = std::deque<Call>;

  DurableEngine(DurableOptions options, std::unique_ptr<Database> database, const Clock& clock, Log log);

  Status enqueue(Call call);
  void ask(Call call);
  void serve();
  Group take_group();
  void run(Group& group);
  Status run_together(std::span<Call*> calls);
  bool make(Call& call);
  void answer(Group& group);
  void send_answers();
  void sweep();
  void count(const Call& call);

  const DurableOptions options_;
  const Clock& clock_;
  Log log_;
  std::unique_ptr<Database> database_;  ///< the thread's
  std::mutex mutex_;
  std::condition_variable changed_;
  Group waiting_;
  size_t waiting_bytes_ = 0;
  bool ending_ = false;
  std::vector<std::shared_ptr<Answers>> unsent_;  ///< the thread's
  Timestamp next_sweep_{};                        ///< the thread's
  std::thread thread_;
};

}  // namespace godwit::store
