#include "server_node.h"

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
    : Node(world, "server", address(), Network::Place::kOpen),
      authenticator_(make_authenticator(options.tokens)),
      sessions_(options.core.session.sessions_max),
      actions_(world, options.handler_cost),
      witness_(world, options.handlers ? *options.handlers : actions_),
      directory_(world.clock()),
      services_(0, world.clock(), timers(), directory_),
      core_(options.core, endpoint_options(world, options),
            {world.clock(), timers(), sender(), entropy_, log(), metrics(), sessions_, *authenticator_, witness_,
             services_, planner_}) {}

bool ServerNode::end_turn() {
  const bool more = core_.end_turn();
  core_.reap();
  return more || (core_.endpoint().wants_flush() && !core_.endpoint().blocked());
}

}  // namespace godwit::sim
