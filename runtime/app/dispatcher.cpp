#include "app/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/body_codecs.h"
#include "host/services.h"

namespace godwit::app {
namespace {

/// An unanswered request's code when its handler does not say better.
constexpr session::Reply kNoReply{wire::Status::kFailure, Code::kNoReply, "the handler ended without a reply", {}, {}};

}  // namespace

Dispatcher::Dispatcher(const DispatcherConfig& config, const Clock& clock, WorkerMetrics& metrics, Log log,
                       Handlers& handlers, Sessions& sessions)
    : config_(config),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      handlers_(handlers),
      sessions_(sessions),
      keyed_(clock,
             {.execute = [this](auto ticket, auto queued) { execute_keyed(ticket, std::move(queued)); },
              .answer = [this](auto ticket, auto& queued, auto& outcome) { answer_keyed(ticket, queued, outcome); },
              .kept = [this](auto& to, auto& outcome) { send_kept(to, outcome); }}) {}

void Dispatcher::submit(session::Session& session, session::Incoming message) {
  const wire::Envelope& envelope = message.envelope;
  if (draining_) return refuse(session.id(), envelope, Code::kServerDraining, "the server is going down");
  const routing::Target* found = handlers_.find(envelope.kind, envelope.action);
  if (!found) return refuse_unrouted(session.id(), envelope);
  const routing::Target target = *found;
  // Handlers get a chance to make room before anybody is refused, but never beyond the turn's budget.
  if (full()) run_batches();
  if (full()) {
    metrics_.messages_dropped[static_cast<size_t>(DropReason::kQueueFull)].add();
    return refuse(session.id(), envelope, Code::kDispatcherFull, "the queue in front of the handlers is full");
  }
  enqueue({session.id(), target, handlers_.version(), clock_.now(),
           message.stored ? std::move(*message.stored) : wire::StoredMessage(envelope, message.body)});
}

bool Dispatcher::cancel(session::Session& session, uint64_t message_id) {
  if (cancel_queued(session, message_id)) return true;
  const host::Ticket ticket = tickets_.suspended(session.id(), message_id);
  if (!ticket) return false;
  Pending& pending = *tickets_.find(ticket);
  if (pending.run || keyed_.asks_about(ticket)) return true;
  const uint32_t unit = pending.unit;
  metrics_.handlers_cancelled.add();
  session.unbind(message_id);
  settle(ticket, pending);
  handlers_.withdraw(unit, ticket, *this);
  return true;
}

bool Dispatcher::cancel_queued(session::Session& session, uint64_t message_id) {
  std::optional<Queued> taken = holds_.take(session.id(), message_id);
  if (!taken) {
    const auto found = std::find_if(queue_.begin(), queue_.end(),
                                    [&](const Queued& queued) { return queued.is_request(session.id(), message_id); });
    if (found == queue_.end()) return false;
    taken = std::move(*found);
    queue_.erase(found);
  }
  queue_bytes_ -= taken->bytes;
  metrics_.dispatch_queue_bytes.set(static_cast<int64_t>(queue_bytes_));
  metrics_.messages_dropped[static_cast<size_t>(DropReason::kCancelled)].add();
  session.handled(taken->message.envelope().seq);
  return true;
}

bool Dispatcher::full() const {
  return queued() >= config_.queue_messages_max || queue_bytes_ >= config_.queue_bytes_max;
}

void Dispatcher::enqueue(Queued message) {
  queue_bytes_ += message.bytes;
  queue_.push_back(std::move(message));
  metrics_.dispatch_queue.set(static_cast<int64_t>(queued()));
  metrics_.dispatch_queue_bytes.set(static_cast<int64_t>(queue_bytes_));
}

void Dispatcher::pop() {
  queue_bytes_ -= queue_.front().bytes;
  queue_.pop_front();
  metrics_.dispatch_queue_bytes.set(static_cast<int64_t>(queue_bytes_));
}

bool Dispatcher::run() {
  bool ready_left = false;
  do {
    run_batches();
    ready_left = run_ready();
    // What went on may have let messages go that waited for it.
  } while (!enough_ && !queue_.empty());
  used_ = {};
  return ready_left || !queue_.empty();
}

void Dispatcher::run_batches() {
  if (!begin_running()) return;
  if (holds_.rests() && !handlers_.resting()) {
    for (std::deque<Queued>& freed : holds_.end_rest()) place_first(std::move(freed));
  }
  while (!queue_.empty() && !enough_) {
    run_batch();
    note_time(clock_.measure());
  }
  running_ = false;
}

bool Dispatcher::run_ready() {
  if (!begin_running()) return true;
  const bool left = handlers_.run_ready(*this);
  note_time(clock_.measure());
  running_ = false;
  return left;
}

/// False when it runs already: a handler made something arrive.
bool Dispatcher::begin_running() {
  if (running_) return false;
  running_ = true;
  batch_over_ = false;
  measured_ = clock_.measure();
  enough_ = used_ >= config_.turn_budget;
  return true;
}

void Dispatcher::note_time(Timestamp now) {
  if (!running_) return;
  used_ += now - std::exchange(measured_, now);
  enough_ = used_ >= config_.turn_budget;
}

void Dispatcher::run_batch() {
  take_batch();
  metrics_.dispatch_queue.set(static_cast<int64_t>(queued()));
  if (!batch_.empty() && handlers_.authorizes()) allow_batch();
  if (!batch_.empty() && handlers_.once()) stop_at_key();
  if (!batch_.empty()) hand_over(handlers_.handler(batch_.front().target.unit));
}

/// The batch ends before the first message with a key. When it is the first, it is asked about, and nothing of its
/// session overtakes it meanwhile.
void Dispatcher::stop_at_key() {
  const host::Handler* handler = handlers_.handler(batch_.front().target.unit);
  const auto keyed = std::find_if(batch_.begin(), batch_.end(),
                                  [&](const Queued& queued) { return KeyedCommands::key_of(queued, handler); });
  if (keyed == batch_.end()) return;
  const auto before = static_cast<size_t>(keyed - batch_.begin());
  give_back(std::max<size_t>(before, 1));
  deliveries_.resize(batch_.size());
  if (before == 0) ask_once(*handler);
}

/// About the one message that the batch has.
void Dispatcher::ask_once(const host::Handler& handler) {
  const host::Delivery delivery = deliveries_.front();
  suspend(delivery.ticket, handler.ordered(delivery.handler));
  Queued queued = std::move(batch_.front());
  batch_.clear();
  deliveries_.clear();
  queue_bytes_ += queued.bytes;
  keyed_.ask(*handlers_.once(), delivery, std::move(queued), *handler.once(delivery.handler));
}

void Dispatcher::execute_keyed(host::Ticket ticket, Queued queued) {
  queue_bytes_ -= queued.bytes;
  const bool held = tickets_.find(ticket)->holds;
  tickets_.release(ticket);
  place_again(std::move(queued), held);
}

void Dispatcher::answer_keyed(host::Ticket ticket, const Queued& queued, const host::OnceOutcome& outcome) {
  queue_bytes_ -= queued.bytes;
  Pending& pending = *tickets_.find(ticket);
  const ReplyAddress to = pending.address();
  if (session::Session* session = sessions_.find_session(queued.session)) session->handled(pending.seq);
  settle(ticket, pending);
  send_kept(to, outcome);
}

/// The sender hears the answer when it is kept, so that it never hears another one for the same key.
host::ReplyOutcome Dispatcher::keep_answer(host::Ticket ticket, Pending& pending, const session::Reply& reply) {
  std::shared_ptr<host::OnceRun> run = std::move(pending.run);
  const ReplyAddress to = pending.address();
  settle(ticket, pending);
  keyed_.keep(std::move(run), to, reply);
  return host::ReplyOutcome::kAccepted;
}

void Dispatcher::send_kept(const ReplyAddress& to, const host::OnceOutcome& outcome) {
  std::vector<wire::Header> headers;
  for (const auto& [name, value] : outcome.headers) headers.push_back({name, value});
  const bool success = outcome.code == Code::kOk;
  const Status sent = respond(to, {success ? wire::Status::kSuccess : wire::Status::kFailure, outcome.code,
                                   outcome.text, headers, as_bytes(outcome.body)});
  if (sent || sent.error().code == Code::kQueueFull) return;
  (void)respond(to, {wire::Status::kFailure, sent.error().code, sent.error().text, {}, {}});
}

/// False: it was refused, because its body is not what it says.
bool Dispatcher::translate(Queued& queued) {
  if (!queued.spoken.empty() || queued.message.envelope().headers.empty()) return true;
  std::string spoken = content_type_of(queued.message.envelope());
  host::Codec* codec = spoken.empty() ? nullptr : handlers_.codec(spoken);
  if (!codec) return true;
  auto decoded = decode_message(queued.message, *codec, config_.body_bytes_max);
  if (!decoded) {
    refuse(queued.session, queued.message.envelope(), decoded.error().code, decoded.error().text);
    return false;
  }
  queue_bytes_ -= queued.bytes;
  queued.message = std::move(*decoded);
  queued.bytes = queued.message.bytes();
  queued.spoken = std::move(spoken);
  queue_bytes_ += queued.bytes;
  return true;
}

/// In what its sender speaks. Ok also when there is no session any more.
Status Dispatcher::respond(const ReplyAddress& to, const session::Reply& reply) {
  session::Session* session = sessions_.find_session(to.session);
  if (!session) return {};
  if (to.spoken.empty() || reply.status != wire::Status::kSuccess) return session->respond(to.message_id, reply);
  host::Codec* codec = handlers_.codec(to.spoken);
  if (codec && !is_encoded(reply, *codec)) return session->respond(to.message_id, reply);
  Result<EncodedReply> encoded = godwit::fail(Code::kPluginFailed, "the codec of " + to.spoken + " is gone");
  if (codec) encoded = EncodedReply::encode(reply, *codec, config_.body_bytes_max);
  if (encoded) return session->respond(to.message_id, encoded->reply());
  note_failure(FailureStage::kHandler, encoded.error().code);
  return session->respond(to.message_id, {wire::Status::kFailure, encoded.error().code, encoded.error().text, {}, {}});
}

void Dispatcher::hand_over(host::Handler* handler) {
  batch_over_ = false;
  if (handler) {
    const uint32_t unit = batch_.front().target.unit;
    const Timestamp before = clock_.measure();
    const size_t taken = handler->handle(deliveries_, *this);
    handlers_.note_handled(unit, clock_.measure() - before, taken);
    give_back(taken);
  } else {
    for (const host::Delivery& delivery : deliveries_)
      refuse_delivered(delivery.ticket, Code::kHandlerNotFound, "its script is gone");
  }
  batch_over_ = false;
  acknowledge_batch();
  batch_.clear();
  place_forwarded();
}

/// The sender of an event hears that it was handled when it was; who waits for a reply gets the reply.
void Dispatcher::acknowledge_batch() {
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (batch_[i].handed_on) continue;
    const Pending* pending = tickets_.find(deliveries_[i].ticket);
    if (pending && pending->suspended && !wire::is_request(pending->kind)) continue;
    if (session::Session* session = sessions_.find_session(batch_[i].session))
      session->handled(batch_[i].message.envelope().seq);
  }
}

/// Takes out of the batch what its sender may not do. Messages that a handler gave back were allowed already.
void Dispatcher::allow_batch() {
  const auto known = std::find_if(batch_.begin(), batch_.end(), [](const Queued& one) { return !one.allowed; });
  const auto first = static_cast<size_t>(known - batch_.begin());
  if (first == batch_.size()) return;
  const std::vector<bool> allowed = handlers_.authorize(
      batch_.front().target.unit, std::span<const host::Delivery>(deliveries_).subspan(first), *this);
  size_t kept = first;
  for (size_t i = first; i < batch_.size(); ++i) {
    if (allowed[i - first]) {
      batch_[i].allowed = true;
      if (kept != i) batch_[kept] = std::move(batch_[i]);
      deliveries_[kept++] = deliveries_[i];
      continue;
    }
    metrics_.messages_dropped[static_cast<size_t>(DropReason::kForbidden)].add();
    refuse_delivered(deliveries_[i].ticket, Code::kForbidden, deliveries_[i].action);
    if (session::Session* session = sessions_.find_session(batch_[i].session))
      session->handled(batch_[i].message.envelope().seq);
  }
  batch_.erase(batch_.begin() + static_cast<ptrdiff_t>(kept), batch_.end());
  deliveries_.resize(kept);
}

/// What a handler left of its batch goes to the front of the queue again, as it was.
void Dispatcher::give_back(size_t taken) {
  while (batch_.size() > taken) {
    tickets_.release(deliveries_[batch_.size() - 1].ticket);
    queue_bytes_ += batch_.back().bytes;
    queue_.push_front(std::move(batch_.back()));
    batch_.pop_back();
  }
}

/// Moves messages for one and the same unit from the front of the queue, so that order is kept and entering is shared.
void Dispatcher::take_batch() {
  batch_.clear();
  deliveries_.clear();
  const Timestamp now = clock_.now();
  const bool translates = handlers_.translates();
  while (!queue_.empty() && batch_.size() < config_.batch_messages_max) {
    Queued& front = queue_.front();
    if (!look_up_again(front)) {
      pop();
      continue;
    }
    if (hold_back(front)) {
      queue_.pop_front();  // its bytes still count
      continue;
    }
    if (!batch_.empty() && front.target.unit != batch_.front().target.unit) break;
    if (expired(front, now)) {
      metrics_.messages_dropped[static_cast<size_t>(DropReason::kExpired)].add();
      refuse(front.session, front.message.envelope(), Code::kMessageExpired, "waited too long for its handler");
    } else if (!sessions_.find_session(front.session)) {
      metrics_.messages_dropped[static_cast<size_t>(DropReason::kClosed)].add();
    } else if (!translates || translate(front)) {
      batch_.push_back(std::move(front));
    }
    pop();
  }
  for (const Queued& queued : batch_) {
    const wire::Envelope& envelope = queued.message.envelope();
    deliveries_.push_back(
        {tickets_.issue(queued), queued.target.handler, envelope.kind, envelope.priority, envelope.message_id(),
         envelope.action, envelope.headers, queued.message.body(), sessions_.view_session(queued.session),
         envelope.deadline_ms ? queued.received + std::chrono::milliseconds(envelope.deadline_ms) : kNever});
  }
}

/// After a reload: the message goes where the new handlers want it. False: it was refused, because nobody wants it now.
bool Dispatcher::look_up_again(Queued& queued) {
  if (queued.version == handlers_.version()) return true;
  queued.version = handlers_.version();
  queued.allowed = false;
  const wire::Envelope& envelope = queued.message.envelope();
  const routing::Target* found = handlers_.find(envelope.kind, envelope.action);
  if (found) {
    queued.target = *found;
    return true;
  }
  refuse_unrouted(queued.session, envelope);
  return false;
}

/// True: it was put behind a suspended message of its session.
bool Dispatcher::hold_back(Queued& queued) {
  if (handlers_.resting() == queued.target.unit) {
    holds_.rest(std::move(queued));
    return true;
  }
  if (holds_.empty() || queued.message.envelope().after_delta == 0 || !holds_.holds(queued.session)) return false;
  const host::Handler* handler = handlers_.handler(queued.target.unit);
  if (handler && !handler->ordered(queued.target.handler)) return false;
  holds_.push_back(std::move(queued));
  return true;
}

void Dispatcher::place_first(std::deque<Queued> messages) {
  for (; !messages.empty(); messages.pop_back()) queue_.push_front(std::move(messages.back()));
}

/// Tickets of its own have this bit clear.
host::ReplySink* Dispatcher::carrier_of(host::Ticket ticket) {
  return ticket.bits >> 63 != 0 ? handlers_.carrier() : nullptr;
}

void Dispatcher::suspend(host::Ticket ticket, bool ordered) {
  if (host::ReplySink* carrier = carrier_of(ticket)) return carrier->suspend(ticket, ordered);
  batch_over_ = true;
  Pending* pending = tickets_.find(ticket);
  if (!pending || pending->suspended) return;
  tickets_.suspend(ticket);
  pending->holds = ordered;
  if (ordered) holds_.suspend(pending->session);
}

Status Dispatcher::notify(const host::Delivery& of, session::Bound place, const host::Outgoing& event) {
  if (host::ReplySink* carrier = carrier_of(of.ticket)) return carrier->notify(of, place, event);
  if (!wire::is_request(of.kind)) return godwit::fail(Code::kReplyNotExpected, "an event has no response");
  const Pending* pending = tickets_.find(of.ticket);
  const auto sender = pending ? pending->session : session::SessionId::from_u64(of.session ? of.session->id : 0);
  session::Session* session = sessions_.find_session(sender);
  if (!session) return godwit::fail(Code::kStaleHandle, "the session is gone");
  const session::SendOptions options{.headers = event.headers, .ttl = event.ttl, .priority = event.priority};
  if (pending) {
    const Timestamp expires =
        pending->deadline_ms ? pending->received + std::chrono::milliseconds(pending->deadline_ms) : kNever;
    return session->bind(pending->message_id, place, expires, event.action, event.body, options);
  }
  if (keyed_.keeps(sender, of.message_id))
    return session->bind(of.message_id, place, of.deadline, event.action, event.body, options);
  if (place == session::Bound::kBefore) return godwit::fail(Code::kStaleHandle, "the response was given");
  return session->send_after(of.message_id, event.action, event.body, options);
}

bool Dispatcher::expired(const Queued& queued, Timestamp now) const {
  const wire::Envelope& envelope = queued.message.envelope();
  const auto waited = now - queued.received;
  return (envelope.ttl_ms != 0 && waited >= std::chrono::milliseconds(envelope.ttl_ms)) ||
         (envelope.deadline_ms != 0 && waited >= std::chrono::milliseconds(envelope.deadline_ms));
}

void Dispatcher::refuse_unrouted(session::SessionId id, const wire::Envelope& envelope) {
  if (const Status valid = routing::check_action(envelope.action); !valid) {
    return refuse(id, envelope, valid.error().code, valid.error().text);
  }
  metrics_.handler_not_found.add();
  refuse(id, envelope, Code::kHandlerNotFound, std::string(envelope.action) + bound_to_other_kinds(envelope));
}

/// Who sends an event where a command is expected looks for a typing error in the action, and there is none.
std::string Dispatcher::bound_to_other_kinds(const wire::Envelope& envelope) {
  std::string kinds;
  for (const wire::Kind kind : {wire::Kind::kCommand, wire::Kind::kEvent, wire::Kind::kQuery}) {
    if (!handlers_.find(kind, envelope.action)) continue;
    kinds.append(kinds.empty() ? ": is handled as " : ", ").append(wire::name_of(kind));
  }
  return kinds.empty() ? kinds : kinds.append("; this was sent as ").append(wire::name_of(envelope.kind));
}

/// It has a ticket, and does not enter its handler.
void Dispatcher::refuse_delivered(host::Ticket ticket, Code code, std::string_view text) {
  tickets_.find(ticket)->refused = true;
  fail(ticket, code, text);
}

void Dispatcher::note_failure(FailureStage stage, Code code) {
  metrics_.message_failures[static_cast<size_t>(stage)][index_of(code)].add();
}

void Dispatcher::refuse(session::SessionId id, const wire::Envelope& envelope, Code code, std::string_view text) {
  note_failure(FailureStage::kRefused, code);
  session::Session* session = sessions_.find_session(id);
  if (!session) return;
  log_.debug("message refused", {{"code", code}, {"action", envelope.action}, {"message", envelope.message_id()}});
  if (!wire::is_request(envelope.kind)) return session->refuse(envelope.seq, code, text);
  // The session closes itself when it cannot take a reply.
  (void)session->respond(envelope.message_id(), {wire::Status::kFailure, code, text, {}, {}});
  session->handled(envelope.seq);
}

void Dispatcher::settle(host::Ticket ticket, Pending& pending) {
  const Timestamp now = clock_.measure();
  note_time(now);
  metrics_.message_seconds[static_cast<size_t>(pending.kind)].record(now - pending.received);
  if (pending.suspended && !wire::is_request(pending.kind)) {
    if (session::Session* session = sessions_.find_session(pending.session)) session->handled(pending.seq);
  }
  const bool held = pending.holds;
  const session::SessionId session = pending.session;
  tickets_.release(ticket);
  if (held) place_first(holds_.let_go(session));
}

host::ReplyOutcome Dispatcher::reply(host::Ticket ticket, Bytes body, std::span<const wire::Header> headers) {
  if (host::ReplySink* carrier = carrier_of(ticket)) return carrier->reply(ticket, body, headers);
  return answer(ticket, {wire::Status::kSuccess, Code::kOk, {}, headers, body});
}

host::ReplyOutcome Dispatcher::fail(host::Ticket ticket, Code code, std::string_view text) {
  return fail_for(ticket, code, text, Duration::zero());
}

host::ReplyOutcome Dispatcher::fail_for(host::Ticket ticket, Code code, std::string_view text, Duration retry_after) {
  if (host::ReplySink* carrier = carrier_of(ticket)) return carrier->fail_for(ticket, code, text, retry_after);
  Pending* pending = tickets_.find(ticket);
  if (!pending) return host::ReplyOutcome::kStale;
  if (wire::is_request(pending->kind)) {
    const std::string seconds = fmt::format("{}", std::chrono::duration<double>(retry_after).count());
    const wire::Header header{wire::kRetryAfterHeader, seconds};
    return answer(ticket,
                  {wire::Status::kFailure, code, text, {&header, retry_after > Duration::zero() ? 1u : 0u}, {}});
  }
  note_failure(pending->refused ? FailureStage::kRefused : FailureStage::kHandler, code);
  if (session::Session* session = sessions_.find_session(pending->session)) session->refuse(pending->seq, code, text);
  settle(ticket, *pending);
  return host::ReplyOutcome::kAccepted;
}

Status Dispatcher::forward(const host::Delivery& delivery, std::string_view action) {
  const host::Ticket ticket = delivery.ticket;
  if (host::ReplySink* carrier = carrier_of(ticket)) return carrier->forward(delivery, action);
  Pending* pending = tickets_.find(ticket);
  if (!pending) return godwit::fail(Code::kStaleHandle);
  if (Status valid = routing::check_action(action); !valid) return valid;
  const routing::Target* found = handlers_.find(delivery.kind, action);
  if (!found) return godwit::fail(Code::kHandlerNotFound, std::string(action));
  if (pending->hops == kHopsMax) {
    metrics_.messages_dropped[static_cast<size_t>(DropReason::kLoop)].add();
    log_.warn("a message was handed on too often", {{"action", delivery.action}, {"to", action}});
    fail(ticket, Code::kForwardLimit, action);
    return godwit::fail(Code::kForwardLimit);
  }
  const wire::Envelope envelope{.seq = pending->seq,
                                .after_delta = pending->after_delta,
                                .id = pending->message_id,
                                .kind = delivery.kind,
                                .priority = delivery.priority,
                                .deadline_ms = pending->deadline_ms,
                                .ttl_ms = pending->ttl_ms,
                                .action = action,
                                .headers = delivery.headers};
  Queued next{.session = pending->session,
              .target = *found,
              .version = handlers_.version(),
              .received = pending->received,
              .message = wire::StoredMessage(envelope, delivery.body)};
  next.hops = static_cast<uint8_t>(pending->hops + 1);
  next.run = pending->run;
  next.spoken = pending->spoken;
  const bool waited = pending->suspended;
  const bool held = pending->holds;
  tickets_.release(ticket);
  for (size_t i = 0; i < batch_.size(); ++i) batch_[i].handed_on |= deliveries_[i].ticket.bits == ticket.bits;
  if (waited) {
    place_again(std::move(next), held);
    return {};
  }
  // Later messages of its session must not overtake it.
  batch_over_ |= envelope.after_delta != 0;
  forwarded_.push_back(std::move(next));
  return {};
}

/// To the front of the queue, in the order in which they were handed on.
void Dispatcher::place_forwarded() {
  for (; !forwarded_.empty(); forwarded_.pop_back()) place_again(std::move(forwarded_.back()), false);
}

/// Before everything of its session that came later. `held`: its handler had waited, and messages waited for it.
void Dispatcher::place_again(Queued next, bool held) {
  if (held) place_first(holds_.let_go(next.session));
  queue_bytes_ += next.bytes;
  const bool ordered = next.message.envelope().after_delta != 0;
  if (ordered && holds_.holds(next.session)) return holds_.push_front(std::move(next));
  queue_.push_front(std::move(next));
}

void Dispatcher::done(host::Ticket ticket) {
  if (host::ReplySink* carrier = carrier_of(ticket)) return carrier->done(ticket);
  Pending* pending = tickets_.find(ticket);
  if (!pending) return;
  if (wire::is_request(pending->kind)) {
    answer(ticket, kNoReply);
  } else {
    settle(ticket, *pending);
  }
}

host::ReplyOutcome Dispatcher::answer(host::Ticket ticket, const session::Reply& reply) {
  Pending* pending = tickets_.find(ticket);
  if (!pending) return host::ReplyOutcome::kStale;
  if (!wire::is_request(pending->kind)) return host::ReplyOutcome::kNotExpected;
  if (reply.status == wire::Status::kFailure)
    note_failure(pending->refused ? FailureStage::kRefused : FailureStage::kHandler, reply.code);
  if (pending->run) return keep_answer(ticket, *pending, reply);
  const ReplyAddress to = pending->address();
  const Status sent = respond(to, reply);
  const Code refused = sent ? Code::kOk : sent.error().code;
  if (refused == Code::kMessageTooLarge) return host::ReplyOutcome::kTooLarge;
  if (refused == Code::kHeadersInvalid) {
    // The caller hears what is wrong with its answer instead of waiting for its deadline.
    (void)respond(to, {wire::Status::kFailure, refused, sent.error().text, {}, {}});
  }
  settle(ticket, *pending);
  return refused == Code::kQueueFull ? host::ReplyOutcome::kQueueFull : host::ReplyOutcome::kAccepted;
}

}  // namespace godwit::app
