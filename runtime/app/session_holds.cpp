#include "app/session_holds.h"

#include <algorithm>

namespace godwit::app {

std::deque<QueuedMessage> SessionHolds::let_go(session::SessionId session) {
  const auto hold = holds_.find(session);
  if (hold == holds_.end() || --hold.value().suspended > 0) return {};
  std::deque<QueuedMessage> waiting = std::move(hold.value().waiting);
  holds_.erase(hold);
  size_ -= waiting.size();
  return waiting;
}

void SessionHolds::push_back(QueuedMessage message) {
  holds_.find(message.session).value().waiting.push_back(std::move(message));
  ++size_;
}

void SessionHolds::push_front(QueuedMessage message) {
  holds_.find(message.session).value().waiting.push_front(std::move(message));
  ++size_;
}

std::optional<QueuedMessage> SessionHolds::take(session::SessionId session, uint64_t message_id) {
  const auto hold = holds_.find(session);
  if (hold == holds_.end()) return std::nullopt;
  std::deque<QueuedMessage>& waiting = hold.value().waiting;
  const auto found = std::find_if(waiting.begin(), waiting.end(),
                                  [&](const QueuedMessage& queued) { return queued.is_request(session, message_id); });
  if (found == waiting.end()) return std::nullopt;
  QueuedMessage taken = std::move(*found);
  waiting.erase(found);
  --size_;
  return taken;
}

void SessionHolds::rest(QueuedMessage message) {
  const session::SessionId session = message.session;
  Hold& hold = holds_[session];
  if (!hold.rests) {
    hold.rests = true;
    ++hold.suspended;
    resting_.push_back(session);
  }
  push_back(std::move(message));
}

std::vector<std::deque<QueuedMessage>> SessionHolds::end_rest() {
  std::vector<std::deque<QueuedMessage>> freed;
  for (const session::SessionId session : std::exchange(resting_, {})) {
    holds_[session].rests = false;
    freed.push_back(let_go(session));
  }
  return freed;
}

}  // namespace godwit::app
