#include "app/spec/local_server.h"

namespace godwit::app {

LocalServer::LocalServer(const World& world)
    : config_(world.config),
      clock_(world.clock),
      timers_(world.timers),
      directory_(world.clock),
      services_(0, world.clock, world.timers, directory_),
      once_(world.once, world.store, world.clock, world.timers, nullptr, world.log.named("once")),
      apps_({.clock = world.clock,
             .timers = world.timers,
             .log = world.log,
             .watchdog = world.watchdog,
             .services = &services_,
             .kv = &world.kv,
             .once = &once_,
             .entropy = &world.entropy,
             .metrics = &world.metrics},
            host::UnitSource::Kind::kScript),
      places_(world.config.session.sessions_max),
      dispatcher_(world.config.dispatcher, world.clock, metrics_, world.log.named("dispatch"), apps_, *this),
      sessions_({.config = world.config.session, .promises_max = world.config.promises_max},
                {world.clock, world.timers, world.log.named("sessions"), metrics_, places_, services_, &apps_, *this}) {
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
  return sessions_.enter(std::move(identity), std::move(address), {}).map([](const Resident* resident) {
    return resident->id;
  });
}

void LocalServer::close(session::SessionId id, Code code, std::string_view text) {
  session::Session* session = sessions_.session(id);
  if (!session) return;
  session->detach();
  session->fail_all(code, text);
  sessions_.end(id, code, text);
}

bool LocalServer::turn() {
  bool more = dispatcher_.run();
  more |= services_.end_turn();
  sessions_.end_turn();
  return sessions_.take_told() || more || !closing_.empty();
}

void LocalServer::reap() {
  sessions_.reap();
  apps_.reap();
}

void LocalServer::on_message(session::Session& session, session::Incoming message) {
  if (const Status may = sessions_.check(session.id(), message); !may)
    return refuse_message(session, message.envelope, may.error());
  dispatcher_.submit(session, message);
}

Result<host::SessionStats> LocalServer::session_stats(session::SessionId id) {
  const session::Session* session = sessions_.session(id);
  if (!session) return fail(Code::kStaleHandle, "the session is gone");
  return host::SessionStats{.messages_sent = session->outbox().next_seq() - 1,
                            .messages_received = session->inbox().cumulative(),
                            .pending_replies = session->pending_replies(),
                            .outbox_messages = session->outbox().messages()};
}

/// Its line is cut with the next closings; until then it is a session without a name.
void LocalServer::supersede_session(session::SessionId id) {
  closing_.push_back({id, Code::kSuperseded, std::string(kSupersededText)});
}

Status LocalServer::close_session(session::SessionId id, Code code, std::string_view text) {
  if (!sessions_.find(id)) return fail(Code::kStaleHandle, "the session is gone");
  closing_.push_back({id, code, std::string(text)});
  return {};
}

}  // namespace godwit::app
