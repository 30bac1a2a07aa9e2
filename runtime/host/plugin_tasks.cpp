#include "host/plugin_tasks.h"

namespace godwit::host {

PluginTasks::PluginTasks(World world, std::shared_ptr<const PluginLibrary> library,
                         std::shared_ptr<const PluginLabel> label)
    : world_(world), library_(std::move(library)), label_(std::move(label)) {}

PluginTasks::~PluginTasks() = default;

bool PluginTasks::Inbox::put(Call call, size_t calls_max) {
  const std::lock_guard lock(mutex);
  if (calls.size() >= calls_max) return false;
  calls.push_back(std::move(call));
  ready.store(true, std::memory_order_release);
  return true;
}

bool PluginTasks::post(Function run, void* argument) {
  if (!inbox_->put({run, argument}, kPostsMax)) return false;
  // Being awake is enough: each turn looks at the inbox. A mailbox that is full has woken the loop already.
  (void)world_.mailbox->post([] {});
  return true;
}

bool PluginTasks::work(void (*work)(void*), Function after, void* argument) {
  if (works_ >= kWorksMax) return false;
  const bool taken =
      world_.pool->run([=, inbox = inbox_, library = library_, label = label_, mailbox = world_.mailbox] {
        {
          const RunningPlugin running(*label, nullptr);
          work(argument);
        }
        // Its place is kept by the bound on works.
        inbox->put({.function = after, .argument = argument, .ends_work = true}, kPostsMax + kWorksMax);
        (void)mailbox->post([] {});
      });
  works_ += taken;
  return taken;
}

uint64_t PluginTasks::start_timer(Duration first, Duration every, Function fire, void* argument) {
  if (timers_.size() >= kTimersMax) return 0;
  const uint64_t id = ++last_timer_;
  const auto on_fire = [this, id, every, fire, argument](Timestamp now) {
    inbox_->put({fire, argument}, kPostsMax + kWorksMax + kTimersMax);
    if (every == Duration::zero()) {
      timers_.erase(id);
    } else {
      world_.timers.arm(timers_.at(id), now + every);
    }
  };
  Timer& timer = timers_.try_emplace(id, on_fire).first->second;
  world_.timers.arm(timer, world_.clock.now() + first);
  return id;
}

bool PluginTasks::run(void* self, const ReplySink& sink) {
  while (ready() && !sink.enough()) {
    Call call;
    {
      const std::lock_guard lock(inbox_->mutex);
      call = std::move(inbox_->calls.front());
      inbox_->calls.pop_front();
      inbox_->ready.store(!inbox_->calls.empty(), std::memory_order_release);
    }
    run_one(call, self);
  }
  return ready();
}

void PluginTasks::run_one(const Call& call, void* self) {
  works_ -= call.ends_work;
  if (call.ends_expected == 0) return call.function(self, call.argument);
  if (const auto listener = expected_.extract(call.ends_expected))
    call.reply->tell(listener.mapped().done, self, listener.mapped().argument);
}

std::optional<PluginTasks::Expected> PluginTasks::expect(gw_on_reply done, void* argument) {
  if (expected_.size() >= kRepliesMax) return std::nullopt;
  const uint64_t id = ++last_expected_;
  expected_[id] = {done, argument};
  return Expected{id, [id, inbox = std::weak_ptr(inbox_)](const session::Reply& reply) {
                    const auto alive = inbox.lock();
                    // Its place is kept by the bound on replies.
                    if (alive)
                      alive->put({.ends_expected = id, .reply = std::make_shared<const HeardReply>(reply)}, SIZE_MAX);
                  }};
}

void PluginTasks::end_expected(void* self) {
  for (const auto& [id, listener] : std::exchange(expected_, {}))
    HeardReply(GW_ERROR_CANCELLED).tell(listener.done, self, listener.argument);
}

}  // namespace godwit::host
