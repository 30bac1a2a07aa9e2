#include "client_node.h"

#include <algorithm>

#include "payload.h"
#include "server_node.h"
#include "world.h"

namespace godwit::sim {
namespace {

quic::EndpointOptions endpoint_options(World& world, const ClientNode::Options& options) {
  quic::EndpointOptions endpoint{.transport = options.transport};
  endpoint.tls_client = world.tls().client;
  return endpoint;
}

}  // namespace

Result<uint64_t> ClientPeer::send(const Send& send) {
  session::Session* session = parted() ? node_.core().session(kept_) : node_.core().session(id_);
  if (!session) return fail(Code::kConnectionLost, "not connected");
  const bool event = send.kind == Send::Kind::kEvent || send.kind == Send::Kind::kEventUnheeded;
  const bool awaited = send.kind != Send::Kind::kEventUnheeded;
  if (send.options.order == session::Order::kUnreliable) {
    auto sent = session->send_event(send.action, send.body, send.options, {});
    if (sent) node_.world().ledger().sent_unreliable(client_id_, hash_message(send.action, hash_bytes(send.body)));
    return sent;
  }
  // The cookie is the number that the message will get.
  const session::Waiting waiting{awaited ? this : nullptr, session->outbox().next_seq()};
  const auto kind = send.kind == Send::Kind::kQuery ? wire::Kind::kQuery : wire::Kind::kCommand;
  auto sent = event ? session->send_event(send.action, send.body, send.options, waiting)
                    : session->request(kind, send.action, send.body, send.options, waiting);
  if (!sent) return sent;
  const uint64_t body_hash = hash_bytes(send.body);
  node_.world().ledger().sent(client_id_, *sent,
                              {.hash = hash_message(send.action, body_hash),
                               .body_hash = body_hash,
                               .kind = event ? Ledger::Message::Kind::kEvent : Ledger::Message::Kind::kRequest,
                               .ordered = send.options.order == session::Order::kOrdered,
                               .awaited = awaited});
  return sent;
}

void ClientPeer::cancel(uint64_t message_id) {
  session::Session* session = node_.core().session(id_);
  if (!session) session = node_.core().session(kept_);
  if (session) session->cancel(message_id);
}

void ClientPeer::on_reply(uint64_t cookie, const session::Reply& reply) {
  node_.world().ledger().settled(client_id_, cookie, reply);
  on_settled(reply);
}

ClientNode::ClientNode(World& world, const Options& options)
    : Node(world, "client" + std::to_string(options.number),
           inside_address(static_cast<uint8_t>(10 + options.number), kFirstPort), Network::Place::kBehindNat),
      redial_after_(options.redial_after),
      core_(options.core, endpoint_options(world, options),
            {world.clock(), timers(), sender(), entropy_, log(), metrics(), *this}) {}

ClientPeer& ClientNode::connect_as(std::string client_id, Duration timeout, std::string token, std::string uid) {
  ClientPeer& peer = peers_.emplace_back(*this, std::move(client_id));
  peer.token_ = std::move(token);
  const auto id = core_.connect({own(), ServerNode::address()}, "localhost",
                                {.client_id = peer.client_id(), .uid = std::move(uid), .token = peer.token_}, timeout);
  if (id) {
    peer.id_ = *id;
  } else {
    peer.state_ = ClientPeer::State::kEnded;
    peer.why_ended_ = id.error();
  }
  return peer;
}

void ClientNode::migrate(const ClientPeer& peer) {
  const quic::Connection* connection = core_.connection(peer.id());
  if (!connection) return;
  NetworkPath path{own(), ServerNode::address()};
  path.local.set_port(++last_port_);
  // Refused while the last change is still being validated, which is as good.
  (void)core_.endpoint().migrate(connection->id(), path);
}

void ClientNode::update_keys(const ClientPeer& peer) {
  if (quic::Connection* connection = core_.connection(peer.id())) connection->update_keys();
}

bool ClientNode::end_turn() {
  core_.end_turn();
  core_.reap();
  return core_.endpoint().wants_flush() && !core_.endpoint().blocked();
}

ClientPeer* ClientNode::find(client::PeerId id) {
  const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const ClientPeer& peer) { return peer.id_ == id; });
  return found == peers_.end() ? nullptr : &*found;
}

void ClientNode::drop(const ClientPeer& peer) {
  quic::Connection* connection = core_.connection(peer.id());
  if (!connection) return;
  // What it would say of it is lost on the way.
  const bool dark = world_.network().up(*this).conditions.blackhole;
  world_.network().up(*this).conditions.blackhole = true;
  connection->close(Code::kConnectionLost, "dropped");
  core_.endpoint().flush();
  world_.network().up(*this).conditions.blackhole = dark;
}

void ClientNode::resume(ClientPeer& peer, Duration timeout) {
  if (!peer.parted()) return;
  const auto id = core_.connect({own(), ServerNode::address()}, "localhost",
                                {.client_id = peer.client_id(), .uid = {}, .token = peer.token_}, timeout, peer.kept_);
  if (!id) return part(peer, peer.kept_);
  peer.id_ = *id;
  peer.state_ = ClientPeer::State::kConnecting;
}

void ClientNode::part(ClientPeer& peer, session::SessionId kept) {
  peer.kept_ = kept;
  peer.state_ = ClientPeer::State::kParted;
  if (redial_after_ > Duration::zero())
    world_.after(redial_after_, [this, &peer, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) resume(peer);
    });
}

void ClientNode::on_connected(client::PeerId id, const client::Entry& entry) {
  ClientPeer* peer = find(id);
  // A new session would begin at number 1 again: for the ledger it is somebody else.
  if (entry.kind == client::Entry::Kind::kLost) {
    peer->lost_ = true;
    return core_.close(id, Code::kCancelled, "not the session it was");
  }
  peer->state_ = ClientPeer::State::kConnected;
  peer->resumes_ += entry.kind == client::Entry::Kind::kResumed;
  ++connected_;
  world_.trace().note(peer->client_id(), "connected", peer->resumes_);
}

void ClientNode::on_disconnected(client::PeerId id, const Error& why, session::SessionId kept) {
  ClientPeer* peer = find(id);
  world_.expect(!peer->ended(), "a connection ended twice");
  connected_ -= peer->connected();
  world_.trace().note(peer->client_id(), kept ? "parted" : "ended", static_cast<uint64_t>(why.code));
  // Somebody else has its name: it does not come again, as no client does.
  if (kept && !peer->lost_ && why.code != Code::kSuperseded) return part(*peer, kept);
  core_.give_up(kept, why);
  peer->state_ = ClientPeer::State::kEnded;
  peer->why_ended_ = why;
  peer->ended_at_ = world_.now();
}

/// Events of the server are handled at once; other messages it does not send.
void ClientNode::on_message(client::PeerId id, session::Session& session, const session::Incoming& message) {
  const wire::Envelope& envelope = message.envelope;
  if (envelope.kind != wire::Kind::kEvent || find(id)->lost_)
    return session.refuse(envelope.seq, Code::kHandlerNotFound, "this client takes events only");
  if (envelope.action == "before" || envelope.action == "after" || envelope.action == "note") {
    find(id)->on_note(message);
    return session.handled(envelope.seq);
  }
  world_.ledger().handled(downward(find(id)->client_id()), envelope.seq,
                          hash_message(envelope.action, hash_bytes(message.body)));
  session.handled(envelope.seq);
}

void ClientNode::on_goodbye(client::PeerId id, const wire::Goodbye&) { find(id)->told_goodbye_ = true; }

}  // namespace godwit::sim
