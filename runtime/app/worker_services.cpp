#include "app/worker_services.h"

#include <algorithm>

#include "app/key_desk.h"
#include "wire/envelope_check.h"

namespace godwit::app {
namespace {

constexpr Duration kTryAgain = 1ms;  ///< a full mailbox of another worker: it has thousands of tasks before it

uint32_t to_ms(Duration duration) {
  return static_cast<uint32_t>(
      std::clamp<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count(), 0, UINT32_MAX));
}

// Between here and the session that numbers it, a message's order stands in its envelope.
wire::Envelope envelope_of(wire::Kind kind, const host::Outgoing& message, Duration timeout) {
  return {.after_delta = message.order == session::Order::kOrdered ? 1u : 0u,
          .kind = kind,
          .priority = message.priority,
          .flags = message.order == session::Order::kUnreliable ? wire::flags::kUnreliable : uint16_t{0},
          .deadline_ms = to_ms(timeout),
          .ttl_ms = to_ms(message.ttl),
          .action = message.action,
          .headers = message.headers};
}

session::Order order_of(const wire::Envelope& envelope) {
  if (envelope.flags & wire::flags::kUnreliable) return session::Order::kUnreliable;
  return envelope.after_delta != 0 ? session::Order::kOrdered : session::Order::kUnordered;
}

session::SendOptions options_of(const wire::Envelope& envelope) {
  return {.headers = envelope.headers,
          .timeout = std::chrono::milliseconds(envelope.deadline_ms),
          .ttl = std::chrono::milliseconds(envelope.ttl_ms),
          .priority = envelope.priority,
          .order = order_of(envelope)};
}

wire::StoredMessage stored(const session::Reply& reply) {
  return {wire::Envelope{.status = reply.status, .code = reply.code, .text = reply.text, .headers = reply.headers},
          reply.body};
}

tl::unexpected<Error> gone() { return fail(Code::kStaleHandle, "the session is gone"); }

}  // namespace

wire::StoredMessage to_reply(const Error& outcome) {
  const bool ok = outcome.code == Code::kOk;
  return stored(
      session::Reply{ok ? wire::Status::kSuccess : wire::Status::kFailure, outcome.code, outcome.text, {}, {}});
}

WorkerServices::WorkerServices(uint32_t worker, const Clock& clock, TimerHeap& timers, SessionDirectory& directory)
    : worker_(worker),
      clock_(clock),
      timers_(timers),
      directory_(directory),
      operations_(timers,
                  [this](const Operation::Relay& relay, const session::Reply& reply) {
                    relays_.erase({relay.worker, relay.operation.to_u64()});
                    answer(relay.worker, ReplyErrand{relay.operation, stored(reply)});
                  }),
      again_timer_([](Timestamp) {}) {}  // being awake is all it is for

WorkerServices::~WorkerServices() = default;

void WorkerServices::connect(uint32_t worker, Mailbox& mailbox, WorkerServices& services) {
  if (worker == worker_) return;
  if (worker >= lanes_.size()) lanes_.resize(worker + 1);
  lanes_[worker] = std::make_unique<ErrandLane>(
      mailbox, [from = worker_, &services](std::vector<Errand>& errands) { services.run(from, errands); });
}

bool WorkerServices::end_turn() {
  const bool told = run_own();
  bool sent = true;
  for (const auto& lane : lanes_) {
    if (lane) sent = lane->flush() && sent;
  }
  if (!sent) timers_.arm(again_timer_, clock_.now() + kTryAgain);
  operations_.reap();
  return told;
}

bool WorkerServices::run_own() {
  if (own_.empty()) return false;
  auto errands = std::exchange(own_, {});
  run(worker_, errands);
  return true;
}

session::Session* WorkerServices::own(host::SessionKey key) {
  return sessions_ ? sessions_->find_session(session::SessionId::from_u64(key)) : nullptr;
}

Result<ErrandLane*> WorkerServices::lane_to(host::SessionKey key) {
  const auto worker = directory_.worker_of(key);
  if (!worker || *worker >= lanes_.size() || !lanes_[*worker]) return gone();
  if (!lanes_[*worker]->has_room()) return fail(Code::kQueueFull, "too much is on its way to another worker");
  return lanes_[*worker].get();
}

Status WorkerServices::send(host::SessionKey key, const host::Outgoing& message, host::Completion done) {
  return deliver(key, wire::Kind::kEvent, message, std::move(done)).map([](OperationId) {});
}

Result<host::RequestId> WorkerServices::request(host::SessionKey key, wire::Kind kind, const host::Outgoing& message,
                                                host::Completion done) {
  return deliver(key, kind, message, std::move(done)).map([](OperationId id) { return id.to_u64(); });
}

Status WorkerServices::keep(std::string_view uid, const host::Outgoing& message, Duration ttl) {
  if (!sessions_) return fail(Code::kServerDraining);
  const wire::Envelope envelope = envelope_of(wire::Kind::kEvent, message, {});
  if (const Status valid = check(envelope, message.body); !valid) return valid;
  OfflineTable::Tally tally;
  Status kept = directory_.offline().keep(std::string(uid), {envelope, message.body}, ttl, tally);
  tally.add_to(sessions_->counts());
  return kept;
}

Duration WorkerServices::request_timeout() const {
  return sessions_ ? sessions_->session_config().request_timeout : Duration();
}

/// Another worker is told, and what it answers is nobody's.
void WorkerServices::cancel(host::RequestId request) {
  const auto operation = OperationId::from_u64(request);
  const auto sent = operations_.sent(operation);
  if (!sent) return;
  if (!sent->worker) return cancel_here(operation);
  lanes_[*sent->worker]->push(CancelErrand{operation});
  operations_.reply(operation, {wire::Status::kFailure, Code::kCancelled, "the caller withdrew it", {}, {}});
}

void WorkerServices::cancel_here(OperationId operation) {
  const auto sent = operations_.sent(operation);
  session::Session* session = sent && sessions_ ? sessions_->find_session(sent->session) : nullptr;
  if (session) session->cancel(sent->message_id);
}

Result<OperationId> WorkerServices::deliver(host::SessionKey key, wire::Kind kind, const host::Outgoing& message,
                                            host::Completion done) {
  if (!sessions_) return gone();
  const Duration timeout =
      message.timeout > Duration::zero() ? message.timeout : sessions_->session_config().request_timeout;
  // Who hears the end of an event waits for it like for a reply.
  const bool timed = done || wire::is_request(kind);
  const wire::Envelope envelope = envelope_of(kind, message, timed ? timeout : Duration());
  session::Session* here = own(key);
  ErrandLane* lane = nullptr;
  if (!here) {
    auto found = lane_to(key);
    if (!found) return tl::unexpected(std::move(found.error()));
    if (Status valid = check(envelope, message.body); !valid) return tl::unexpected(std::move(valid.error()));
    lane = *found;
  }
  OperationId operation;
  if (done) {
    // A session of this worker sees to its deadlines itself.
    auto begun = operations_.begin(std::move(done), here ? kNever : clock_.now() + timeout);
    if (!begun) return tl::unexpected(std::move(begun.error()));
    operation = *begun;
  }
  if (lane) {
    lane->push(DeliverErrand{key, {envelope, message.body}, operation});
    if (wire::is_request(kind)) operations_.note_sent(operation, {.worker = directory_.worker_of(key)});
    return operation;
  }
  if (Status sent = deliver_here(*here, envelope, message.body, operation); !sent) {
    operations_.forget(operation);
    return tl::unexpected(std::move(sent.error()));
  }
  return operation;
}

Status WorkerServices::deliver_here(session::Session& session, const wire::Envelope& envelope, Bytes body,
                                    OperationId operation) {
  const session::Waiting waiting = operations_.waiting(operation);
  const auto sent = wire::is_request(envelope.kind)
                        ? session.request(envelope.kind, envelope.action, body, options_of(envelope), waiting)
                        : session.send_event(envelope.action, body, options_of(envelope), waiting);
  if (!sent) return tl::unexpected(sent.error());
  if (wire::is_request(envelope.kind)) operations_.note_sent(operation, {session.id(), *sent, std::nullopt});
  return {};
}

Status WorkerServices::check(const wire::Envelope& envelope, Bytes body) const {
  const size_t bytes_max = sessions_->session_config().body_bytes_max;
  if (body.size() > bytes_max) {
    return fail(Code::kMessageTooLarge,
                "body of " + std::to_string(body.size()) + " bytes, at most " + std::to_string(bytes_max));
  }
  if (Status bounded = wire::check_bounds(envelope, {}); !bounded) return bounded;
  return wire::check_encoding(envelope);
}

Result<size_t> WorkerServices::broadcast(std::string_view group, host::SessionKey except, const host::Outgoing& message,
                                         std::function<void(const host::Fanout&)> done) {
  if (!sessions_) return fail(Code::kServerDraining);
  const wire::Envelope envelope = envelope_of(wire::Kind::kEvent, message, {});
  if (const Status valid = check(envelope, message.body); !valid) return tl::unexpected(valid.error());
  Audience audience = group.empty() ? directory_.everybody(except) : directory_.groups().audience(group, except);
  if (const Status room = check_room(audience); !room) return tl::unexpected(room.error());
  const size_t count = audience.size();
  (group.empty() ? recipients_everywhere_ : recipients_in_groups_).add(count);
  audience.by_worker.resize(std::max<size_t>(audience.by_worker.size(), worker_ + 1));

  OperationId operation;
  if (done) {
    size_t shares = 1;  // this worker's, be it empty
    for (uint32_t worker = 0; worker < audience.by_worker.size(); ++worker) {
      shares += worker != worker_ && !audience.by_worker[worker].empty();
    }
    auto begun = operations_.begin(Operation::Broadcast{std::move(done), shares, {}}, kNever);
    if (!begun) return tl::unexpected(std::move(begun.error()));
    operation = *begun;
  }
  std::shared_ptr<const wire::StoredMessage> copy;
  for (uint32_t worker = 0; worker < audience.by_worker.size(); ++worker) {
    if (worker == worker_ || audience.by_worker[worker].empty()) continue;
    if (!copy) copy = std::make_shared<const wire::StoredMessage>(envelope, message.body);
    lanes_[worker]->push(SpreadErrand{std::move(audience.by_worker[worker]), copy, operation});
  }
  host::Fanout here = spread_here(audience.by_worker[worker_], envelope, message.body);
  if (operation) own_.push_back(FanoutErrand{operation, std::move(here)});
  sessions_->on_broadcast(group, message.action, count);
  return count;
}

Status WorkerServices::check_room(const Audience& audience) const {
  for (uint32_t worker = 0; worker < audience.by_worker.size(); ++worker) {
    if (worker == worker_ || audience.by_worker[worker].empty()) continue;
    if (worker >= lanes_.size() || !lanes_[worker]) return fail(Code::kInternal, "a worker that nobody knows");
    if (!lanes_[worker]->has_room()) return fail(Code::kQueueFull, "too much is on its way to another worker");
  }
  return {};
}

host::Fanout WorkerServices::spread_here(const std::vector<host::SessionKey>& to, const wire::Envelope& envelope,
                                         Bytes body) {
  host::Fanout outcome;
  const session::SendOptions options = options_of(envelope);
  for (const host::SessionKey key : to) {
    session::Session* session = own(key);
    const auto sent = session ? session->send_event(envelope.action, body, options, {}) : gone();
    if (sent) {
      ++outcome.sent;
      continue;
    }
    ++outcome.refused;
    if (outcome.refusals.size() < host::Fanout::kRefusalsMax) outcome.refusals.push_back({key, sent.error().code});
  }
  return outcome;
}

void WorkerServices::supersede(host::SessionKey key) {
  if (own(key)) return sessions_->supersede_session(session::SessionId::from_u64(key));
  if (const auto lane = lane_to(key)) (*lane)->push(SupersedeErrand{key});  // no lane: it is gone already
}

Status WorkerServices::close(host::SessionKey key, Code code, std::string_view text) {
  if (own(key)) return sessions_->close_session(session::SessionId::from_u64(key), code, text);
  const auto lane = lane_to(key);
  if (!lane) return tl::unexpected(lane.error());
  (*lane)->push(CloseErrand{key, code, std::string(text)});
  return {};
}

Status WorkerServices::stats(host::SessionKey key, std::function<void(Result<host::SessionStats>)> done) {
  const bool here = own(key) != nullptr;
  const Result<ErrandLane*> lane = here ? Result<ErrandLane*>(nullptr) : lane_to(key);
  if (!lane) return tl::unexpected(lane.error());
  auto operation = operations_.begin(std::move(done), kNever);
  if (!operation) return tl::unexpected(std::move(operation.error()));
  if (here) {
    own_.push_back(StatsReplyErrand{*operation, sessions_->session_stats(session::SessionId::from_u64(key))});
  } else {
    (*lane)->push(StatsErrand{key, *operation});
  }
  return {};
}

std::optional<host::Value> WorkerServices::attribute(host::SessionKey key, std::string_view name) const {
  return directory_.attributes().get(key, name);
}

Status WorkerServices::set_attribute(host::SessionKey key, std::string_view name,
                                     const std::optional<host::Value>& value, Duration ttl) {
  return directory_.attributes().set(key, name, value, ttl);
}

Result<bool> WorkerServices::cas_attribute(host::SessionKey key, std::string_view name,
                                           const std::optional<host::Value>& expected,
                                           const std::optional<host::Value>& value) {
  return directory_.attributes().compare_and_set(key, name, expected, value);
}

Status WorkerServices::join(host::SessionKey key, std::string_view group) {
  return directory_.groups().join(key, group);
}

Status WorkerServices::leave(host::SessionKey key, std::string_view group) {
  return directory_.groups().leave(key, group);
}

std::vector<std::string> WorkerServices::groups_of(host::SessionKey key) const {
  return directory_.groups().groups_of(key);
}

size_t WorkerServices::group_size(std::string_view group) const { return directory_.groups().size(group); }

bool WorkerServices::has_room(uint32_t worker) const {
  return worker < lanes_.size() && lanes_[worker] && lanes_[worker]->has_room();
}

void WorkerServices::push(uint32_t worker, Errand errand) { answer(worker, std::move(errand)); }

void WorkerServices::run(uint32_t from, CarryErrand& errand) {
  if (desk_) desk_->arrive(from, std::move(errand));
}

void WorkerServices::run(uint32_t, VerdictErrand& errand) {
  if (desk_) desk_->hear(errand);
}

void WorkerServices::answer(uint32_t worker, Errand errand) {
  if (worker < lanes_.size() && lanes_[worker]) lanes_[worker]->push(std::move(errand));
}

void WorkerServices::run(uint32_t from, std::vector<Errand>& errands) {
  for (Errand& errand : errands) {
    std::visit([&](auto& what) { run(from, what); }, errand);
  }
}

void WorkerServices::run(uint32_t from, DeliverErrand& errand) {
  const wire::Envelope& envelope = errand.message.envelope();
  OperationId relayed;
  if (errand.operation) {
    const auto begun = operations_.begin(Operation::Relay{from, errand.operation}, kNever);
    if (!begun) return answer(from, ReplyErrand{errand.operation, to_reply(begun.error())});
    relayed = *begun;
    relays_[{from, errand.operation.to_u64()}] = relayed;
  }
  session::Session* session = own(errand.to);
  const Status sent = session ? deliver_here(*session, envelope, errand.message.body(), relayed) : gone();
  if (sent || !errand.operation) return;
  operations_.forget(relayed);
  relays_.erase({from, errand.operation.to_u64()});
  answer(from, ReplyErrand{errand.operation, to_reply(sent.error())});
}

void WorkerServices::run(uint32_t from, CancelErrand& errand) {
  const auto relayed = relays_.find({from, errand.operation.to_u64()});
  if (relayed != relays_.end()) cancel_here(relayed->second);
}

void WorkerServices::run(uint32_t from, SpreadErrand& errand) {
  host::Fanout outcome = spread_here(errand.to, errand.message->envelope(), errand.message->body());
  if (errand.operation) answer(from, FanoutErrand{errand.operation, std::move(outcome)});
}

void WorkerServices::run(uint32_t, CloseErrand& errand) {
  if (!own(errand.session)) return;  // it has ended by itself
  (void)sessions_->close_session(session::SessionId::from_u64(errand.session), errand.code, errand.text);
}

void WorkerServices::run(uint32_t, SupersedeErrand& errand) {
  if (own(errand.session)) sessions_->supersede_session(session::SessionId::from_u64(errand.session));
}

void WorkerServices::run(uint32_t from, StatsErrand& errand) {
  auto stats = own(errand.session) ? sessions_->session_stats(session::SessionId::from_u64(errand.session))
                                   : Result<host::SessionStats>(gone());
  answer(from, StatsReplyErrand{errand.operation, std::move(stats)});
}

void WorkerServices::run(uint32_t, ReplyErrand& errand) {
  const wire::Envelope& envelope = errand.reply.envelope();
  operations_.reply(errand.operation,
                    {envelope.status, envelope.code, envelope.text, envelope.headers, errand.reply.body()});
}

void WorkerServices::run(uint32_t, FanoutErrand& errand) { operations_.share(errand.operation, errand.outcome); }

void WorkerServices::run(uint32_t, StatsReplyErrand& errand) {
  operations_.stats(errand.operation, std::move(errand.stats));
}

}  // namespace godwit::app
