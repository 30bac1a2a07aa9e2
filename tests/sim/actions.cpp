#include "actions.h"

#include <array>

#include "host/services.h"
#include "world.h"

namespace godwit::sim {
namespace {

enum class Act : uint32_t { kEcho, kLater, kSink, kFail, kWait, kAround };

struct NamedAct {
  std::string_view action;
  routing::Target target;
};
constexpr std::array kActs{
    NamedAct{"echo", {0, static_cast<uint32_t>(Act::kEcho)}},
    NamedAct{"later", {0, static_cast<uint32_t>(Act::kLater)}},
    NamedAct{"sink", {0, static_cast<uint32_t>(Act::kSink)}},
    NamedAct{"fail", {0, static_cast<uint32_t>(Act::kFail)}},
    NamedAct{"wait", {0, static_cast<uint32_t>(Act::kWait)}},
    NamedAct{"around", {0, static_cast<uint32_t>(Act::kAround)}},
};

}  // namespace

const routing::Target* Actions::find(wire::Kind, std::string_view action) {
  for (const NamedAct& act : kActs) {
    if (act.action == action) return &act.target;
  }
  return nullptr;
}

size_t Actions::handle(std::span<const host::Delivery> batch, host::ReplySink& sink) {
  size_t taken = 0;
  while (taken < batch.size() && (taken == 0 || !sink.enough())) {
    const host::Delivery& delivery = batch[taken++];
    world_.work(cost_);
    switch (static_cast<Act>(delivery.handler)) {
      case Act::kEcho: echo(delivery, sink); break;
      case Act::kLater: answer_later(delivery, sink); break;
      case Act::kSink: sink.done(delivery.ticket); break;
      case Act::kWait:
        waiting_[delivery.ticket.bits] = delivery.message_id;
        sink.suspend(delivery.ticket, false);
        break;
      case Act::kAround: notify_around(delivery, sink); break;
      case Act::kFail: sink.fail(delivery.ticket, Code::kHandlerFailed, "as asked"); break;
    }
  }
  return taken;
}

void Actions::echo(const host::Delivery& delivery, host::ReplySink& sink) {
  if (wire::is_request(delivery.kind)) sink.reply(delivery.ticket, delivery.body, {});
  sink.done(delivery.ticket);
}

void Actions::withdraw(uint32_t, host::Ticket ticket, host::ReplySink&) {
  const auto found = waiting_.find(ticket.bits);
  if (found == waiting_.end()) return;
  const uint64_t message_id = found->second;
  waiting_.erase(found);
  on_withdrawn(message_id);
}

void Actions::notify_around(const host::Delivery& delivery, host::ReplySink& sink) {
  const bool bound = sink.notify(delivery, session::Bound::kAfter, {.action = "after", .body = delivery.body}) &&
                     sink.notify(delivery, session::Bound::kBefore, {.action = "before", .body = delivery.body});
  world_.expect(bound, "events could not be bound to a response");
  if (world_.random().chance(0.2)) {
    sink.fail(delivery.ticket, Code::kHandlerFailed, as_text(delivery.body));
    return sink.done(delivery.ticket);
  }
  sink.suspend(delivery.ticket, false);
  answer_later(delivery, sink);
}

void Actions::answer_later(const host::Delivery& delivery, host::ReplySink& sink) {
  const Duration delay(world_.random().below(200'000'000));
  world_.after(delay, [&sink, alive = std::weak_ptr(alive_), ticket = delivery.ticket,
                       body = std::vector<uint8_t>(delivery.body.begin(), delivery.body.end())] {
    if (alive.expired()) return;
    sink.reply(ticket, body, {});
    sink.done(ticket);
  });
}

}  // namespace godwit::sim
