#include "app/key_desk.h"

#include <xxhash.h>

namespace godwit::app {
namespace {

/// Of one turn of the loop, whose time handlers share with everything else.
constexpr size_t kEnteredAtOnceMax = 256;
constexpr uint32_t kGenerationMax = 0x7fffffff;  // the bit above it is the mark

uint64_t key_of(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

CarryErrand pack(uint64_t key, const host::Delivery& delivery) {
  const wire::Envelope envelope{.id = delivery.message_id,
                                .kind = delivery.kind,
                                .priority = delivery.priority,
                                .action = delivery.action,
                                .headers = delivery.headers};
  const host::SessionView view = delivery.session ? *delivery.session : host::SessionView();
  return {key,
          delivery.ticket.bits,
          {envelope, delivery.body},
          view.id,
          std::string(view.client_id),
          std::string(view.uid),
          std::string(view.address),
          delivery.deadline};
}

}  // namespace

KeyDesk::KeyDesk(const Options& options, const Clock& clock, WorkerServices& services)
    : options_(options), clock_(clock), services_(services) {
  services_.attach(*this);
}

void KeyDesk::carry(std::string_view key_text, const host::Delivery& delivery, host::ReplySink& sink) {
  const uint64_t key = key_of(key_text);
  const auto worker = static_cast<uint32_t>(key % options_.workers);
  const bool here = worker == options_.worker;
  if (here ? waiting_ >= options_.messages_max : !services_.has_room(worker)) {
    sink.fail(delivery.ticket, Code::kDispatcherFull, "too many messages wait for the worker of this key");
    return;
  }
  origin_ = &sink;
  sink.suspend(delivery.ticket, false);  // its key orders it, not its session
  CarryErrand errand = pack(key, delivery);
  here ? arrive(worker, std::move(errand)) : services_.push(worker, std::move(errand));
}

void KeyDesk::arrive(uint32_t from, CarryErrand errand) {
  const uint64_t key = errand.key;
  const bool full = waiting_ >= options_.messages_max;
  const uint32_t slot = put(from, std::move(errand));
  if (full) {
    fail(ticket_of(slot), Code::kDispatcherFull, "too many messages wait for the worker of this key");
    return;
  }
  ++waiting_;
  lanes_[key].waiting.push_back(slot);
  list(key);
}

uint32_t KeyDesk::put(uint32_t from, CarryErrand errand) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Carried& carried = slots_[slot];
  carried.errand = std::move(errand);
  carried.from = from;
  carried.used = true;
  carried.holds = false;
  carried.view = {carried.errand.session, carried.errand.client_id, carried.errand.uid, carried.errand.address};
  return slot;
}

void KeyDesk::list(uint64_t key) {
  Lane& lane = lanes_[key];
  if (lane.listed || lane.held > 0) return;
  if (lane.waiting.empty()) {
    lanes_.erase(key);
    return;
  }
  lane.listed = true;
  listed_.push_back(key);
}

bool KeyDesk::run(Dispatcher::Handlers& handlers, host::ReplySink& sink) {
  for (size_t entered = 0; !listed_.empty() && entered < kEnteredAtOnceMax && !sink.enough(); ++entered) {
    const uint64_t key = listed_.front();
    listed_.pop_front();
    lanes_[key].listed = false;
    const bool went = enter_next(key, handlers, sink);
    list(key);
    if (!went) break;  // its unit is at rest, and with it this desk
  }
  return !listed_.empty();
}

/// False: its unit rests, and it waits on.
bool KeyDesk::enter_next(uint64_t key, Dispatcher::Handlers& handlers, host::ReplySink& sink) {
  Lane& lane = lanes_[key];
  if (lane.held > 0 || lane.waiting.empty()) return true;
  const uint32_t slot = lane.waiting.front();
  const CarryErrand& errand = slots_[slot].errand;
  const wire::Envelope& envelope = errand.message.envelope();
  const routing::Target* found = handlers.find(envelope.kind, envelope.action);
  if (found && handlers.resting() == found->unit) return false;
  lane.waiting.pop_front();
  --waiting_;
  host::Handler* handler = found ? handlers.handler(found->unit) : nullptr;
  if (!handler) {
    fail(ticket_of(slot), Code::kHandlerNotFound, envelope.action);
  } else if (clock_.now() >= errand.deadline) {
    fail(ticket_of(slot), Code::kMessageExpired, "waited too long for its handler");
  } else {
    enter(slot, *handler, found->handler, sink);
  }
  return true;
}

void KeyDesk::enter(uint32_t slot, host::Handler& handler, uint32_t index, host::ReplySink& sink) {
  const Carried& carried = slots_[slot];
  const wire::Envelope& envelope = carried.errand.message.envelope();
  const host::Delivery delivery{ticket_of(slot),  index,
                                envelope.kind,    envelope.priority,
                                envelope.id,      envelope.action,
                                envelope.headers, carried.errand.message.body(),
                                &carried.view,    carried.errand.deadline};
  handler.handle({&delivery, 1}, sink);
}

KeyDesk::Carried* KeyDesk::find(host::Ticket ticket) {
  const auto slot = static_cast<uint32_t>(ticket.bits);
  if (slot >= slots_.size()) return nullptr;
  return slots_[slot].used && ticket_of(slot).bits == ticket.bits ? &slots_[slot] : nullptr;
}

host::ReplyOutcome KeyDesk::reply(host::Ticket ticket, Bytes body, std::span<const wire::Header> headers) {
  Carried* carried = find(ticket);
  if (!carried) return host::ReplyOutcome::kStale;
  if (!wire::is_request(carried->errand.message.envelope().kind)) return host::ReplyOutcome::kNotExpected;
  tell(ticket, *carried, {0, VerdictErrand::What::kReply, {wire::Envelope{.headers = headers}, body}, {}});
  return host::ReplyOutcome::kAccepted;
}

host::ReplyOutcome KeyDesk::fail(host::Ticket ticket, Code code, std::string_view text) {
  return fail_for(ticket, code, text, Duration::zero());
}

host::ReplyOutcome KeyDesk::fail_for(host::Ticket ticket, Code code, std::string_view text, Duration retry_after) {
  Carried* carried = find(ticket);
  if (!carried) return host::ReplyOutcome::kStale;
  const wire::Envelope envelope{.code = code, .text = text};
  tell(ticket, *carried, {0, VerdictErrand::What::kFailure, {envelope, Bytes()}, retry_after});
  return host::ReplyOutcome::kAccepted;
}

void KeyDesk::done(host::Ticket ticket) {
  if (Carried* carried = find(ticket)) tell(ticket, *carried, {0, VerdictErrand::What::kDone, {}, {}});
}

void KeyDesk::suspend(host::Ticket ticket, bool ordered) {
  Carried* carried = find(ticket);
  if (!carried || carried->holds || !ordered) return;
  carried->holds = true;
  ++lanes_[carried->errand.key].held;
}

void KeyDesk::tell(host::Ticket ticket, Carried& carried, VerdictErrand verdict) {
  verdict.ticket = carried.errand.ticket;
  const uint32_t to = carried.from;
  release(static_cast<uint32_t>(ticket.bits));
  to == options_.worker ? hear(verdict) : services_.push(to, std::move(verdict));
}

void KeyDesk::release(uint32_t slot) {
  Carried& carried = slots_[slot];
  carried.used = false;
  carried.generation = carried.generation % kGenerationMax + 1;
  free_.push_back(slot);
  const uint64_t key = carried.errand.key;
  const bool held = std::exchange(carried.holds, false);
  carried.errand = {};
  if (!held) return;
  --lanes_[key].held;
  list(key);
}

void KeyDesk::hear(const VerdictErrand& errand) {
  const host::Ticket ticket{errand.ticket};
  const wire::Envelope& envelope = errand.reply.envelope();
  switch (errand.what) {
    case VerdictErrand::What::kDone: return origin_->done(ticket);
    case VerdictErrand::What::kFailure:
      origin_->fail_for(ticket, envelope.code, envelope.text, errand.retry_after);
      return;
    case VerdictErrand::What::kReply:
      if (origin_->reply(ticket, errand.reply.body(), envelope.headers) == host::ReplyOutcome::kTooLarge)
        origin_->fail(ticket, Code::kMessageTooLarge, "the handler's reply");
  }
}

}  // namespace godwit::app
