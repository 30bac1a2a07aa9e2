#include "app/worker_services.h"
#include "wire/envelope_check.h"

// Durable events: first to the store, then to the session, and out of the store when the client has them.

namespace godwit::app {
namespace {

/// How long a client's acknowledgement may take: longer than any session lives without a connection.
constexpr Duration kForever = 30 * 24h;

wire::StoredMessage named(const wire::Envelope& envelope, Bytes body, uint64_t id) {
  const std::string name = std::to_string(id);
  std::vector<wire::Header> headers(envelope.headers.begin(), envelope.headers.end());
  headers.push_back({wire::kDurableHeader, name});
  wire::Envelope with_name = envelope;
  with_name.headers = headers;
  return {with_name, body};
}

tl::unexpected<Error> gone() { return fail(Code::kStaleHandle, "the session is gone"); }

}  // namespace

Status send_kept(session::Session& session, const wire::Envelope& envelope, Bytes body, session::Waiting waiting) {
  const session::SendOptions options{
      .headers = envelope.headers,
      .timeout = kForever,
      .ttl = std::chrono::milliseconds(envelope.ttl_ms),
      .priority = envelope.priority,
      .order = envelope.after_delta != 0 ? session::Order::kOrdered : session::Order::kUnordered};
  return session.send_event(envelope.action, body, options, waiting).map([](uint64_t) {});
}

Status WorkerServices::send_durable(host::SessionKey key, const host::Outgoing& message, host::Completion kept) {
  if (!durable_) return fail(Code::kNotSupported, "nothing outlives this server: session.durable is off");
  if (!sessions_) return gone();
  if (message.order == session::Order::kUnreliable)
    return fail(Code::kArgumentInvalid, "an unreliable event cannot be durable");
  const wire::Envelope envelope{.after_delta = message.order == session::Order::kOrdered ? 1u : 0u,
                                .kind = wire::Kind::kEvent,
                                .priority = message.priority,
                                .ttl_ms = static_cast<uint32_t>(message.ttl / 1ms),
                                .action = message.action,
                                .headers = message.headers};
  if (Status valid = check(envelope, message.body); !valid) return valid;
  auto lane = own(key) ? Result<ErrandLane*>(nullptr) : lane_to(key);
  if (!lane) return tl::unexpected(std::move(lane.error()));
  auto operation = operations_.begin(std::move(kept), kNever);
  if (!operation) return tl::unexpected(std::move(operation.error()));
  if (*lane)
    (*lane)->push(KeepErrand{key, {envelope, message.body}, *operation});
  else
    keep_and_deliver(key, envelope, message.body, *operation);
  return {};
}

void WorkerServices::run(uint32_t from, KeepErrand& errand) {
  const auto begun = operations_.begin(Operation::Relay{from, errand.operation}, kNever);
  if (!begun) return answer(from, ReplyErrand{errand.operation, to_reply(begun.error())});
  keep_and_deliver(errand.to, errand.message.envelope(), errand.message.body(), *begun);
}

void WorkerServices::keep_and_deliver(host::SessionKey key, const wire::Envelope& envelope, Bytes body,
                                      OperationId operation) {
  const std::optional<DurableBook::Owner> owner =
      sessions_ ? sessions_->durable_owner(session::SessionId::from_u64(key)) : std::nullopt;
  if (!owner) return end_later(operation, {Code::kStaleHandle, "there is no session that outlives the process"});
  const uint64_t id = durable_->next_id();
  const auto message = std::make_shared<const wire::StoredMessage>(named(envelope, body, id));
  durable_->put_event(*owner, id, *message, [this, key, owner = *owner, id, message, operation](Status written) {
    if (written) return deliver_kept(key, owner, id, *message, operation);
    end_later(operation, std::move(written.error()));
  });
}

void WorkerServices::deliver_kept(host::SessionKey key, const DurableBook::Owner& owner, uint64_t id,
                                  const wire::StoredMessage& message, OperationId operation) {
  session::Session* session = own(key);
  Status sent =
      session ? send_kept(*session, message.envelope(), message.body(), durable_->waiting(owner, id)) : gone();
  if (sent) return end_later(operation, {Code::kOk, {}});
  durable_->forget_event(owner, id);
  end_later(operation, std::move(sent.error()));
}

/// Never from within the call that began it.
void WorkerServices::end_later(OperationId operation, Error outcome) {
  own_.push_back(ReplyErrand{operation, to_reply(outcome)});
  timers_.arm(again_timer_, clock_.now());
}

}  // namespace godwit::app
