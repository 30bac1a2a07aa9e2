#include "app/server_core.h"

#include "base/version.h"

namespace godwit::app {
namespace {

/// When to come back, as the registry advises. 0: it does not say.
uint32_t retry_after_ms(Code code) {
  const auto info = describe(code);
  return info ? static_cast<uint32_t>(info->retry_after.count()) : 0;
}

}  // namespace

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
      promises_(config.promises_max, world.clock, world.timers, world.metrics, *this, config.promises_warn_ratio),
      dispatcher_(config_.dispatcher, world.clock, world.metrics, world.log.named("dispatch"), world.handlers, *this),
      sessions_(static_cast<uint8_t>(options.worker_index)),
      endpoint_(quic::make_endpoint(
          std::move(options),
          {world.clock, world.timers, world.sender, world.entropy, world.log.named("quic"), world.metrics}, *this)) {
  world_.services.attach(this);
}

ServerCore::~ServerCore() {
  world_.services.attach(nullptr);
  sessions_.for_each(
      [this](session::SessionId id, session::Session&) { world_.services.directory().leave(id.to_u64()); });
  for (size_t i = 0; i < sessions_.size(); ++i) world_.sessions.release();
}

bool ServerCore::end_turn() {
  told_ = false;
  bool more = dispatcher_.run();
  more |= world_.services.end_turn();
  // Handlers and acknowledgements may make others want a turn; those belong to this one as well.
  while (!turn_wanted_.empty()) {
    for (const session::SessionId id : std::exchange(turn_wanted_, {})) {
      if (session::Session* session = sessions_.get(id)) session->end_turn();
    }
  }
  close_wanted();
  endpoint_->flush();
  return more || told_;
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

const host::SessionView* ServerCore::view_session(session::SessionId id) {
  Peer* peer = find_peer(id);
  return peer ? &peer->view : nullptr;
}

Result<host::SessionStats> ServerCore::session_stats(session::SessionId id) {
  Peer* peer = find_peer(id);
  const session::Session* session = sessions_.get(id);
  if (!peer || !session) return fail(Code::kStaleHandle, "the session is gone");
  const quic::ConnectionStats stats = peer->channel.connection().stats();
  return host::SessionStats{.rtt = stats.smoothed_rtt,
                            .bytes_sent = stats.bytes_sent,
                            .bytes_received = stats.bytes_received,
                            .messages_sent = session->outbox().next_seq() - 1,
                            .messages_received = session->inbox().cumulative(),
                            .pending_replies = session->pending_replies(),
                            .outbox_messages = session->outbox().messages()};
}

Status ServerCore::close_session(session::SessionId id, Code code, std::string_view text) {
  if (!find_peer(id)) return fail(Code::kStaleHandle, "the session is gone");
  close_wanted_.push_back({id, code, std::string(text)});
  return {};
}

void ServerCore::close_wanted() {
  for (const Closing& closing : std::exchange(close_wanted_, {})) {
    Peer* peer = find_peer(closing.session);
    if (!peer) continue;
    peer->channel.send_control(codec_.encode(wire::Goodbye{closing.code, closing.text, 0}));
    peer->channel.finish(closing.code, closing.text);
  }
}

void ServerCore::on_greeting(client::Channel& channel, const wire::Frame& frame) {
  Peer* peer = find_peer(channel.connection().id());
  if (!peer) return;
  if (frame.type != wire::FrameType::kHello) return channel.close(Code::kUnexpectedFrame, "a client greets with Hello");
  if (peer->greeting != Peer::Greeting::kAwaited) return channel.close(Code::kUnexpectedFrame, "a second Hello");
  const auto hello = codec_.decode_hello(frame.payload);
  // Who it is may be wrong politely; bytes that make no sense are not answered.
  if (!hello && hello.error().code == Code::kIdentityInvalid) return refuse(*peer, hello.error());
  if (!hello) return channel.close(hello.error());
  if (const Status valid = session::check_client_id(hello->client_id); !valid) return refuse(*peer, valid.error());
  ask_who(*peer, *hello);
}

void ServerCore::ask_who(Peer& peer, const wire::Hello& hello) {
  peer.greeting = Peer::Greeting::kAsked;
  quic::Connection& connection = peer.channel.connection();
  const session::Credentials credentials{.client_id = std::string(hello.client_id),
                                         .uid = std::string(hello.uid),
                                         .token = std::string(hello.token),
                                         .agent = std::string(hello.agent),
                                         .certificate_name = std::string(connection.peer_certificate_name()),
                                         .address = peer.address};
  world_.authenticator.authenticate(credentials, [this, id = connection.id()](Result<session::Identity> identity) {
    on_decided(id, std::move(identity));
  });
}

/// Now or later; by then the client may have gone, or its time may be over.
void ServerCore::on_decided(quic::ConnectionId id, Result<session::Identity> identity) {
  Peer* peer = find_peer(id);
  if (!peer || peer->greeting != Peer::Greeting::kAsked) return;
  const Status entered = identity ? enter(*peer, std::move(*identity)) : tl::unexpected(std::move(identity.error()));
  if (!entered) refuse(*peer, entered.error());
}

void ServerCore::on_greeting_late(Peer& peer) {
  if (peer.greeting == Peer::Greeting::kAsked) {
    return refuse(peer, {Code::kUnauthenticated, "nobody decided in time"});
  }
  peer.channel.close(Code::kFirstFrameTimeout, "no Hello in time");
}

Status ServerCore::enter(Peer& peer, session::Identity identity) {
  if (const Status valid = session::check_uid(identity.uid); !valid) return valid;
  if (!world_.sessions.try_acquire()) return fail(Code::kTooManyConnections, "all session places are taken");
  peer.greeting = Peer::Greeting::kDecided;
  peer.identity = std::move(identity);
  peer.session = sessions_.emplace_with([&](session::SessionId id) {
    return std::make_unique<session::Session>(
        id, config_.session, session::Session::World{world_.clock, world_.timers, promises_, world_.metrics, *this});
  });
  connections_[peer.session] = peer.channel.connection().id();
  peer.view = {peer.session.to_u64(), peer.identity.client_id, peer.identity.uid, peer.address};
  world_.metrics.sessions.add(1);
  world_.services.directory().enter({.key = peer.session.to_u64(),
                                     .client_id = peer.identity.client_id,
                                     .uid = peer.identity.uid,
                                     .address = peer.address,
                                     .worker = world_.services.worker(),
                                     .connected_unix_us = world_.clock.unix_us()});
  if (const Status furnished = furnish(peer); !furnished) {
    log_.error("client refused: its session cannot begin as was decided",
               {{"client", peer.identity.client_id}, {"uid", peer.identity.uid}, {"error", furnished.error().text}});
    forget_session(peer);
    return fail(Code::kUnauthenticated, "not admitted");
  }
  tell(host::SessionEvent::What::kCreated, peer, Code::kOk, {});
  welcome(peer);
  return {};
}

/// Groups and attributes that whoever let it in has named.
Status ServerCore::furnish(const Peer& peer) {
  const host::SessionKey key = peer.session.to_u64();
  for (const std::string& group : peer.identity.groups) {
    if (const Status joined = world_.services.join(key, group); !joined) return joined;
  }
  for (const auto& [name, value] : peer.identity.attributes) {
    if (const Status set = world_.services.set_attribute(key, name, value, {}); !set) return set;
  }
  return {};
}

void ServerCore::forget_session(const Peer& peer) {
  world_.services.directory().leave(peer.session.to_u64());
  connections_.erase(peer.session);
  sessions_.erase(peer.session);
  world_.sessions.release();
  world_.metrics.sessions.add(-1);
}

void ServerCore::tell(host::SessionEvent::What what, const Peer& peer, Code code, std::string_view reason) {
  if (!world_.listener || !world_.listener->hears(what)) return;
  const host::SessionKey key = peer.session.to_u64();
  auto session = world_.services.session(key);
  if (!session) return;
  told_ = true;
  world_.listener->on_session({what, std::move(*session), code, std::string(reason), world_.services.groups_of(key)});
}

void ServerCore::welcome(Peer& peer) {
  world_.timers.disarm(peer.greeting_timer);
  const Duration heartbeat = config_.session.heartbeat_interval;
  const wire::Welcome welcome{
      .session = peer.session.to_u64(),
      .inline_bytes_max = config_.session.body_bytes_max,
      .outbox_messages_max = static_cast<uint32_t>(config_.session.holdback_messages_max),
      .heartbeat_ms = static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(heartbeat).count()),
      .server = kAgentName,
  };
  peer.channel.send_control(codec_.encode(welcome));
  const Status live = peer.channel.go_live(*sessions_.get(peer.session), heartbeat);
  if (!live) peer.channel.close(live.error().code, "the client allows no stream for the shared lane");
  log_.debug("session opened",
             {{"client", peer.identity.client_id}, {"uid", peer.identity.uid}, {"address", peer.address}});
}

void ServerCore::refuse(Peer& peer, const Error& error) {
  peer.greeting = Peer::Greeting::kDecided;
  world_.metrics.hellos_refused.add();
  log_.info("client refused", {{"code", error.code}, {"reason", error.text}, {"address", peer.address}});
  world_.timers.disarm(peer.greeting_timer);
  peer.channel.send_control(codec_.encode(wire::Refuse{error.code, error.text, retry_after_ms(error.code)}));
  peer.channel.finish(error.code, error.text);
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
  if (session::Session* session = sessions_.get(peer->session)) {
    tell(host::SessionEvent::What::kClosed, *peer, closed.code, closed.reason);
    session->fail_all(Code::kConnectionLost, closed.reason);
    forget_session(*peer);
  }
  log_.debug("connection closed", {{"code", closed.code}, {"reason", closed.reason}, {"address", peer->address}});
  doomed_peers_.push_back(std::move(peer));
}

void ServerCore::on_message(session::Session& session, session::Incoming message) {
  dispatcher_.submit(session, message);
}

void ServerCore::on_turn_wanted(session::Session& session) { turn_wanted_.push_back(session.id()); }

void ServerCore::on_promise_expired(const session::Promise& promise) {
  if (session::Session* session = sessions_.get(promise.session)) session->promise_expired(promise);
}

void ServerCore::on_promises_high(size_t in_use, size_t bound) {
  log_.warn("many replies are pending", {{"pending", in_use}, {"bound", bound}});
}

}  // namespace godwit::app
