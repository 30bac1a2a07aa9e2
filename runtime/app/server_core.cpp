#include "app/server_core.h"

#include "base/planted.h"

namespace godwit::app {
namespace {

using What = host::SessionEvent::What;

/// Of ours, or of the client's: no network does that.
bool is_mistake(Code reason) {
  const auto info = describe(reason);
  return info && info->severity >= Severity::kError;
}

/// The network's fault, or that of silence: the session may go on over another connection. Whoever says goodbye or
/// breaks the protocol ends it.
bool outlives(Code reason) {
  return reason == Code::kIdleTimeout || reason == Code::kConnectionReset || reason == Code::kConnectionLost ||
         reason == Code::kAckTimeout;
}

}  // namespace

uint32_t ServerCore::retry_after_ms(Code code) {
  const auto info = describe(code);
  return info ? static_cast<uint32_t>(info->retry_after.count()) : 0;
}

ServerCore::Peer::Peer(ServerCore& core, quic::Connection& connection)
    : channel(connection, core.config_.session,
              {core.world_.clock, core.world_.timers, core.codec_, core.log_.named("channel"), core.world_.metrics,
               core.world_.planner, core}),
      greeting_timer([this, &core](Timestamp) { core.on_greeting_late(*this); }),
      address(connection.path().remote.to_string()) {}

ServerCore::ServerCore(const ServerCoreConfig& config, quic::EndpointOptions options, World world)
    : config_(config),
      world_(world),
      log_(world.log),
      codec_(config.codec),
      tokens_(world.sealer, world.clock),
      worker_(static_cast<uint8_t>(options.worker_index)),
      worker_count_(options.worker_count),
      dispatcher_(config_.dispatcher, world.clock, world.metrics, world.log.named("dispatch"), world.handlers, *this),
      sessions_(
          {config_.session, worker_, config.promises_max, config.promises_warn_ratio},
          {world.clock, world.timers, world.log.named("sessions"), world.metrics, world.sessions, world.services,
           world.listener, *this,
           [this](session::SessionId id) { end_session(id, Code::kSessionIdle, "it was not used"); }, world.durable}),
      endpoint_(quic::make_endpoint(
          std::move(options),
          {world.clock, world.timers, world.sender, world.entropy, world.log.named("quic"), world.metrics}, *this)),
      renewal_timer_([this](Timestamp) { renew_tokens(); }) {
  world_.services.attach(this);
  world_.timers.arm(renewal_timer_, world_.clock.now() + kRenewalCheck);
}

ServerCore::~ServerCore() { world_.services.attach(nullptr); }

bool ServerCore::end_turn() {
  bool more = dispatcher_.run();
  more |= world_.services.end_turn();
  sessions_.end_turn();
  close_wanted();
  endpoint_->flush();
  return sessions_.take_told() || more;
}

void ServerCore::reap() {
  endpoint_->reap();
  doomed_peers_.clear();
  sessions_.reap();
}

void ServerCore::reconfigure(const ServerCoreConfig& config) {
  const uint64_t body_bytes_max = config_.session.body_bytes_max;
  config_.session = config.session;
  config_.session.body_bytes_max = body_bytes_max;
  config_.dispatcher = config.dispatcher;
}

void ServerCore::drain() {
  if (world_.durable) world_.durable->stop();
  endpoint_->stop_accepting();
  dispatcher_.drain();
  const Bytes goodbye = codec_.encode(
      wire::Goodbye{Code::kServerDraining, "the server is going down", retry_after_ms(Code::kServerDraining)});
  for (auto& [id, peer] : peers_) {
    if (peer->channel.live()) peer->channel.send_control(goodbye);
  }
}

void ServerCore::close_all(Code code, std::string_view reason, quic::Connection::CloseMode mode) {
  std::vector<quic::ConnectionId> ids;
  for (auto& [id, peer] : peers_) ids.push_back(id);
  for (const quic::ConnectionId id : ids) {
    if (quic::Connection* connection = endpoint_->get(id)) connection->close(code, reason, mode);
  }
  endpoint_->flush();
}

void ServerCore::on_events(quic::Connection& connection, std::span<const quic::Event> events) {
  const quic::ConnectionId id = connection.id();
  for (const quic::Event& event : events) {
    if (const auto* closed = std::get_if<quic::Closed>(&event)) return end_peer(id, *closed);
    if (std::holds_alternative<quic::HandshakeCompleted>(event)) {
      auto& peer = peers_[id] = std::make_unique<Peer>(*this, connection);
      world_.timers.arm(peer->greeting_timer, world_.clock.now() + config_.session.greeting_timeout);
      continue;
    }
    if (Peer* peer = find_peer(id)) peer->channel.on_event(event);
  }
}

ServerCore::Peer* ServerCore::find_peer(quic::ConnectionId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.get();
}

ServerCore::Peer* ServerCore::find_peer(session::SessionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : find_peer(found->second);
}

Result<host::SessionStats> ServerCore::session_stats(session::SessionId id) {
  const session::Session* session = sessions_.session(id);
  if (!session) return fail(Code::kStaleHandle, "the session is gone");
  Peer* peer = find_peer(id);
  const quic::ConnectionStats stats = peer ? peer->channel.connection().stats() : quic::ConnectionStats();
  return host::SessionStats{.rtt = stats.smoothed_rtt,
                            .bytes_sent = stats.bytes_sent,
                            .bytes_received = stats.bytes_received,
                            .messages_sent = session->outbox().next_seq() - 1,
                            .messages_received = session->inbox().cumulative(),
                            .pending_replies = session->pending_replies(),
                            .outbox_messages = session->outbox().messages()};
}

Status ServerCore::close_session(session::SessionId id, Code code, std::string_view text) {
  if (!sessions_.find(id)) return fail(Code::kStaleHandle, "the session is gone");
  close_wanted_.push_back({id, code, std::string(text)});
  return {};
}

void ServerCore::supersede_session(session::SessionId id) {
  if (!sessions_.find(id)) return;
  world_.metrics.sessions_superseded.add();
  if (Peer* peer = find_peer(id)) {
    peer->channel.close(Code::kSuperseded, kSupersededText);
    peer->channel.detach();
    connections_.erase(id);
  }
  sessions_.end(id, Code::kSuperseded, kSupersededText);
}

std::optional<DurableBook::Owner> ServerCore::durable_owner(session::SessionId id) {
  const Resident* resident = world_.durable ? sessions_.find(id) : nullptr;
  if (!resident || !sessions_.session(id)->keeps_messages()) return std::nullopt;
  return DurableBook::Owner{resident->identity.client_id, resident->born_unix_us};
}

void ServerCore::end_revoked(const session::Revocations& revocations) {
  const auto revoked = [&](const Resident& resident) { return revocations.cover(resident.identity); };
  for (const session::SessionId id : sessions_.find_all(revoked)) withdraw(id, "its credentials were withdrawn");
}

void ServerCore::end_expired() {
  const int64_t now = world_.clock.unix_us();
  const auto expired = [&](const Resident& resident) {
    return resident.identity.expires_unix_us != 0 && resident.identity.expires_unix_us <= now;
  };
  for (const session::SessionId id : sessions_.find_all(expired)) withdraw(id, "the time of its credentials is over");
}

void ServerCore::withdraw(session::SessionId id, std::string_view why) {
  const Resident& resident = *sessions_.find(id);
  if (resident.ending) return;
  log_.info("session ends", {{"client", resident.identity.client_id}, {"uid", resident.identity.uid}, {"reason", why}});
  end_session(id, Code::kRevoked, why);
}

void ServerCore::close_wanted() {
  for (const Closing& closing : std::exchange(close_wanted_, {})) {
    end_session(closing.session, closing.code, closing.text);
  }
}

/// With a connection it ends when that has closed, and what is queued for the client goes first.
void ServerCore::end_session(session::SessionId id, Code code, std::string_view text) {
  Peer* peer = find_peer(id);
  if (!peer) return sessions_.end(id, code, text);
  sessions_.find(id)->ending = Ending{code, std::string(text)};
  peer->channel.send_control(codec_.encode(wire::Goodbye{code, text, 0}));
  peer->channel.finish(code, text);
}

void ServerCore::on_goodbye(client::Channel& channel, const wire::Goodbye& goodbye) {
  log_.debug("client says goodbye", {{"code", goodbye.code}, {"reason", goodbye.text}});
  channel.finish(Code::kPeerClosed, "goodbye");
}

void ServerCore::end_peer(quic::ConnectionId id, const quic::Closed& closed) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  std::unique_ptr<Peer> peer = std::move(found.value());
  peers_.erase(found);
  peer->channel.detach();
  world_.timers.disarm(peer->greeting_timer);
  // Another connection may speak for its session by now.
  const auto connection = connections_.find(peer->session);
  if (connection != connections_.end() && (connection->second == id || planted(Fault::kIndexRemovedByIdOnly))) {
    connections_.erase(connection);
    leave(*sessions_.find(peer->session), reason_of(closed), closed.reason);
  }
  log_.debug("connection closed", {{"code", closed.code}, {"reason", closed.reason}, {"address", peer->address}});
  doomed_peers_.push_back(std::move(peer));
}

/// Its connection is gone: the session goes, or stays for another one.
void ServerCore::leave(Resident& resident, Code reason, std::string_view text) {
  if (reason == Code::kIdleTimeout) sessions_.tell(What::kHeartbeatTimeout, resident, reason, text);
  if (is_mistake(reason)) sessions_.tell(What::kError, resident, reason, text);
  if (resident.ending) {
    const Ending ending = *resident.ending;
    return sessions_.end(resident.id, ending.code, ending.text);
  }
  // A client that has not read its Welcome may give this connection up for any reason, and try another.
  if (outlives(reason) || !resident.confirmed) return sessions_.part(resident.id, reason, text);
  sessions_.end(resident.id, reason, text);
}

void ServerCore::on_broadcast(std::string_view group, std::string_view action, size_t sessions) {
  if (!sessions_.told(What::kBroadcast)) return;
  world_.listener->on_session({.what = What::kBroadcast,
                               .session = {},
                               .code = Code::kOk,
                               .reason = std::string(group),
                               .groups = {},
                               .action = std::string(action),
                               .count = sessions});
}

void ServerCore::on_message(session::Session& session, session::Incoming message) {
  if (const Status may = sessions_.check(session.id(), message); !may) {
    world_.metrics.messages_dropped[static_cast<size_t>(DropReason::kForbidden)].add();
    return refuse_message(session, message.envelope, may.error());
  }
  const wire::Envelope& envelope = message.envelope;
  if (sessions_.told(What::kReceived))
    sessions_.tell_message(What::kReceived, session.id(), Code::kOk, envelope.action, envelope.message_id());
  dispatcher_.submit(session, message);
}

}  // namespace godwit::app
