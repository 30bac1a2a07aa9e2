#include "store/durable_engine.h"

#include <algorithm>
#include <future>
#include <span>

#include "store/bounds.h"

namespace godwit::store {
namespace {

/// Calls that are made and synced together: more would only make the first of them wait.
constexpr size_t kGroupCalls = 4096;
constexpr size_t kGroupBytes = 32 << 20;
/// After which a mailbox that was full is tried again.
constexpr Duration kSendAgain = 2ms;

}  // namespace

class DurableEngine::Door final : public Store {
 public:
  Door(DurableEngine& engine, Mailbox& home) : engine_(engine), answers_(std::make_shared<Answers>(home)) {}
  ~Door() override { answers_->close(); }

  void get(std::string key, GetDone done) override {
    const size_t bytes = key.size();
    engine_.ask({answers_, Get{std::move(key), std::move(done)}, bytes});
  }
  void scan(std::string prefix, std::string after, size_t limit, ScanDone done) override {
    const size_t bytes = prefix.size() + after.size();
    limit = std::min(limit, kScanMax);
    engine_.ask({answers_, Scan{std::move(prefix), std::move(after), limit, std::move(done)}, bytes});
  }
  void apply(StoreBatch batch, ApplyDone done) override {
    const size_t bytes = bytes_of(batch);
    engine_.ask({answers_, Apply{std::move(batch), std::move(done)}, bytes});
  }

 private:
  DurableEngine& engine_;
  std::shared_ptr<Answers> answers_;
};

Result<std::unique_ptr<DurableEngine>> DurableEngine::open(DurableOptions options, const Clock& clock, Log log) {
  auto database = Database::open(options.file, options.bytes_max, clock);
  if (!database) return tl::unexpected(std::move(database.error()));
  return std::unique_ptr<DurableEngine>(new DurableEngine(std::move(options), std::move(*database), clock, log));
}

DurableEngine::DurableEngine(DurableOptions options, std::unique_ptr<Database> database, const Clock& clock, Log log)
    : options_(std::move(options)), clock_(clock), log_(log), database_(std::move(database)), thread_([this] {
        serve();
      }) {}

DurableEngine::~DurableEngine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::unique_ptr<Store> DurableEngine::open_door(Mailbox& home) { return std::make_unique<Door>(*this, home); }

Result<std::vector<StoreEntry>> DurableEngine::scan_now(std::string prefix, std::string after, size_t limit) {
  std::promise<Result<std::vector<StoreEntry>>> answered;
  const auto done = [&answered](Result<std::vector<StoreEntry>> found) { answered.set_value(std::move(found)); };
  const Status asked =
      enqueue({nullptr, Scan{std::move(prefix), std::move(after), std::min(limit, Store::kScanMax), done}});
  if (!asked) return tl::unexpected(asked.error());
  return answered.get_future().get();
}

Status DurableEngine::enqueue(Call call) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.calls_max || waiting_bytes_ + call.bytes > options_.waiting_bytes_max) {
      return fail(Code::kStoreBusy, options_.file.string() + ": the disk does not keep up");
    }
    waiting_bytes_ += call.bytes;
    waiting_.push_back(std::move(call));
    counters_.waiting = waiting_.size();
  }
  changed_.notify_one();
  return {};
}

/// Refusals are answered at once: the queue is there to keep the disk's cost bounded, not to hold them.
void DurableEngine::ask(Call call) {
  const auto* apply = std::get_if<Apply>(&call.what);
  Status status = apply ? check(apply->batch) : Status{};
  const auto refuse = std::visit(
      [](auto& what) -> std::function<void(Error)> {
        return [done = what.done](Error error) { done(tl::unexpected(std::move(error))); };
      },
      call.what);
  if (status) status = enqueue(std::move(call));
  if (status) return;
  ++counters_.refused;
  refuse(std::move(status.error()));
}

void DurableEngine::serve() {
  while (true) {
    Group group = take_group();
    if (!group.empty()) {
      run(group);
      answer(group);
    } else if (unsent_.empty()) {
      const std::lock_guard lock(mutex_);
      if (ending_ && waiting_.empty()) return;
    }
    sweep();
    send_answers();
  }
}

DurableEngine::Group DurableEngine::take_group() {
  std::unique_lock lock(mutex_);
  const Duration pause = unsent_.empty() ? std::max(Duration(0), next_sweep_ - clock_.measure()) : kSendAgain;
  changed_.wait_for(lock, pause, [this] { return ending_ || !waiting_.empty(); });
  if (ending_) unsent_.clear();
  Group group;
  size_t bytes = 0;
  while (!waiting_.empty() && group.size() < kGroupCalls && bytes < kGroupBytes) {
    bytes += waiting_.front().bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  counters_.waiting = waiting_.size();
  return group;
}

/// When something goes wrong in a group each call is made alone, so that one which has no room does not fail the
/// others.
void DurableEngine::run(Group& group) {
  std::vector<Call*> calls;
  for (Call& call : group) calls.push_back(&call);
  if (run_together(calls) || calls.size() == 1) return;
  for (Call*& call : calls) (void)run_together({&call, 1});
}

/// Whatever they found holds only once the group is on disk: else each has the error as its result.
Status DurableEngine::run_together(std::span<Call*> calls) {
  Status status = database_->begin();
  for (size_t i = 0; status && i < calls.size(); ++i) {
    std::visit(
        [&status](auto& what) {
          if (!what.result) status = tl::unexpected(what.result.error());
        },
        (make(*calls[i]), calls[i]->what));
  }
  if (status) status = database_->commit();
  if (status) {
    ++counters_.commits;
    return status;
  }
  database_->roll_back();
  for (Call* call : calls) {
    std::visit([&status](auto& what) { what.result = tl::unexpected(status.error()); }, call->what);
  }
  return status;
}

bool DurableEngine::make(Call& call) {
  if (auto* get = std::get_if<Get>(&call.what)) return (get->result = database_->get(get->key)).has_value();
  if (auto* scan = std::get_if<Scan>(&call.what))
    return (scan->result = database_->scan(scan->prefix, scan->after, scan->limit)).has_value();
  auto& apply = std::get<Apply>(call.what);
  return (apply.result = database_->apply(apply.batch)).has_value();
}

void DurableEngine::count(const Call& call) {
  const auto* apply = std::get_if<Apply>(&call.what);
  if (apply && apply->result) {
    ++(apply->result->applied ? counters_.batches : counters_.conflicts);
    return;
  }
  const auto error = std::visit(
      [](const auto& what) { return what.result ? std::optional<Error>() : std::optional(what.result.error()); },
      call.what);
  if (!error) return;
  const bool refused = error->code == Code::kStoreFull || error->code == Code::kMessageTooLarge;
  ++(refused ? counters_.refused : counters_.failures);
  log_.error("the store could not do what was asked", {{"code", error->code}, {"error", error->text}});
}

void DurableEngine::answer(Group& group) {
  counters_.bytes = database_->bytes();
  for (Call& call : group) {
    count(call);
    auto tell = std::visit(
        [](auto& what) -> std::function<void()> {
          return [done = std::move(what.done), result = std::move(what.result)]() mutable { done(std::move(result)); };
        },
        call.what);
    if (!call.from) {
      tell();
      continue;
    }
    call.from->add(std::move(tell));
    if (std::find(unsent_.begin(), unsent_.end(), call.from) == unsent_.end()) unsent_.push_back(call.from);
  }
}

/// A little at a time, so that what expired together does not hold up the calls.
void DurableEngine::sweep() {
  const Timestamp now = clock_.measure();
  if (now < next_sweep_) return;
  Status status = database_->begin();
  Result<bool> more = status ? database_->sweep() : Result<bool>(tl::unexpected(status.error()));
  status = more ? database_->commit() : Status(tl::unexpected(more.error()));
  next_sweep_ = status && *more ? now : now + options_.sweep_interval;
  if (status) return;
  database_->roll_back();
  ++counters_.failures;
  log_.error("what has expired stays in the store", {{"code", status.error().code}, {"error", status.error().text}});
}

void DurableEngine::send_answers() {
  std::erase_if(unsent_, [](const std::shared_ptr<Answers>& answers) { return answers->send(); });
}

}  // namespace godwit::store
