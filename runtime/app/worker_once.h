#pragma once

#include <map>
#include <memory>
#include <set>
#include <variant>

#include "app/once_book.h"
#include "app/once_record.h"
#include "base/log.h"
#include "base/timer_heap.h"
#include "port/clock.h"
#include "port/store.h"
#include "store/answers.h"

namespace godwit::app {

/// host::Once of one worker. Who first asks for a key sees to it: looks it up in the store, claims it there for one of
/// those who wait, and tells all of them what came of it. Within a process the book says who is about a key; the lease
/// is for what a process that died had begun.
class WorkerOnce final : public host::Once {
 public:
  /// `mailbox`: of the worker; null where there is only one.
  WorkerOnce(OnceBook& book, Store& store, const Clock& clock, TimerHeap& timers, Mailbox* mailbox, Log log);
  ~WorkerOnce() override;

  void begin(std::string_view space, std::string_view key, const host::OnceOptions& options, Done done) override;

 private:
  class Run;
  /// The right to execute, on its way to whom it is for.
  struct Claim {
    std::string key;
    uint64_t version;
    host::OnceOptions options;
  };
  struct Happened {
    host::OnceOutcome outcome;
    uint64_t fingerprint;
  };
  using Word = std::variant<Claim, Happened, Error>;
  struct Wait {
    std::string key;
    host::OnceOptions options;
    Done done;
    Timestamp deadline = kNever;
  };

  void look_up(const std::string& key, const host::OnceOptions& options);
  void decide(const std::string& key, const host::OnceOptions& options, const StoreEntry& entry);
  void wait_for_lease(const std::string& key, const host::OnceOptions& options, Duration left);
  void claim(const std::string& key, const host::OnceOptions& options, uint64_t version);
  void hand_out(Claim claim);
  void record(const Claim& claim, host::OnceOutcome outcome, std::function<void()> done);
  void forget(const Claim& claim);
  void break_off(const Claim& claim);

  void tell_all(const std::string& key, const Word& word);
  void tell(OnceBook::Waiter waiter, Word word);
  void hear(uint64_t id, Word word);
  void wait_until(uint64_t id, Timestamp deadline);
  void arm_by(Timestamp at);
  void on_timer(Timestamp now);
  void send_unsent();

  OnceBook& book_;
  Store& store_;
  const Clock& clock_;
  TimerHeap& timers_;
  Log log_;
  std::shared_ptr<store::Answers> heard_;                ///< from other workers
  std::vector<std::shared_ptr<store::Answers>> unsent_;  ///< to other workers, whose mailbox was full
  uint64_t last_ = 0;
  std::map<uint64_t, Wait> waits_;
  std::set<std::pair<Timestamp, uint64_t>> deadlines_;  ///< of waits
  std::multimap<Timestamp, std::pair<std::string, host::OnceOptions>> leases_;
  Timer timer_;
  std::shared_ptr<WorkerOnce*> self_;  ///< runs and the store's answers hold it weakly
};

}  // namespace godwit::app
