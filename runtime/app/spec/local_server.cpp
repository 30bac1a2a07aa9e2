#include "app/spec/local_server.h"

namespace godwit::app {

LocalServer::LocalServer(const World& world)
    : config_(world.config),
      clock_(world.clock),
      timers_(world.timers),
      directory_(world.clock),
      services_(0, world.clock, world.timers, directory_),
      apps_({.clock = world.clock,
             .timers = world.timers,
             .log = world.log,
             .watchdog = world.watchdog,
             .services = &services_,
             .kv = &world.kv,
             .entropy = &world.entropy,
             .metrics = &world.metrics},
            host::UnitSource::Kind::kScript),
      promises_(world.config.promises_max, world.clock, world.timers, metrics_, *this),
      dispatcher_(world.config.dispatcher, world.clock, metrics_, world.log.named("dispatch"), apps_, *this) {
  services_.attach(this);
}

LocalServer::~LocalServer() { services_.attach(nullptr); }

Status LocalServer::load(const host::UnitSourcePtr& source, const host::AppLimits& limits) {
  const host::ReloadPlan plan{.id = 1, .unit = source->name(), .source = source, .generation = 1};
  if (auto prepared = apps_.prepare(plan, limits); !prepared) return tl::unexpected(std::move(prepared.error()));
  apps_.commit(plan);
  unit_ = source->name();
  return {};
}

void LocalServer::authenticate(const session::Credentials& credentials, session::Authenticator::Decided decided) {
  if (const Status valid = session::check_client_id(credentials.client_id); !valid) {
    return decided(tl::unexpected(valid.error()));
  }
  if (!apps_.authenticator().empty()) return apps_.authenticator().authenticate(credentials, std::move(decided));
  session::NoAuthenticator().authenticate(credentials, std::move(decided));
}

Result<session::SessionId> LocalServer::open(session::Identity identity, std::string address) {
  if (Status valid = session::check_uid(identity.uid); !valid) return tl::unexpected(std::move(valid.error()));
  const session::SessionId id = sessions_.emplace_with([&](session::SessionId made) {
    return std::make_unique<session::Session>(made, config_.session,
                                              session::Session::World{clock_, timers_, promises_, metrics_, *this});
  });
  Peer& peer = peers_[id];
  peer = {std::move(identity), std::move(address), {}};
  peer.view = {id.to_u64(), peer.identity.client_id, peer.identity.uid, peer.address};
  directory_.enter({.key = id.to_u64(),
                    .client_id = peer.identity.client_id,
                    .uid = peer.identity.uid,
                    .address = peer.address,
                    .worker = 0,
                    .connected_unix_us = clock_.unix_us()});
  if (Status furnished = furnish(id.to_u64(), peer.identity); !furnished) {
    directory_.leave(id.to_u64());
    sessions_.erase(id);
    peers_.erase(id);
    return tl::unexpected(std::move(furnished.error()));
  }
  tell(host::SessionEvent::What::kCreated, id, Code::kOk, {});
  return id;
}

Status LocalServer::furnish(host::SessionKey key, const session::Identity& identity) {
  for (const std::string& group : identity.groups) {
    if (Status joined = services_.join(key, group); !joined) return joined;
  }
  for (const auto& [name, value] : identity.attributes) {
    if (Status set = services_.set_attribute(key, name, value, {}); !set) return set;
  }
  return {};
}

void LocalServer::tell(host::SessionEvent::What what, session::SessionId id, Code code, std::string_view reason) {
  if (!apps_.hears(what)) return;
  auto session = services_.session(id.to_u64());
  if (!session) return;
  told_ = true;
  apps_.on_session({what, std::move(*session), code, std::string(reason), services_.groups_of(id.to_u64())});
}

void LocalServer::close(session::SessionId id, Code code, std::string_view text) {
  session::Session* session = sessions_.get(id);
  if (!session) return;
  tell(host::SessionEvent::What::kClosed, id, code, text);
  directory_.leave(id.to_u64());
  session->detach();
  session->fail_all(code, text);
  sessions_.erase(id);
  peers_.erase(id);
}

bool LocalServer::turn() {
  told_ = false;
  bool more = dispatcher_.run();
  more |= services_.end_turn();
  while (!turn_wanted_.empty()) {
    for (const session::SessionId id : std::exchange(turn_wanted_, {})) {
      if (session::Session* session = sessions_.get(id)) session->end_turn();
    }
  }
  return more || told_ || !closing_.empty();
}

void LocalServer::reap() {
  sessions_.reap();
  apps_.reap();
}

void LocalServer::on_message(session::Session& session, session::Incoming message) {
  dispatcher_.submit(session, message);
}

void LocalServer::on_promise_expired(const session::Promise& promise) {
  if (session::Session* session = sessions_.get(promise.session)) session->promise_expired(promise);
}

const host::SessionView* LocalServer::view_session(session::SessionId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second.view;
}

Result<host::SessionStats> LocalServer::session_stats(session::SessionId id) {
  const session::Session* session = sessions_.get(id);
  if (!session) return fail(Code::kStaleHandle, "the session is gone");
  return host::SessionStats{.messages_sent = session->outbox().next_seq() - 1,
                            .messages_received = session->inbox().cumulative(),
                            .pending_replies = session->pending_replies(),
                            .outbox_messages = session->outbox().messages()};
}

Status LocalServer::close_session(session::SessionId id, Code code, std::string_view text) {
  if (!sessions_.get(id)) return fail(Code::kStaleHandle, "the session is gone");
  closing_.push_back({id, code, std::string(text)});
  return {};
}

}  // namespace godwit::app
