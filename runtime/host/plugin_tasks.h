#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "base/timer_heap.h"
#include "host/handler.h"
#include "host/heard_reply.h"
#include "host/plugin_library.h"
#include "host/running_plugin.h"
#include "host/services.h"
#include "port/clock.h"
#include "port/mailbox.h"
#include "port/work_pool.h"

namespace godwit::host {

/// What an instance has begun and not heard of yet: timers, posts, work in the pool. Whatever comes back waits in a
/// queue until the worker runs it, so that the plugin is only ever entered from one place. The worker's thread, but for
/// `post`.
class PluginTasks {
 public:
  static constexpr size_t kTimersMax = 1024;
  static constexpr size_t kPostsMax = 4096;
  static constexpr size_t kWorksMax = 1024;
  static constexpr size_t kRepliesMax = 10'000;

  using Function = void (*)(void* self, void* argument);

  struct World {
    const Clock& clock;
    TimerHeap& timers;
    Mailbox* mailbox = nullptr;  ///< wakes the worker; null: nobody posts
    WorkPool* pool = nullptr;
  };

  /// What runs in the pool keeps `library`, and is reported under `label` should it crash.
  PluginTasks(World world, std::shared_ptr<const PluginLibrary> library, std::shared_ptr<const PluginLabel> label);
  ~PluginTasks();

  /// From any thread. False: too many wait.
  bool post(Function run, void* argument);
  bool work(void (*work)(void*), Function after, void* argument);

  /// 0: there are too many.
  uint64_t start_timer(Duration first, Duration every, Function fire, void* argument);
  bool stop_timer(uint64_t id) { return timers_.erase(id) > 0; }
  /// No timer fires any more.
  void stop_timers() { timers_.clear(); }

  /// Something that is begun now and whose end `done` is to hear.
  struct Expected {
    uint64_t id;
    Completion completion;
  };
  /// nullopt: there are too many.
  std::optional<Expected> expect(gw_on_reply done, void* argument);
  /// It was not begun after all.
  void forget(uint64_t id) { expected_.erase(id); }
  /// Whoever waits hears that it comes to nothing.
  void end_expected(void* self);

  bool ready() const { return inbox_->ready.load(std::memory_order_acquire); }
  /// Calls what has come back, in the order in which it came, as long as the sink has not had enough. True when
  /// something is left.
  bool run(void* self, const ReplySink& sink);

  /// Work and replies whose end the plugin has not heard of.
  size_t pins() const { return works_ + expected_.size(); }

 private:
  struct Call {
    Function function = nullptr;
    void* argument = nullptr;
    bool ends_work = false;
    uint64_t ends_expected = 0;  ///< 0: nothing, otherwise it is told `reply` instead
    std::shared_ptr<const HeardReply> reply;
  };
  struct Listener {
    gw_on_reply done;
    void* argument;
  };
  void run_one(const Call& call, void* self);
  /// What other threads write to; theirs as well, so that they may be later than the instance's end.
  struct Inbox {
    std::mutex mutex;
    std::deque<Call> calls;
    std::atomic<bool> ready{false};
    bool put(Call call, size_t calls_max);
  };
  void wake();

  const World world_;
  const std::shared_ptr<const PluginLibrary> library_;
  const std::shared_ptr<const PluginLabel> label_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::map<uint64_t, Timer> timers_;
  uint64_t last_timer_ = 0;
  size_t works_ = 0;
  std::map<uint64_t, Listener> expected_;
  uint64_t last_expected_ = 0;
};

}  // namespace godwit::host
