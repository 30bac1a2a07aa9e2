#include "app/operations.h"

#include <utility>

namespace godwit::app {

Result<OperationId> Operations::begin(Operation::End end, Timestamp deadline) {
  if (operations_.size() >= kOperationsMax) return fail(Code::kPromiseLimit, "too many replies are waited for");
  const OperationId id = operations_.emplace_with([&](OperationId self) {
    return std::make_unique<Operation>(std::move(end), [this, self](Timestamp) {
      reply(self, {wire::Status::kTimeout, Code::kDeadlineExceeded, "no answer came in time", {}, {}});
    });
  });
  timers_.arm(operations_.get(id)->deadline_timer, deadline);
  return id;
}

void Operations::note_sent(OperationId id, Operation::Sent sent) {
  if (Operation* operation = operations_.get(id)) operation->sent = sent;
}

std::optional<Operation::Sent> Operations::sent(OperationId id) {
  const Operation* operation = operations_.get(id);
  return operation ? operation->sent : std::nullopt;
}

void Operations::forget(OperationId id) { take(id); }

std::optional<Operation::End> Operations::take(OperationId id) {
  Operation* operation = operations_.get(id);
  if (!operation) return std::nullopt;
  timers_.disarm(operation->deadline_timer);
  Operation::End end = std::move(operation->end);
  operations_.erase(id);
  return end;
}

void Operations::reply(OperationId id, const session::Reply& reply) {
  const auto end = take(id);
  if (!end) return;
  if (const auto* done = std::get_if<host::Completion>(&*end)) {
    (*done)(reply);
  } else if (const auto* relay = std::get_if<Operation::Relay>(&*end)) {
    relay_(*relay, reply);
  }
}

void Operations::share(OperationId id, const host::Fanout& outcome) {
  Operation* operation = operations_.get(id);
  if (!operation) return;
  auto& broadcast = std::get<Operation::Broadcast>(operation->end);
  host::Fanout& sum = broadcast.outcome;
  sum.sent += outcome.sent;
  sum.refused += outcome.refused;
  for (const host::Fanout::Refusal& refusal : outcome.refusals) {
    if (sum.refusals.size() < host::Fanout::kRefusalsMax) sum.refusals.push_back(refusal);
  }
  if (--broadcast.workers_left > 0) return;
  const auto end = take(id);
  const auto& done = std::get<Operation::Broadcast>(*end);
  done.done(done.outcome);
}

void Operations::stats(OperationId id, Result<host::SessionStats> stats) {
  const auto end = take(id);
  if (end) std::get<Operation::Stats> (*end)(std::move(stats));
}

}  // namespace godwit::app
