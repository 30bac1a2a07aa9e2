#include "client/client_front.h"

#include <algorithm>

#include "base/check.h"

namespace godwit::client {

namespace {

ClientOptions bounded(ClientOptions options) {
  for (std::chrono::nanoseconds* time : {&options.connect_timeout, &options.request_timeout, &options.linger})
    *time = std::min(*time, kLongest);
  return options;
}

}  // namespace

Front::Front(ClientOptions options)
    : pending_max_(options.pending_max),
      connect_timeout_(std::min(options.connect_timeout, kLongest)),
      request_timeout_(std::min(options.request_timeout, kLongest)),
      own_thread_(options.own_thread),
      caller_(bounded(std::move(options)), pending_) {
  if (Status opened = caller_.open(); !opened) {
    broken_ = std::move(opened.error());
    return;
  }
  if (own_thread_) {
    thread_ = std::thread([this] {
      caller_.begin();
      caller_.run();
    });
  } else {
    caller_.run_due();  // nothing is due: the descriptor learns what to wait for
    GW_CHECK(caller_.loop().loop().post([this] { caller_.begin(); }));
  }
}

Front::~Front() {
  if (broken_) return;
  // A callback destroys its own client.
  GW_CHECK(thread_.get_id() != std::this_thread::get_id() && !processing_);
  close();
  own_thread_ ? thread_.join() : caller_.run();
}

int Front::descriptor() { return broken_ || own_thread_ ? -1 : caller_.descriptor(); }

void Front::process() {
  if (broken_ || own_thread_) return;
  GW_CHECK(!std::exchange(processing_, true));  // from a callback
  caller_.run_due();
  processing_ = false;
}

CallId Front::submit(Call call) {
  CallId id = 0;
  if (const auto refusal = admit(call, id)) call.on_reply(to_reply(*refusal));
  return id;
}

// Takes the call, or leaves it alone and says why. The thread is woken once for all that it has not yet taken.
std::optional<Error> Front::admit(Call& call, CallId& id) {
  if (broken_) return broken_;
  const Duration standard = call.kind == Call::Kind::kConnect ? connect_timeout_ : request_timeout_;
  const Duration timeout =
      std::min(call.options.timeout > Duration::zero() ? call.options.timeout : standard, kLongest);
  call.deadline = caller_.loop().loop().measure() + timeout;
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{Code::kCancelled, "the client was closed"};
  if (pending_.load(std::memory_order_relaxed) >= pending_max_)
    return Error{Code::kQueueFull, "too many calls are without a result"};
  pending_.fetch_add(1, std::memory_order_relaxed);
  id = call.id = ++last_call_;
  submitted_.push_back(std::move(call));
  wake();
  return std::nullopt;
}

/// With the first thing that is there for the thread.
void Front::wake() {
  if (submitted_.size() + withdrawn_.size() == 1) GW_CHECK(caller_.loop().loop().post([this] { hand_over(); }));
}

void Front::cancel(CallId call) {
  const std::lock_guard lock(mutex_);
  if (broken_ || closed_ || call == 0 || withdrawn_.size() >= pending_max_) return;
  withdrawn_.push_back(call);
  wake();
}

void Front::hand_over() {
  std::vector<Call> calls;
  std::vector<CallId> withdrawn;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(submitted_);
    withdrawn.swap(withdrawn_);
  }
  caller_.take(std::move(calls));
  for (const CallId call : withdrawn) caller_.withdraw(call);
}

// Many hurry as one: the mailbox has room for the tasks that must not be refused.
void Front::hurry() {
  const std::lock_guard lock(mutex_);
  if (broken_ || closed_ || hurrying_.exchange(true, std::memory_order_relaxed)) return;
  GW_CHECK(caller_.loop().loop().post([this] {
    hurrying_.store(false, std::memory_order_relaxed);
    caller_.hurry();
  }));
}

void Front::close(StopReason reason) {
  const std::lock_guard lock(mutex_);
  if (broken_ || std::exchange(closed_, true)) return;
  // Tasks of several threads come in no sure order: what was submitted before this goes first in any case.
  GW_CHECK(caller_.loop().loop().post([this, reason] {
    hand_over();
    caller_.wind_up(reason);
  }));
}

}  // namespace godwit::client
