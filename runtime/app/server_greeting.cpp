#include "app/server_core.h"
#include "base/planted.h"
#include "base/version.h"

// How a client comes in: Hello, who it is, the session that it had or a new one, Welcome.

namespace godwit::app {
namespace {

uint8_t worker_of(session::SessionId id) {
  return static_cast<uint8_t>(id.slot >> SlotMap<session::Session>::kIndexBits);
}

uint32_t to_ms(Duration duration) {
  return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

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
  peer->features = hello->features & (wire::features::kResume | wire::features::kCancel);
  if (config_.session.resume_window == Duration::zero()) peer->features &= ~wire::features::kResume;
  const bool resumes = (peer->features & wire::features::kResume) != 0;
  if (resumes && !hello->resume_token.empty()) {
    peer->claim = Claim{std::string(hello->resume_token), {hello->last_seq, hello->known_seq}};
  }
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
                                         .address = peer.address,
                                         .deadline = peer.greeting_timer.deadline()};
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
  if (!peer.claim) return enter_anew(peer, std::move(identity), Code::kOk);
  const auto proof = tokens_.read(peer.claim->token, identity.client_id);
  if (!proof) return enter_anew(peer, std::move(identity), Code::kSessionLost);
  const session::SessionId id = session::SessionId::from_u64(proof->session);
  if (worker_of(id) != worker_) {
    steer(peer, worker_of(id));
    return {};
  }
  Resident* resident = sessions_.find(id);
  if (!resident || resident->ending) return enter_anew(peer, std::move(identity), Code::kSessionLost);
  if (const Status may = check_claim(*resident, *proof, peer, identity); !may) {
    if (may.error().code != Code::kSessionLost) {
      world_.metrics.resumes_refused.add();
      return may;
    }
    // Who cannot go on with it has no use for it.
    end_session(id, Code::kSessionLost, may.error().text);
    return enter_anew(peer, std::move(identity), Code::kSessionLost);
  }
  take_up(peer, *resident);
  return {};
}

/// Whether this client may have the session, and can go on with it. Anything but SessionLost leaves it as it is.
Status ServerCore::check_claim(const Resident& resident, const session::ResumeProof& proof, const Peer& peer,
                               const session::Identity& identity) {
  if (identity.uid != resident.identity.uid)
    return fail(Code::kUnauthenticated, "the session belongs to somebody else");
  // As long as nothing shows that the client has read the last Welcome, the proof before that one is still good.
  const bool newest = proof.epoch == resident.epoch || planted(Fault::kEpochNotCompared);
  const bool last = proof.epoch + 1 == resident.epoch && (!resident.confirmed || planted(Fault::kTokenUsedTwice));
  if (!newest && !last) return fail(Code::kSuperseded, "this proof was used already");
  return sessions_.session(resident.id)->check(peer.claim->resync);
}

Status ServerCore::enter_anew(Peer& peer, session::Identity identity, Code lost) {
  if (lost != Code::kOk) world_.metrics.resumes_refused.add();
  auto resident = sessions_.enter(std::move(identity), peer.address);
  if (!resident) return tl::unexpected(std::move(resident.error()));
  if (peer.features & wire::features::kResume) sessions_.session((*resident)->id)->keep_messages();
  welcome(peer, **resident, std::nullopt, lost);
  return {};
}

/// Another connection speaks for the session from here on; nothing that still comes by the last one has an effect.
void ServerCore::take_up(Peer& peer, Resident& resident) {
  if (Peer* last = planted(Fault::kOldConnectionNotFenced) ? nullptr : find_peer(resident.id)) {
    last->channel.close(Code::kSuperseded, "the session goes on over another connection");
    last->channel.detach();
  }
  const session::Resync ours = sessions_.session(resident.id)->resync();
  sessions_.rejoin(resident, peer.address);
  welcome(peer, resident, ours, Code::kOk);
}

void ServerCore::welcome(Peer& peer, Resident& resident, const std::optional<session::Resync>& resumed, Code lost) {
  world_.timers.disarm(peer.greeting_timer);
  peer.greeting = Peer::Greeting::kDecided;
  peer.session = resident.id;
  connections_[resident.id] = peer.channel.connection().id();
  const Duration heartbeat = config_.session.heartbeat_interval;
  const bool resumable = (peer.features & wire::features::kResume) != 0;
  const std::string token = resumable ? make_token(peer, resident) : std::string();
  const session::Resync ours = resumed.value_or(session::Resync());
  peer.channel.send_control(codec_.encode(wire::Welcome{
      .session = resident.id.to_u64(),
      .resume_token = token,
      .last_seq = ours.handled,
      .features = peer.features,
      .inline_bytes_max = config_.session.body_bytes_max,
      .outbox_messages_max = static_cast<uint32_t>(config_.session.holdback_messages_max),
      .heartbeat_ms = to_ms(heartbeat),
      .server = kAgentName,
      .resumed = resumed.has_value(),
      .lost = planted(Fault::kLossNotTold) ? Code::kOk : lost,
      .known_seq = ours.known,
      .resume_window_ms = resumable ? to_ms(config_.session.resume_window) : 0,
      .steer = wire::to_steer(worker_),
  }));
  const auto theirs = resumed ? std::optional(peer.claim->resync) : std::nullopt;
  const Status live = peer.channel.go_live(*sessions_.session(resident.id), heartbeat, peer.features, theirs);
  if (!live) return peer.channel.close(live.error().code, "the client allows no stream for the shared lane");
  if (!resumed) sessions_.deliver_kept(resident);
  log_.debug(resumed ? "session resumed" : "session opened",
             {{"client", resident.identity.client_id}, {"uid", resident.identity.uid}, {"address", peer.address}});
}

void ServerCore::on_confirmed(client::Channel& channel) {
  Peer* peer = find_peer(channel.connection().id());
  if (Resident* resident = peer ? sessions_.find(peer->session) : nullptr) resident->confirmed = true;
}

std::string ServerCore::make_token(Peer& peer, const Resident& resident) {
  peer.token_generation = tokens_.generation();
  return tokens_.make({resident.id.to_u64(), resident.epoch}, resident.identity.client_id);
}

/// The keys that seal proofs change; who is connected for longer than they live needs a newer proof.
void ServerCore::renew_tokens() {
  world_.timers.arm(renewal_timer_, world_.clock.now() + kRenewalCheck);
  for (auto& [id, peer] : peers_) {
    const bool resumable = (peer->features & wire::features::kResume) != 0;
    const Resident* resident = sessions_.find(peer->session);
    if (!resumable || !resident || peer->token_generation == tokens_.generation()) continue;
    const std::string token = make_token(*peer, *resident);
    peer->channel.send_control(codec_.encode(wire::Renewal{token}));
  }
}

void ServerCore::refuse(Peer& peer, const Error& error) {
  world_.metrics.hellos_refused.add();
  log_.info("client refused", {{"code", error.code}, {"reason", error.text}, {"address", peer.address}});
  turn_away(peer, {error.code, error.text, retry_after_ms(error.code)});
}

/// Another worker has what the client wants.
void ServerCore::steer(Peer& peer, uint8_t worker) {
  log_.debug("client steered to another worker", {{"worker", worker}, {"address", peer.address}});
  turn_away(peer, {Code::kSessionElsewhere, "come again as this steers", 0, wire::to_steer(worker)});
}

void ServerCore::turn_away(Peer& peer, const wire::Refuse& refuse) {
  peer.greeting = Peer::Greeting::kDecided;
  world_.timers.disarm(peer.greeting_timer);
  peer.channel.send_control(codec_.encode(refuse));
  peer.channel.finish(refuse.code, refuse.text);
}

}  // namespace godwit::app
