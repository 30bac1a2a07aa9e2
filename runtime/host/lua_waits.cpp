#include "host/lua_waits.h"

namespace godwit::host {

LuaWaits::LuaWaits(const Clock& clock, TimerHeap& timers, size_t waits_max)
    : clock_(clock), timers_(timers), waits_max_(waits_max), timer_([this](Timestamp now) { on_timer(now); }) {}

std::optional<WaitToken> LuaWaits::begin() {
  if (size() >= waits_max_) return std::nullopt;
  waits_.emplace(++last_, Wait{});
  return last_;
}

void LuaWaits::forget(WaitToken token) {
  const auto found = waits_.find(token);
  if (found == waits_.end()) return;
  if (found->second.deadline != kNever) deadlines_.erase({found->second.deadline, token});
  const std::function<void()> abandon = std::move(found.value().abandon);
  waits_.erase(found);
  if (abandon) abandon();
}

void LuaWaits::on_abandoned(WaitToken token, std::function<void()> abandon) {
  if (const auto found = waits_.find(token); found != waits_.end()) found.value().abandon = std::move(abandon);
}

void LuaWaits::park(WaitToken token, uint32_t coroutine) {
  const auto found = waits_.find(token);
  if (found == waits_.end()) return ready_.push_back({coroutine, Wake{.code = Code::kStaleHandle}});
  found.value().coroutine = coroutine;
  if (!found->second.wake) return;
  Wake wake = std::move(*found.value().wake);
  waits_.erase(found);
  ready_.push_back({coroutine, std::move(wake)});
}

void LuaWaits::complete(WaitToken token, Wake wake) {
  const auto found = waits_.find(token);
  if (found == waits_.end() || found->second.wake) return;
  Wait& wait = found.value();
  if (wait.deadline != kNever) deadlines_.erase({std::exchange(wait.deadline, kNever), token});
  const std::function<void()> abandon = std::exchange(wait.abandon, {});
  const bool abandoned = wake.code != Code::kOk;
  if (wait.coroutine) {
    ready_.push_back({*wait.coroutine, std::move(wake)});
    waits_.erase(found);
  } else {
    wait.wake = std::move(wake);
  }
  if (abandoned && abandon) abandon();
}

void LuaWaits::complete_at(WaitToken token, Timestamp at) {
  const auto found = waits_.find(token);
  if (found == waits_.end() || found->second.wake) return;
  Wait& wait = found.value();
  if (wait.deadline != kNever) deadlines_.erase({wait.deadline, token});
  wait.deadline = at;
  deadlines_.insert({at, token});
  timers_.arm(timer_, deadlines_.begin()->first);
}

void LuaWaits::on_timer(Timestamp now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    complete(deadlines_.begin()->second, {.code = Code::kDeadlineExceeded});
  }
  timers_.arm(timer_, deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

std::optional<LuaWaits::Ready> LuaWaits::next_ready() {
  if (ready_.empty()) return std::nullopt;
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  return ready;
}

void LuaWaits::complete_all(Code code) {
  std::vector<WaitToken> tokens;
  for (const auto& [token, wait] : waits_) tokens.push_back(token);
  for (const WaitToken token : tokens) complete(token, {.code = code});
}

}  // namespace godwit::host
