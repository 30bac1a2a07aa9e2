#include "io/loop.h"

#include <uv.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "io/deadline_timer.h"
#include "io/system_clock.h"
#include "io/task_queue.h"
#include "io/uv_start.h"

namespace godwit::io {
namespace {

// While traffic keeps a busy-polling loop from asking the kernel, everything else (signals, files, HTTP) waits; no
// longer than this.
constexpr Duration kSpinWithoutKernelMax = 1ms;

/// Of the loop inside somebody else's, before that goes on.
constexpr int kRunsAtOnceMax = 16;

}  // namespace

TurnHook::TurnHook(Loop& loop, std::function<void()> work) : loop_(loop), work_(std::move(work)) {
  loop_.add_hook(*this);
}

TurnHook::~TurnHook() { loop_.remove_hook(*this); }

void Loop::CloseLoop::operator()(uv_loop_s* loop) const {
  uv_run(loop, UV_RUN_NOWAIT);         // the close callbacks
  GW_CHECK(uv_loop_close(loop) == 0);  // fails when something made with this loop is still there
  delete loop;
}

Loop::Loop(LoopOptions options, WorkerMetrics& metrics)
    : metrics_(metrics),
      busy_poll_(options.busy_poll),
      tasks_(std::make_unique<TaskQueue>(options.mailbox_tasks_max)),
      now_(monotonic_now()) {}

Loop::~Loop() {
  GW_CHECK(hooks_.empty());
  GW_CHECK(pollables_.empty());
}

Result<std::unique_ptr<Loop>> Loop::create(LoopOptions options, WorkerMetrics& metrics) {
  std::unique_ptr<Loop> loop(new Loop(options, metrics));
  if (Status opened = loop->open(); !opened) return tl::unexpected(opened.error());
  return loop;
}

Status Loop::open() {
  auto timer = DeadlineTimer::create();
  if (!timer) return tl::unexpected(timer.error());
  wake_timer_ = std::make_unique<DeadlineTimer>(std::move(*timer));

  auto fresh = std::make_unique<uv_loop_t>();
  if (const int error = uv_loop_init(fresh.get()); error < 0) return os_error("event loop", error);
  uv_.reset(fresh.release());
  return open_handles().map([this] { start_handles(); });
}

Status Loop::open_handles() {
  const auto on_wake = [](uv_async_t* async) { owner_of<Loop>(async).on_wake(); };
  return make_uv_handle(prepare_, this, [&](auto* h) { return uv_prepare_init(raw(), h); })
      .and_then([&] { return make_uv_handle(check_, this, [&](auto* h) { return uv_check_init(raw(), h); }); })
      .and_then([&] { return make_uv_handle(do_not_sleep_, this, [&](auto* h) { return uv_idle_init(raw(), h); }); })
      .and_then([&] { return make_uv_handle(wake_, this, [&](auto* h) { return uv_async_init(raw(), h, on_wake); }); })
      .and_then([&] {
        return make_uv_handle(deadline_, this, [&](auto* h) { return uv_poll_init(raw(), h, wake_timer_->fd()); });
      });
}

void Loop::start_handles() {
  uv_prepare_start(prepare_.get(), [](uv_prepare_t* handle) { owner_of<Loop>(handle).on_prepare(); });
  uv_check_start(check_.get(), [](uv_check_t* handle) { owner_of<Loop>(handle).on_check(); });
  uv_poll_start(deadline_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    Loop& loop = owner_of<Loop>(handle);
    loop.begin_turn();  // the timers themselves fire at its end
    loop.wake_timer_->expired();
  });
}

void Loop::run() {
  begin_turn();  // for what was armed and made dirty before
  uv_run(raw(), UV_RUN_DEFAULT);
  begin_turn();
  end_turn();
  stop_wanted_.store(false, std::memory_order_relaxed);
}

int Loop::descriptor() const { return uv_backend_fd(uv_.get()); }

// A run tells the kernel, before it asks, of what earlier ones have armed: so the last one must be one that did
// nothing.
void Loop::run_due() {
  begin_turn();  // for what was armed and made dirty between calls
  for (int runs = 0; runs < kRunsAtOnceMax; ++runs) {
    const bool began = std::exchange(begun_, false);
    uv_run(raw(), UV_RUN_NOWAIT);
    if (!began && !begun_ && uv_backend_timeout(raw()) != 0) break;
    if (runs + 1 == kRunsAtOnceMax) wake();  // the others of this thread have their turn first
  }
  stop_wanted_.store(false, std::memory_order_relaxed);
}

void Loop::stop() {
  stop_wanted_.store(true, std::memory_order_release);
  wake();
}

bool Loop::post(std::function<void()> work) {
  if (!tasks_->push(std::move(work))) return false;
  wake();
  return true;
}

void Loop::wake() {
  woken_.store(true, std::memory_order_release);
  uv_async_send(wake_.get());
}

uint64_t Loop::posts_refused() const { return tasks_->refused(); }

Timestamp Loop::now() const { return in_turn_ ? now_ : monotonic_now(); }

Timestamp Loop::measure() const { return monotonic_now(); }

int64_t Loop::unix_us() const { return wall_clock_us(); }

void Loop::refresh() { now_ = monotonic_now(); }

void Loop::begin_turn() {
  if (in_turn_) return;
  in_turn_ = true;
  begun_ = true;
  refresh();
  turn_began_ = now_;
  metrics_.loop_iterations.add();
}

void Loop::end_turn() {
  refresh();
  timers_.run(now_);
  run_hooks();
  refresh();
  const Duration busy = now_ - turn_began_;
  metrics_.loop_lag_seconds.record(busy);  // so long could something that became ready meanwhile have waited
  metrics_.loop_busy_ns.add(static_cast<uint64_t>(busy.count()));
  in_turn_ = false;
}

void Loop::run_hooks() {
  in_hooks_ = true;
  for (size_t i = 0; i < hooks_.size(); ++i) {
    if (TurnHook* hook = hooks_[i]) hook->work_();
  }
  in_hooks_ = false;
  std::erase(hooks_, nullptr);
}

void Loop::add_hook(TurnHook& hook) { hooks_.push_back(&hook); }

void Loop::remove_hook(TurnHook& hook) {
  if (in_hooks_)
    std::replace(hooks_.begin(), hooks_.end(), &hook, static_cast<TurnHook*>(nullptr));
  else
    std::erase(hooks_, &hook);
}

void Loop::on_prepare() {
  if (in_turn_) end_turn();
  if (busy_poll_.enabled) spin();
  wake_timer_->arm(timers_.next());
}

void Loop::on_check() {
  uv_idle_stop(do_not_sleep_.get());
  if (in_turn_) end_turn();
}

void Loop::on_wake() {
  begin_turn();
  woken_.store(false, std::memory_order_relaxed);
  if (tasks_->run_waiting()) wake();
  if (stop_wanted_.load(std::memory_order_acquire)) uv_stop(raw());
}

void Loop::spin() {
  Timestamp now = monotonic_now();
  if (now - last_traffic_ > busy_poll_.after_traffic) return;
  const Timestamp ask_kernel_at = now + kSpinWithoutKernelMax;
  Timestamp sleep_at = now + busy_poll_.spin;
  while (now < sleep_at && !woken_.load(std::memory_order_relaxed)) {
    const bool traffic = poll_sockets();
    if (!traffic && now >= timers_.next()) begin_turn();
    if (in_turn_) end_turn();
    now = monotonic_now();
    if (traffic) sleep_at = now + busy_poll_.spin;
    if (now < ask_kernel_at) continue;
    uv_idle_start(do_not_sleep_.get(), [](uv_idle_t*) {});
    return;
  }
}

bool Loop::poll_sockets() {
  bool any = false;
  for (BusyPollable* socket : pollables_) any |= socket->poll_now();
  return any;
}

}  // namespace godwit::io
