#include "host/deferred_messages.h"

namespace godwit::host {

bool DeferredMessages::add(Ticket ticket, Timestamp deadline) {
  if (deadlines_.size() >= messages_max_) return false;
  deadlines_[ticket.bits] = deadline;
  by_deadline_.emplace(deadline, ticket.bits);
  watch();
  return true;
}

bool DeferredMessages::settle(Ticket ticket) {
  const auto found = deadlines_.find(ticket.bits);
  if (found == deadlines_.end()) return false;
  by_deadline_.erase({found->second, ticket.bits});
  deadlines_.erase(found);
  watch();
  return true;
}

void DeferredMessages::expire(Timestamp now, ReplySink& sink) {
  while (has_late(now)) {
    const Ticket ticket{by_deadline_.begin()->second};
    settle(ticket);
    sink.fail(ticket, Code::kDeadlineExceeded, "the plugin gave no verdict in time");
  }
}

void DeferredMessages::fail_all(Code code, std::string_view text, ReplySink& sink) {
  while (!deadlines_.empty()) {
    const Ticket ticket{deadlines_.begin()->first};
    settle(ticket);
    sink.fail(ticket, code, text);
  }
}

void DeferredMessages::watch() {
  timers_.arm(wake_timer_, by_deadline_.empty() ? kNever : by_deadline_.begin()->first);
}

}  // namespace godwit::host
