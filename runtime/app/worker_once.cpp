#include "app/worker_once.h"

#include <algorithm>

namespace godwit::app {
namespace {

constexpr Duration kSendAgain = 2ms;  ///< after which a mailbox that was full is tried again

host::OnceOutcome unknown(std::string text) { return {Code::kOperationUnknown, std::move(text), {}, {}}; }

}  // namespace

class WorkerOnce::Run final : public host::OnceRun {
 public:
  Run(std::weak_ptr<WorkerOnce*> at, Claim claim) : at_(std::move(at)), claim_(std::move(claim)) {}
  ~Run() override {
    const auto at = finished_ ? nullptr : at_.lock();
    if (!at) return;
    if (entered_)
      (*at)->break_off(claim_);
    else
      (*at)->forget(claim_);
  }
  void enter() override { entered_ = true; }
  void finish(host::OnceOutcome outcome, std::function<void()> done) override {
    finished_ = true;
    if (const auto at = at_.lock()) (*at)->record(claim_, std::move(outcome), std::move(done));
  }

 private:
  const std::weak_ptr<WorkerOnce*> at_;
  const Claim claim_;
  bool entered_ = false;
  bool finished_ = false;
};

WorkerOnce::WorkerOnce(OnceBook& book, Store& store, const Clock& clock, TimerHeap& timers, Mailbox* mailbox, Log log)
    : book_(book),
      store_(store),
      clock_(clock),
      timers_(timers),
      log_(log),
      heard_(mailbox ? std::make_shared<store::Answers>(*mailbox) : nullptr),
      timer_([this](Timestamp now) { on_timer(now); }),
      self_(std::make_shared<WorkerOnce*>(this)) {}

WorkerOnce::~WorkerOnce() {
  if (heard_) heard_->close();
}

void WorkerOnce::begin(std::string_view space, std::string_view key, const host::OnceOptions& options, Done done) {
  if (key.empty() || key.size() > kKeyBytesMax) {
    return done(fail(Code::kMessageTooLarge, "an idempotency key has 1 to 512 bytes"));
  }
  const uint64_t id = ++last_;
  Wait& wait = waits_[id];
  wait = {std::string(kOncePrefix).append(space).append("/").append(key), options, std::move(done)};
  host::OnceOptions& wanted = wait.options;
  if (wanted.ttl <= Duration::zero()) wanted.ttl = book_.limits().ttl;
  if (wanted.lease <= Duration::zero()) wanted.lease = book_.limits().lease;
  const std::string full = wait.key;
  switch (book_.join(full, {this, id})) {
    case OnceBook::Place::kFirst: break;
    case OnceBook::Place::kWaits: return wait_until(id, clock_.now() + wanted.wait);
    case OnceBook::Place::kTooMany: return hear(id, Error{Code::kOperationExecuting, "and 10,000 wait for it"});
  }
  // What is new needs no look at the store before it is written there.
  const host::OnceOptions settled = wanted;
  if (book_.knows(full, clock_.now())) return look_up(full, settled);
  claim(full, settled, 0);
}

void WorkerOnce::look_up(const std::string& key, const host::OnceOptions& options) {
  store_.get(key, [at = std::weak_ptr(self_), key, options](const Result<std::optional<StoreEntry>>& found) {
    const auto self = at.lock();
    if (!self) return;
    if (!found) return (*self)->tell_all(key, found.error());
    if (!*found) return (*self)->claim(key, options, 0);
    (*self)->decide(key, options, **found);
  });
}

void WorkerOnce::decide(const std::string& key, const host::OnceOptions& options, const StoreEntry& entry) {
  auto record = OnceRecord::decode(entry.value);
  if (!record) return tell_all(key, Error{Code::kStoreDamaged, "the entry '" + key + "' is no record of an operation"});
  if (record->outcome) return tell_all(key, Happened{std::move(*record->outcome), record->fingerprint});
  if (entry.left > record->kept_after_lease) {
    return wait_for_lease(key, options, entry.left - record->kept_after_lease);
  }
  if (options.broken_off == host::OnceOptions::BrokenOff::kAgain) return claim(key, options, entry.version);
  log_.warn("an operation broke off, and what it did is unknown", {{"key", key}});
  WorkerOnce::record({key, entry.version, options}, unknown("its execution ended without an outcome"), [] {});
}

/// A process that died, or another one, is about it.
void WorkerOnce::wait_for_lease(const std::string& key, const host::OnceOptions& options, Duration left) {
  const Timestamp now = clock_.now();
  leases_.emplace(now + left, std::pair(key, options));
  arm_by(now + left);
  for (const auto& [id, wait] : waits_) {
    if (wait.key == key && wait.deadline == kNever) wait_until(id, now + wait.options.wait);
  }
}

void WorkerOnce::claim(const std::string& key, const host::OnceOptions& options, uint64_t version) {
  const Duration kept = options.lease + options.ttl;
  const Timestamp now = clock_.now();
  if (const Status room = book_.keep(key, 0, now + kept, now); !room) return tell_all(key, room.error());
  const OnceRecord record{.fingerprint = options.fingerprint, .kept_after_lease = options.ttl};
  StoreBatch batch{{StoreStep::What::kPut, key, record.encode(), kept, version}};
  store_.apply(std::move(batch), [at = std::weak_ptr(self_), key, options](const Result<StoreVerdict>& done) {
    const auto self = at.lock();
    if (!self) return;
    if (!done) return (*self)->tell_all(key, done.error());
    if (!done->applied) {  // another process was faster
      (*self)->book_.release(key);
      return (*self)->look_up(key, options);
    }
    (*self)->hand_out({key, done->versions.front(), options});
  });
}

void WorkerOnce::hand_out(Claim claim) {
  const auto first = book_.take_first(claim.key);
  if (!first) return forget(claim);
  tell(*first, std::move(claim));
}

/// Whoever executed it has the true outcome, whether it could be kept or not.
void WorkerOnce::record(const Claim& claim, host::OnceOutcome outcome, std::function<void()> done) {
  const auto told = std::make_shared<Happened>(Happened{std::move(outcome), claim.options.fingerprint});
  OnceRecord record{.fingerprint = claim.options.fingerprint, .outcome = told->outcome};
  std::string value = record.encode();
  const Timestamp now = clock_.now();
  if (!book_.keep(claim.key, value.size(), now + claim.options.ttl, now) || value.size() > Store::kValueBytesMax) {
    record.outcome = unknown("it was executed, and there was no room to keep its outcome (operations.bytes_max)");
    value = record.encode();
  }
  StoreBatch batch{{StoreStep::What::kPut, claim.key, std::move(value), claim.options.ttl, claim.version}};
  const auto kept = [at = std::weak_ptr(self_), key = claim.key, told, done](const Result<StoreVerdict>& written) {
    const auto self = at.lock();
    if (!self) return;
    if (!written || !written->applied) {
      (*self)->log_.error("an outcome could not be kept",
                          {{"key", key}, {"error", written ? "its lease was over" : written.error().text}});
    }
    (*self)->tell_all(key, *told);
    done();
  };
  store_.apply(std::move(batch), kept);
}

/// As if nobody had asked; who waits asks anew.
void WorkerOnce::forget(const Claim& claim) {
  book_.release(claim.key);
  StoreBatch batch{{StoreStep::What::kRemove, claim.key, {}, {}, claim.version}};
  store_.apply(std::move(batch),
               [at = std::weak_ptr(self_), key = claim.key, options = claim.options](const Result<StoreVerdict>& done) {
                 const auto self = at.lock();
                 if (!self) return;
                 if (!done) return (*self)->tell_all(key, done.error());
                 if (!(*self)->book_.drop_if_alone(key)) (*self)->look_up(key, options);
               });
}

void WorkerOnce::break_off(const Claim& claim) {
  if (claim.options.broken_off == host::OnceOptions::BrokenOff::kAgain) return forget(claim);
  record(claim, unknown("its execution broke off"), [] {});
}

void WorkerOnce::tell_all(const std::string& key, const Word& word) {
  for (const OnceBook::Waiter waiter : book_.take(key)) tell(waiter, word);
}

void WorkerOnce::tell(OnceBook::Waiter waiter, Word word) {
  if (waiter.at == this) return hear(waiter.id, std::move(word));
  const std::shared_ptr<store::Answers>& to = waiter.at->heard_;
  to->add([at = waiter.at, id = waiter.id, word = std::move(word)] { at->hear(id, word); });
  if (to->send()) return;
  unsent_.push_back(to);
  arm_by(clock_.now() + kSendAgain);
}

/// A right to execute that nobody takes goes to the next who waits, by the run's destructor.
void WorkerOnce::hear(uint64_t id, Word word) {
  std::shared_ptr<Run> run;
  if (auto* claim = std::get_if<Claim>(&word)) run = std::make_shared<Run>(self_, *claim);
  const auto found = waits_.find(id);
  if (found == waits_.end()) return;
  const Wait wait = std::move(found->second);
  waits_.erase(found);
  deadlines_.erase({wait.deadline, id});
  if (const auto* error = std::get_if<Error>(&word)) return wait.done(tl::unexpected(*error));
  auto* happened = std::get_if<Happened>(&word);
  const uint64_t fingerprint = run ? std::get<Claim>(word).options.fingerprint : happened->fingerprint;
  if (wait.options.fingerprint != 0 && wait.options.fingerprint != fingerprint) {
    return wait.done(fail(Code::kOperationMismatch, "the key belongs to another message"));
  }
  wait.done(Begun{std::move(run), happened ? std::move(happened->outcome) : host::OnceOutcome{}});
}

void WorkerOnce::wait_until(uint64_t id, Timestamp deadline) {
  waits_[id].deadline = deadline;
  deadlines_.emplace(deadline, id);
  arm_by(deadline);
}

void WorkerOnce::arm_by(Timestamp at) {
  if (!timer_.armed() || timer_.deadline() > at) timers_.arm(timer_, at);
}

void WorkerOnce::on_timer(Timestamp now) {
  send_unsent();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const uint64_t id = deadlines_.begin()->second;
    book_.forget(waits_.at(id).key, {this, id});
    hear(id, Error{Code::kOperationExecuting, "it is being executed"});
  }
  while (!leases_.empty() && leases_.begin()->first <= now) {
    const auto [key, options] = std::move(leases_.begin()->second);
    leases_.erase(leases_.begin());
    if (!book_.drop_if_alone(key)) look_up(key, options);
  }
  Timestamp next = unsent_.empty() ? kNever : now + kSendAgain;
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!leases_.empty()) next = std::min(next, leases_.begin()->first);
  timers_.arm(timer_, next);
}

void WorkerOnce::send_unsent() {
  std::erase_if(unsent_, [](const std::shared_ptr<store::Answers>& to) { return to->send(); });
}

}  // namespace godwit::app
