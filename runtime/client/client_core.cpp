#include "client/client_core.h"

#include <algorithm>

#include "base/version.h"

namespace godwit::client {

/// One connection on its way from dialling to goodbye.
class Peer {
 public:
  Peer(PeerId self, quic::ConnectionId on, Credentials who, std::function<void(Timestamp)> on_timeout)
      : id(self), connection(on), credentials(std::move(who)), connect_timer(std::move(on_timeout)) {}

  const PeerId id;
  const quic::ConnectionId connection;
  Credentials credentials;
  Timer connect_timer;
  std::unique_ptr<Channel> channel;  ///< from the handshake on
  session::SessionId resume;         ///< to be asked for
  session::SessionId session;        ///< from Welcome on
  Error refusal{Code::kOk, {}};      ///< what the server said, better than how the connection ended
};

namespace {

uint64_t random_number(Entropy& entropy) {
  uint64_t number;
  entropy.fill({reinterpret_cast<uint8_t*>(&number), sizeof number});
  return number;
}

// Blocks for what is not acknowledged yet, as in a server's session table: a client has few sessions.
constexpr size_t kBlockBytes = 4096;
constexpr size_t kIdleBlocksMax = 64;

/// The session may go on over another connection: the network failed, or the server goes and may come back with it.
bool outlives(Code why) {
  return why == Code::kIdleTimeout || why == Code::kConnectionReset || why == Code::kConnectionLost ||
         why == Code::kAckTimeout || why == Code::kSocketFailed || why == Code::kServerDraining;
}

}  // namespace

ClientCore::ClientCore(const ClientCoreConfig& config, quic::EndpointOptions options, World world)
    : config_(config),
      world_(world),
      log_(world.log),
      codec_(config.codec),
      promises_(config.promises_max, world.clock, world.timers, world.metrics, *this),
      blocks_(kIdleBlocksMax, kBlockBytes),
      endpoint_(quic::make_endpoint(
          std::move(options),
          {world.clock, world.timers, world.sender, world.entropy, world.log.named("quic"), world.metrics}, *this)),
      program_(random_number(world.entropy)) {}

ClientCore::~ClientCore() = default;

Result<PeerId> ClientCore::connect(const NetworkPath& path, const std::string& server_name, Credentials credentials,
                                   Duration timeout, session::SessionId resume) {
  const Return* back = find_return(resume);
  auto connection = endpoint_->connect(path, server_name, back ? back->steer : std::nullopt);
  if (!connection) return tl::unexpected(std::move(connection.error()));
  const PeerId id = peers_.emplace_with([&](PeerId self) {
    return std::make_unique<Peer>(self, *connection, std::move(credentials), [this, self](Timestamp) {
      if (Peer* peer = peers_.get(self)) {
        peer->refusal = {Code::kConnectTimeout, "no connection in time"};
        if (quic::Connection* connection = endpoint_->get(peer->connection))
          connection->close(code_of_giving_up(*peer, Code::kConnectTimeout), "gave up");
        end(self, peer->refusal);
      }
    });
  });
  peers_.get(id)->resume = back ? resume : session::SessionId();
  by_connection_[*connection] = id;
  if (timeout > Duration::zero()) world_.timers.arm(peers_.get(id)->connect_timer, world_.clock.now() + timeout);
  return id;
}

session::Session* ClientCore::session(PeerId id) {
  Peer* peer = peers_.get(id);
  return peer ? sessions_.get(peer->session) : nullptr;
}

quic::Connection* ClientCore::connection(PeerId id) {
  Peer* peer = peers_.get(id);
  return peer ? endpoint_->get(peer->connection) : nullptr;
}

void ClientCore::close(PeerId id, Code code, std::string_view reason) {
  if (quic::Connection* open = connection(id))
    open->close(code_of_giving_up(*peers_.get(id), code), reason, quic::Connection::CloseMode::kAfterQueued);
}

/// Whoever gives a try to resume up does not give the session up, which the server may have taken up by now.
Code ClientCore::code_of_giving_up(const Peer& peer, Code code) const {
  return peer.resume && !peer.session ? Code::kConnectionLost : code;
}

void ClientCore::end_turn() {
  while (!turn_wanted_.empty()) {
    for (const session::SessionId id : std::exchange(turn_wanted_, {})) {
      if (session::Session* session = sessions_.get(id)) session->end_turn();
    }
  }
  endpoint_->flush();
}

void ClientCore::reap() {
  endpoint_->reap();
  peers_.reap();
  sessions_.reap();
}

Peer* ClientCore::find(quic::ConnectionId id) {
  const auto found = by_connection_.find(id);
  return found == by_connection_.end() ? nullptr : peers_.get(found->second);
}

void ClientCore::on_events(quic::Connection& connection, std::span<const quic::Event> events) {
  for (const quic::Event& event : events) {
    Peer* peer = find(connection.id());
    if (!peer) return;
    if (const auto* closed = std::get_if<quic::Closed>(&event)) {
      const bool told = peer->refusal.code != Code::kOk;
      return end(peer->id, told ? peer->refusal : Error{reason_of(*closed), closed->reason});
    }
    if (std::holds_alternative<quic::HandshakeCompleted>(event)) {
      on_handshake(*peer, connection);
    } else if (peer->channel) {
      peer->channel->on_event(event);
    }
  }
}

void ClientCore::on_handshake(Peer& peer, quic::Connection& connection) {
  if (!world_.events.on_reached(peer.id)) return connection.close(Code::kCancelled, "another address was faster");
  peer.channel = std::make_unique<Channel>(
      connection, config_.session,
      Channel::World{world_.clock, world_.timers, codec_, log_.named("channel"), world_.metrics, planner_, *this});
  wire::Hello hello{.client_id = peer.credentials.client_id,
                    .uid = peer.credentials.uid,
                    .token = peer.credentials.token,
                    .agent = kAgentName,
                    .features = wire::features::kCancel | (config_.keep_sessions ? wire::features::kResume : 0),
                    .program = program_,
                    .attempt = ++attempts_};
  const session::Session* kept = sessions_.get(peer.resume);
  if (const Return* back = find_return(peer.resume); back && kept) {
    hello.resume_token = back->token;
    hello.last_seq = kept->resync().handled;
    hello.known_seq = kept->resync().known;
  }
  if (const Status greeted = peer.channel->greet(hello); !greeted) {
    peer.refusal = greeted.error();
    connection.close(greeted.error().code, greeted.error().text);
  }
}

ClientCore::Return* ClientCore::find_return(session::SessionId id) {
  const auto found = returns_.find(id);
  return found == returns_.end() ? nullptr : &found.value();
}

void ClientCore::on_greeting(Channel& channel, const wire::Frame& frame) {
  Peer* peer = find(channel.connection().id());
  if (!peer) return;
  if (frame.type == wire::FrameType::kWelcome) {
    const auto welcome = codec_.decode_welcome(frame.payload);
    if (!welcome) return channel.close(welcome.error());
    return on_welcome(*peer, *welcome);
  }
  if (frame.type != wire::FrameType::kRefuse)
    return channel.close(Code::kUnexpectedFrame, "a server greets with Welcome or Refuse");
  const auto refuse = codec_.decode_refuse(frame.payload);
  if (!refuse) return channel.close(refuse.error());
  on_refuse(*peer, *refuse);
}

void ClientCore::on_refuse(Peer& peer, const wire::Refuse& refuse) {
  peer.refusal = {refuse.code, std::string(refuse.text)};
  Return* back = find_return(peer.resume);
  if (back && refuse.steer != 0) back->steer = static_cast<uint8_t>(refuse.steer);
  world_.events.on_refused(peer.id, refuse);
  peer.channel->close(Code::kPeerClosed, "refused");
}

void ClientCore::on_welcome(Peer& peer, const wire::Welcome& welcome) {
  world_.timers.disarm(peer.connect_timer);
  const bool asked = sessions_.get(peer.resume) != nullptr;
  if (welcome.resumed && !asked) return peer.channel->close(Code::kProtocolError, "nothing was to be resumed");
  if (welcome.resumed) {
    const Status possible = sessions_.get(peer.resume)->check({welcome.last_seq, welcome.known_seq});
    if (!possible) return peer.channel->close(possible.error());
  } else if (asked) {
    end_session(peer.resume, {Code::kSessionLost, "the server no longer has the session"});
  }
  peer.session = welcome.resumed ? peer.resume : make_session(welcome);
  if (const Status live = go_live(peer, welcome); !live)
    return peer.channel->close(live.error().code, "the server allows no stream for the shared lane");
  const Entry::Kind kind = welcome.resumed ? Entry::Kind::kResumed : asked ? Entry::Kind::kLost : Entry::Kind::kNew;
  const PeerId id = peer.id;
  world_.events.on_connected(id, {kind, welcome.lost, std::chrono::milliseconds(welcome.resume_window_ms)});
  if (Peer* connected = peers_.get(id)) connected->channel->read_early();
}

session::SessionId ClientCore::make_session(const wire::Welcome& welcome) {
  const session::SessionId id = sessions_.emplace_with([&](session::SessionId made) {
    return std::make_unique<session::Session>(
        made, config_.session,
        session::Session::World{world_.clock, world_.timers, promises_, world_.metrics, blocks_, *this});
  });
  world_.metrics.sessions.add(1);
  session::Session& session = *sessions_.get(id);
  if (welcome.inline_bytes_max > 0) session.limit_body_bytes(welcome.inline_bytes_max);
  if (welcome.outbox_messages_max > 0) session.limit_outbox_messages(welcome.outbox_messages_max);
  if (config_.keep_sessions && (welcome.features & wire::features::kResume)) session.keep_messages();
  return id;
}

Status ClientCore::go_live(Peer& peer, const wire::Welcome& welcome) {
  session::Session& session = *sessions_.get(peer.session);
  if (session.keeps_messages()) {
    const auto steer = welcome.steer ? std::optional(static_cast<uint8_t>(welcome.steer)) : std::nullopt;
    returns_[peer.session] = {std::string(welcome.resume_token), steer};
  }
  const auto last = by_session_.find(peer.session);
  if (Peer* before = last == by_session_.end() ? nullptr : peers_.get(last->second)) before->channel->detach();
  by_session_[peer.session] = peer.id;
  const auto resync =
      welcome.resumed ? std::optional(session::Resync{welcome.last_seq, welcome.known_seq}) : std::nullopt;
  return peer.channel->go_live(session, std::chrono::milliseconds(welcome.heartbeat_ms), welcome.features, resync);
}

void ClientCore::on_renewal(Channel& channel, const wire::Renewal& renewal) {
  const Peer* peer = find(channel.connection().id());
  if (Return* back = peer ? find_return(peer->session) : nullptr) back->token = renewal.resume_token;
}

void ClientCore::on_goodbye(Channel& channel, const wire::Goodbye& goodbye) {
  if (Peer* peer = find(channel.connection().id())) world_.events.on_goodbye(peer->id, goodbye);
}

void ClientCore::end(PeerId id, Error why) {
  Peer* peer = peers_.get(id);
  if (!peer) return;
  world_.timers.disarm(peer->connect_timer);
  by_connection_.erase(peer->connection);
  session::SessionId kept = sessions_.get(peer->resume) ? peer->resume : session::SessionId();
  if (peer->session) {
    // Another connection may have taken it over.
    const auto mine = by_session_.find(peer->session);
    const bool spoke = mine != by_session_.end() && mine->second == id;
    kept = spoke && outlives(why.code) && find_return(peer->session) ? peer->session : session::SessionId();
    if (spoke) by_session_.erase(mine);
    if (peer->channel) peer->channel->detach();
    if (spoke && !kept) end_session(peer->session, why);
  } else if (peer->channel) {
    peer->channel->detach();
  }
  peers_.erase(id);
  world_.events.on_disconnected(id, why, kept);
}

void ClientCore::give_up(session::SessionId kept, const Error& why) {
  if (!by_session_.contains(kept)) end_session(kept, why);
}

void ClientCore::end_session(session::SessionId id, const Error& why) {
  session::Session* session = sessions_.get(id);
  if (!session) return;
  session->fail_all(why.code, why.text);
  returns_.erase(id);
  sessions_.erase(id);
  world_.metrics.sessions.add(-1);
}

void ClientCore::on_message(session::Session& session, session::Incoming message) {
  const auto found = by_session_.find(session.id());
  if (!recent_.is_new(message.envelope.headers)) return session.handled(message.envelope.seq);
  if (found != by_session_.end()) world_.events.on_message(found->second, session, message);
}

void ClientCore::on_turn_wanted(session::Session& session) { turn_wanted_.push_back(session.id()); }

void ClientCore::on_promise_expired(const session::Promise& promise) {
  if (session::Session* session = sessions_.get(promise.session)) session->promise_expired(promise);
}

void ClientCore::on_promises_high(size_t in_use, size_t bound) {
  log_.warn("many replies are pending", {{"pending", in_use}, {"bound", bound}});
}

}  // namespace godwit::client
