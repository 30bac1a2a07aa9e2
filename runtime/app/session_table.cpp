#include "app/session_table.h"

#include <algorithm>

#include "base/planted.h"

namespace godwit::app {
namespace {

// Blocks for messages that wait for their acknowledgement. A session that sends holds at least one: 4 KiB. So much is
// kept for the next taker: 4 MiB, a thousand busy sessions.
constexpr size_t kBlockBytes = 4096;
constexpr size_t kIdleBlocksMax = 1024;

/// How often it is looked for idle sessions: so late they end at most.
constexpr Duration kSweepMax = 30s;
constexpr Duration kSweepMin = 100ms;
constexpr int kSweepsPerTimeout = 10;
// More than a process can resume one session before its last record of it is on the disk.
constexpr uint32_t kEpochsApart = 1'000'000;

}  // namespace

SessionTable::SessionTable(const Options& options, World world)
    : options_(options),
      world_(world),
      blocks_(kIdleBlocksMax, kBlockBytes),
      promises_(options.promises_max, world.clock, world.timers, world.metrics, *this, options.promises_warn_ratio),
      sessions_(options.number),
      expiry_timer_([this](Timestamp now) { give_up_late(now); }),
      sweep_timer_([this](Timestamp now) { sweep(now); }) {
  if (world_.on_idle) arm_sweep();
}

SessionTable::~SessionTable() {
  for (const auto& [id, resident] : residents_) world_.services.directory().leave(id.to_u64());
  for (size_t i = 0; i < residents_.size(); ++i) world_.places.release();
}

Result<Resident*> SessionTable::enter(session::Identity identity, std::string address,
                                      const session::Attempt& attempt) {
  if (Status valid = session::check_uid(identity.uid); !valid) return tl::unexpected(std::move(valid.error()));
  if (Status free = make_way(identity, attempt); !free) return tl::unexpected(std::move(free.error()));
  if (!take_place()) return fail(Code::kTooManyConnections, "all session places are taken");
  auto made = make(std::move(identity), std::move(address), attempt);
  if (!made) return made;
  Resident& resident = **made;
  if (const Status furnished = furnish(resident); !furnished) {
    world_.log.error(
        "client refused: its session cannot begin as was decided",
        {{"client", resident.identity.client_id}, {"uid", resident.identity.uid}, {"error", furnished.error().text}});
    forget(resident.id);
    return fail(Code::kUnauthenticated, "not admitted");
  }
  tell(host::SessionEvent::What::kCreated, resident, Code::kOk, {});
  return &resident;
}

/// Who had the name before goes first, so that its place is free; on another worker that takes a moment.
Status SessionTable::make_way(const session::Identity& identity, const session::Attempt& attempt) {
  const auto last =
      world_.services.directory().incumbent(identity.client_id, identity.uid, claim_of(identity, attempt));
  if (!last) return tl::unexpected(last.error());
  if (*last) world_.services.supersede(**last);
  return {};
}

/// Whoever is here now goes before those who may come back.
bool SessionTable::take_place() {
  if (world_.places.try_acquire()) return true;
  if (parted_.empty()) return false;
  end(parted_.begin()->second, Code::kSessionLost, "its place was needed");
  return world_.places.try_acquire();
}

Result<Resident*> SessionTable::make(session::Identity identity, std::string address, const session::Attempt& attempt) {
  const session::SessionId id = sessions_.emplace_with([&](session::SessionId made) {
    return std::make_unique<session::Session>(
        made, options_.config,
        session::Session::World{world_.clock, world_.timers, promises_, world_.metrics, blocks_, world_.owner});
  });
  auto& resident = residents_[id] = std::make_unique<Resident>(
      Resident{id, std::move(identity), std::move(address), {}, attempt, world_.clock.unix_us()});
  resident->view = {id.to_u64(), resident->identity.client_id, resident->identity.uid, resident->address};
  world_.metrics.sessions.add(1);
  const auto last = world_.services.directory().enter({.key = id.to_u64(),
                                                       .client_id = resident->identity.client_id,
                                                       .uid = resident->identity.uid,
                                                       .address = resident->address,
                                                       .worker = world_.services.worker(),
                                                       .connected_unix_us = world_.clock.unix_us()},
                                                      claim_of(resident->identity, attempt));
  if (!last) {
    forget(id);
    return tl::unexpected(last.error());
  }
  if (*last) world_.services.supersede(**last);
  return resident.get();
}

/// Groups and attributes that whoever let it in has named.
Status SessionTable::furnish(Resident& resident) {
  const session::Identity& identity = resident.identity;
  if (Status rights = set_rights(resident, identity.rights, identity.expires_unix_us); !rights) return rights;
  const host::SessionKey key = resident.id.to_u64();
  for (const std::string& group : resident.identity.groups) {
    if (const Status joined = world_.services.join(key, group); !joined) return joined;
  }
  for (const auto& [name, value] : resident.identity.attributes) {
    if (const Status set = world_.services.set_attribute(key, name, value, {}); !set) return set;
  }
  return {};
}

Status SessionTable::set_rights(Resident& resident, session::Rights rights, int64_t expires_unix_us) {
  std::vector<routing::Pattern> allowed;
  for (const std::string& action : rights.actions) {
    auto pattern = routing::Pattern::parse(action);
    if (!pattern) return tl::unexpected(std::move(pattern.error()));
    allowed.push_back(std::move(*pattern));
  }
  resident.allowed = std::move(allowed);
  resident.identity.rights = std::move(rights);
  resident.identity.expires_unix_us = expires_unix_us;
  any_bounded_ |= !resident.allowed.empty() || resident.identity.rights.body_bytes_max != 0;
  return {};
}

Status SessionTable::check(session::SessionId id, const session::Incoming& message) {
  const Resident* resident = any_bounded_ ? find(id) : nullptr;
  if (!resident) return {};
  const wire::Envelope& envelope = message.envelope;
  const auto matches = [&](const routing::Pattern& one) { return one.matches(envelope.kind, envelope.action); };
  if (!resident->allowed.empty() && std::none_of(resident->allowed.begin(), resident->allowed.end(), matches)) {
    world_.log.warn("message not allowed", {{"client", resident->identity.client_id},
                                            {"uid", resident->identity.uid},
                                            {"kind", wire::name_of(envelope.kind)},
                                            {"action", envelope.action}});
    return fail(Code::kForbidden, "this client may not send that");
  }
  const uint64_t bytes_max = resident->identity.rights.body_bytes_max;
  if (bytes_max == 0 || message.body.size() <= bytes_max) return {};
  return fail(Code::kMessageTooLarge, "body of " + std::to_string(message.body.size()) +
                                          " bytes, of this client at most " + std::to_string(bytes_max));
}

std::vector<session::SessionId> SessionTable::find_all(const std::function<bool(const Resident&)>& wanted) const {
  std::vector<session::SessionId> found;
  for (const auto& [id, resident] : residents_) {
    if (wanted(*resident)) found.push_back(id);
  }
  return found;
}

void SessionTable::keep(Resident& resident) {
  sessions_.get(resident.id)->keep_messages();
  record(resident);
}

void SessionTable::record(const Resident& resident) {
  if (!world_.durable || !sessions_.get(resident.id)->keeps_messages()) return;
  world_.durable->put({world_.services.worker(), resident.epoch, resident.born_unix_us, resident.identity});
}

void SessionTable::restore(DurableBook::Restored restored) {
  const DurableSession& was = restored.session;
  auto entered = enter(was.identity, {}, {});
  if (!entered) {
    return world_.log.error("a session cannot be restored",
                            {{"client", was.identity.client_id}, {"error", entered.error().text}});
  }
  Resident& resident = **entered;
  resident.born_unix_us = was.born_unix_us;
  // No proof that the other process has given is taken for one of this one.
  resident.epoch = resident.restored_before = was.epoch + kEpochsApart;
  resident.confirmed = false;
  keep(resident);
  session::Session& session = *sessions_.get(resident.id);
  const DurableBook::Owner owner{was.identity.client_id, was.born_unix_us};
  for (const DurableEvent& event : restored.events) {
    const Status sent =
        send_kept(session, event.message.envelope(), event.message.body(), world_.durable->waiting(owner, event.id));
    world_.metrics.messages_restored.add(sent.has_value());
  }
  world_.metrics.sessions_restored.add();
  part(resident.id, Code::kSessionRestored, "the server was started anew");
}

Resident* SessionTable::find(session::SessionId id) {
  const auto found = residents_.find(id);
  return found == residents_.end() ? nullptr : found->second.get();
}

const host::SessionView* SessionTable::view(session::SessionId id) {
  const Resident* resident = find(id);
  return resident ? &resident->view : nullptr;
}

void SessionTable::part(session::SessionId id, Code code, std::string_view reason) {
  Resident* resident = find(id);
  session::Session* session = sessions_.get(id);
  if (!resident || !session) return;
  session->detach();
  const Duration window = options_.config.resume_window;
  if (!session->keeps_messages() || window == Duration::zero()) return end(id, code, reason);
  stop_waiting(*resident);
  resident->ends = world_.clock.now() + window;
  parted_.emplace(resident->ends, id);
  world_.metrics.sessions_parted.add(1);
  arm_expiry();
  tell(host::SessionEvent::What::kParted, *resident, code, reason);
}

void SessionTable::rejoin(Resident& resident, std::string address, const session::Attempt& attempt) {
  stop_waiting(resident);
  // Welcomes that nobody read are all of one epoch, so that the proof from before them stays the last one.
  if (std::exchange(resident.confirmed, false)) ++resident.epoch;
  resident.address = std::move(address);
  resident.view.address = resident.address;
  resident.attempt = attempt;
  world_.services.directory().move(resident.id.to_u64(), resident.address, attempt);
  record(resident);
  world_.metrics.resumes.add();
  tell(host::SessionEvent::What::kResumed, resident, Code::kOk, {});
}

void SessionTable::deliver_kept(const Resident& resident) {
  OfflineTable::Tally tally;
  const auto kept = world_.services.directory().offline().enter(resident.identity.uid, tally);
  session::Session* session = sessions_.get(resident.id);
  for (size_t i = 0; i < kept.size(); ++i) {
    const wire::Envelope& envelope = kept[i].message.envelope();
    const std::string place = std::to_string(i + 1) + "/" + std::to_string(kept.size());
    std::vector<wire::Header> headers(envelope.headers.begin(), envelope.headers.end());
    headers.push_back({"offline", place});
    const session::SendOptions options{.headers = headers, .priority = envelope.priority};
    if (session && session->send_event(envelope.action, kept[i].message.body(), options, {})) continue;
    --tally.delivered;
    ++tally.dropped;
  }
  tally.add_to(world_.metrics);
}

void SessionTable::arm_sweep() {
  const Duration timeout = options_.config.idle_timeout;
  const Duration pause =
      timeout == Duration::zero() ? kSweepMax : std::clamp(timeout / kSweepsPerTimeout, kSweepMin, kSweepMax);
  world_.timers.arm(sweep_timer_, world_.clock.now() + pause);
}

/// Those without a connection are given up by the resume window instead.
void SessionTable::sweep(Timestamp now) {
  arm_sweep();
  const Duration timeout = options_.config.idle_timeout;
  if (timeout == Duration::zero()) return;
  std::vector<session::SessionId> idle;
  for (const auto& [id, resident] : residents_) {
    const session::Session* session = sessions_.get(id);
    if (resident->ends == kNever && !resident->ending && session && now - session->active() >= timeout)
      idle.push_back(id);
  }
  for (const session::SessionId id : idle) {
    world_.metrics.sessions_idled.add();
    world_.on_idle(id);
  }
}

void SessionTable::stop_waiting(Resident& resident) {
  if (resident.ends == kNever) return;
  for (auto [at, last] = parted_.equal_range(resident.ends); at != last; ++at) {
    if (at->second != resident.id) continue;
    parted_.erase(at);
    break;
  }
  resident.ends = kNever;
  world_.metrics.sessions_parted.add(-1);
  arm_expiry();
}

void SessionTable::arm_expiry() {
  world_.timers.disarm(expiry_timer_);
  if (!parted_.empty()) world_.timers.arm(expiry_timer_, parted_.begin()->first);
}

void SessionTable::give_up_late(Timestamp now) {
  while (!parted_.empty() && parted_.begin()->first <= now && !planted(Fault::kWindowWithoutEnd)) {
    world_.metrics.resumes_expired.add();
    end(parted_.begin()->second, Code::kSessionLost, "no connection came back in time");
  }
}

void SessionTable::end(session::SessionId id, Code code, std::string_view reason) {
  Resident* resident = find(id);
  if (!resident) return;
  tell(host::SessionEvent::What::kClosed, *resident, code, reason);
  session::Session& session = *sessions_.get(id);
  session.detach();
  session.fail_all(session.keeps_messages() ? Code::kSessionLost : Code::kConnectionLost, reason);
  if (world_.durable && session.keeps_messages()) world_.durable->remove(resident->identity, resident->born_unix_us);
  forget(id);
}

void SessionTable::forget(session::SessionId id) {
  stop_waiting(*find(id));
  world_.services.directory().leave(id.to_u64()).add_to(world_.metrics);
  residents_.erase(id);
  sessions_.erase(id);
  if (!planted(Fault::kPlaceNotReturned)) world_.places.release();
  world_.metrics.sessions.add(-1);
}

void SessionTable::tell(host::SessionEvent::What what, const Resident& resident, Code code, std::string_view reason) {
  if (!told(what)) return;
  const host::SessionKey key = resident.id.to_u64();
  auto session = world_.services.session(key);
  if (!session) return;
  told_ = true;
  world_.listener->on_session({.what = what,
                               .session = std::move(*session),
                               .code = code,
                               .reason = std::string(reason),
                               .groups = world_.services.groups_of(key),
                               .count = resident.epoch - 1});
}

void SessionTable::tell_message(host::SessionEvent::What what, session::SessionId id, Code code,
                                std::string_view action, uint64_t message_id) {
  if (!told(what)) return;
  auto session = world_.services.session(id.to_u64());
  if (!session) return;
  told_ = true;
  world_.listener->on_session({.what = what,
                               .session = std::move(*session),
                               .code = code,
                               .reason = {},
                               .groups = {},
                               .action = std::string(action),
                               .message_id = message_id});
}

void SessionTable::end_turn() {
  // Acknowledgements may make others want a turn; those belong to this one as well.
  while (!turn_wanted_.empty()) {
    for (const session::SessionId id : std::exchange(turn_wanted_, {})) {
      if (session::Session* session = sessions_.get(id)) session->end_turn();
    }
  }
}

void SessionTable::on_promise_expired(const session::Promise& promise) {
  if (session::Session* session = sessions_.get(promise.session)) session->promise_expired(promise);
  tell_message(host::SessionEvent::What::kPromiseTimeout, promise.session, Code::kDeadlineExceeded, {},
               promise.message_id);
}

void refuse_message(session::Session& session, const wire::Envelope& envelope, const Error& why) {
  if (!wire::is_request(envelope.kind)) return session.refuse(envelope.seq, why.code, why.text);
  // The session closes itself when it cannot take a reply.
  (void)session.respond(envelope.message_id(), {wire::Status::kFailure, why.code, why.text, {}, {}});
  session.handled(envelope.seq);
}

void SessionTable::on_promises_high(size_t in_use, size_t bound) {
  world_.log.warn("many replies are pending", {{"pending", in_use}, {"bound", bound}});
}

}  // namespace godwit::app
