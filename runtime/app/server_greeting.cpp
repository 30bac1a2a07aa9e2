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
  peer->attempt = {hello->program, hello->attempt};
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
  // A server that was started anew may have fewer workers.
  const auto worker = static_cast<uint8_t>(worker_of(session::SessionId::from_u64(proof->session)) % worker_count_);
  if (worker != worker_) {
    steer(peer, worker);
    return {};
  }
  Resident* resident = find_claimed(*proof, identity);
  if (const Status current = resident ? Status() : check_overtaken(*proof, peer, identity); !current) return current;
  if (!resident || resident->ending) return enter_anew(peer, std::move(identity), Code::kSessionLost);
  if (const Status may = check_claim(*resident, *proof, peer, identity); !may) {
    if (may.error().code != Code::kSessionLost) {
      world_.metrics.resumes_refused.add();
      return may;
    }
    // Who cannot go on with it has no use for it.
    end_session(resident->id, Code::kSessionLost, may.error().text);
    return enter_anew(peer, std::move(identity), Code::kSessionLost);
  }
  // What its credentials allow may have changed since.
  if (const Status rights = sessions_.set_rights(*resident, std::move(identity.rights), identity.expires_unix_us);
      !rights)
    return fail(Code::kUnauthenticated, "not admitted");
  resident->identity.credential = std::move(identity.credential);
  const bool restored = proof->epoch < resident->restored_before;
  restored ? take_up_restored(peer, *resident) : take_up(peer, *resident);
  return {};
}

/// Who asks for a session that its client has replaced by a newer one since, from another program, is the older client:
/// word of that was lost on its way.
Status ServerCore::check_overtaken(const session::ResumeProof& proof, const Peer& peer,
                                   const session::Identity& identity) {
  const SessionDirectory& directory = world_.services.directory();
  const auto named = directory.session_of(identity.client_id);
  const auto newer = named ? directory.find(*named) : std::nullopt;
  if (!newer || newer->connected_unix_us <= proof.born_unix_us) return {};
  if (directory.incumbent(identity.client_id, identity.uid, {.attempt = peer.attempt})) return {};
  return fail(Code::kSuperseded, std::string(kSupersededText));
}

/// By its id, or, of the process before, by the name of its client.
Resident* ServerCore::find_claimed(const session::ResumeProof& proof, const session::Identity& identity) {
  Resident* resident = sessions_.find(session::SessionId::from_u64(proof.session));
  if (resident && resident->born_unix_us == proof.born_unix_us) return resident;
  const auto named = world_.services.directory().session_of(identity.client_id);
  resident = named ? sessions_.find(session::SessionId::from_u64(*named)) : nullptr;
  const bool restored = resident && resident->restored_before != 0 && resident->born_unix_us == proof.born_unix_us;
  return restored ? resident : nullptr;
}

/// Whether this client may have the session, and can go on with it. Anything but SessionLost leaves it as it is.
Status ServerCore::check_claim(const Resident& resident, const session::ResumeProof& proof, const Peer& peer,
                               const session::Identity& identity) {
  if (identity.uid != resident.identity.uid)
    return fail(Code::kUnauthenticated, "the session belongs to somebody else");
  // As long as nothing shows that the client has read the last Welcome, the proof before that one is still good.
  // Until the client has shown that it read the Welcome that says so, it knows nothing of the restart.
  if (proof.epoch < resident.restored_before && !resident.confirmed) return {};
  const bool newest = proof.epoch == resident.epoch || planted(Fault::kEpochNotCompared);
  const bool last = proof.epoch + 1 == resident.epoch && (!resident.confirmed || planted(Fault::kTokenUsedTwice));
  if (!newest && !last) return fail(Code::kSuperseded, "this proof was used already");
  // What the client gave up may still arrive, after what it has tried since.
  if (peer.attempt.late_for(resident.attempt))
    return fail(Code::kSuperseded, "a later connection of this client is here");
  return sessions_.session(resident.id)->check(peer.claim->resync);
}

Status ServerCore::enter_anew(Peer& peer, session::Identity identity, Code lost) {
  if (lost != Code::kOk) world_.metrics.resumes_refused.add();
  auto resident = sessions_.enter(std::move(identity), peer.address, peer.attempt);
  if (!resident) return tl::unexpected(std::move(resident.error()));
  if (peer.features & wire::features::kResume) sessions_.keep(**resident);
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
  sessions_.rejoin(resident, peer.address, peer.attempt);
  welcome(peer, resident, ours, Code::kOk);
}

/// The numbers of both sides begin at 1; what was kept for the client is sent.
void ServerCore::take_up_restored(Peer& peer, Resident& resident) {
  if (Peer* last = find_peer(resident.id)) {
    last->channel.close(Code::kSuperseded, "the session goes on over another connection");
    last->channel.detach();
  }
  sessions_.rejoin(resident, peer.address, peer.attempt);
  peer.claim->resync = {};
  welcome(peer, resident, std::nullopt, Code::kSessionRestored);
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
      .inline_bytes_max = body_bytes_max(resident),
      .outbox_messages_max = static_cast<uint32_t>(config_.session.holdback_messages_max),
      .heartbeat_ms = to_ms(heartbeat),
      .server = kAgentName,
      .resumed = resumed.has_value(),
      .lost = planted(Fault::kLossNotTold) ? Code::kOk : lost,
      .known_seq = ours.known,
      .resume_window_ms = resumable ? to_ms(config_.session.resume_window) : 0,
      .steer = wire::to_steer(worker_),
  }));
  const bool goes_on = resumed || lost == Code::kSessionRestored;
  const auto theirs = goes_on ? std::optional(peer.claim->resync) : std::nullopt;
  const Status live = peer.channel.go_live(*sessions_.session(resident.id), heartbeat, peer.features, theirs);
  if (!live) return peer.channel.close(live.error().code, "the client allows no stream for the shared lane");
  if (!resumed) sessions_.deliver_kept(resident);
  log_.debug(resumed ? "session resumed" : "session opened",
             {{"client", resident.identity.client_id}, {"uid", resident.identity.uid}, {"address", peer.address}});
}

uint64_t ServerCore::body_bytes_max(const Resident& resident) const {
  const uint64_t own = resident.identity.rights.body_bytes_max;
  return own == 0 ? config_.session.body_bytes_max : std::min<uint64_t>(own, config_.session.body_bytes_max);
}

void ServerCore::on_confirmed(client::Channel& channel) {
  Peer* peer = find_peer(channel.connection().id());
  if (Resident* resident = peer ? sessions_.find(peer->session) : nullptr) resident->confirmed = true;
}

std::string ServerCore::make_token(Peer& peer, const Resident& resident) {
  peer.token_generation = tokens_.generation();
  return tokens_.make({resident.id.to_u64(), resident.epoch, resident.born_unix_us}, resident.identity.client_id);
}

/// The keys that seal proofs change; who is connected for longer than they live needs a newer proof.
void ServerCore::renew_tokens() {
  world_.timers.arm(renewal_timer_, world_.clock.now() + kRenewalCheck);
  end_expired();
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
