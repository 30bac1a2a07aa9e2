#include "server_node.h"

#include "payload.h"
#include "world.h"

namespace godwit::sim {
namespace {

std::unique_ptr<session::Authenticator> make_authenticator(std::vector<session::TokenAuthenticator::Entry> tokens) {
  if (tokens.empty()) return std::make_unique<session::NoAuthenticator>();
  return std::make_unique<session::TokenAuthenticator>(std::move(tokens));
}

quic::EndpointOptions endpoint_options(World& world, const ServerNode::Options& options) {
  quic::EndpointOptions endpoint{.transport = options.transport, .admission = options.admission};
  endpoint.tls_server = world.tls().server;
  world.random().fill(endpoint.secrets.stateless_reset_key);
  world.random().fill(endpoint.secrets.token_key);
  return endpoint;
}

}  // namespace

ServerNode::ServerNode(World& world, const Options& options)
    : Node(world, options.life == 1 ? "server" : "server-" + std::to_string(options.life), address(),
           Network::Place::kOpen),
      life_(options.life),
      first_sessions_(options.first_sessions ? *options.first_sessions : own_first_sessions_),
      authenticator_(make_authenticator(options.tokens)),
      sessions_(options.core.session.sessions_max),
      keys_(entropy_),
      actions_(world, options.handler_cost),
      witness_(world, options.handlers ? *options.handlers : actions_),
      directory_(world.clock()),
      services_(0, world.clock(), timers(), directory_),
      core_(options.core, endpoint_options(world, options),
            {world.clock(), timers(), sender(), entropy_, log(), metrics(), sessions_, *authenticator_, keys_, witness_,
             services_, planner_, options.listener}) {}

std::string ServerNode::name_of(const std::string& client_id, host::SessionKey key) {
  const std::pair one(life_, key);
  const bool first = first_sessions_.try_emplace(client_id, one).first->second == one;
  return downward(client_id) + (first ? "" : "#" + std::to_string(life_) + "/" + std::to_string(key));
}

bool ServerNode::push(const std::string& client_id, Bytes body, session::Order order) {
  for (const host::SessionInfo& info : services_.sessions({})) {
    if (info.client_id != client_id) continue;
    session::Session& session = *core_.find_session(session::SessionId::from_u64(info.key));
    const uint64_t seq = session.outbox().next_seq();
    const std::string who = name_of(client_id, info.key);
    const uint64_t body_hash = hash_bytes(body);
    const Status sent =
        services_.send(info.key, {.action = "news", .body = body, .timeout = 1h, .order = order},
                       [this, who, seq](const session::Reply& reply) { world_.ledger().settled(who, seq, reply); });
    if (!sent) return false;
    world_.ledger().sent(who, seq,
                         {.hash = hash_message("news", body_hash),
                          .body_hash = body_hash,
                          .kind = Ledger::Message::Kind::kEvent,
                          .ordered = order == session::Order::kOrdered});
    return true;
  }
  return false;
}

bool ServerNode::close_all_sessions(Code code) {
  const auto sessions = services_.sessions({});
  for (const host::SessionInfo& info : sessions) (void)services_.close(info.key, code, "closed");
  return !sessions.empty();
}

bool ServerNode::end_turn() {
  const bool more = core_.end_turn();
  core_.reap();
  return more || (core_.endpoint().wants_flush() && !core_.endpoint().blocked());
}

}  // namespace godwit::sim
