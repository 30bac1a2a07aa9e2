#include <map>

#include "load.h"
#include "scenario.h"
#include "server_node.h"

namespace godwit::sim {
namespace {

/// Asks for what is never done, and withdraws it after a while.
class Withdrawer {
 public:
  Withdrawer(World& world, ServerNode& server, ClientPeer& peer) : world_(world), peer_(peer) {
    server.actions().on_withdrawn = [this](uint64_t message_id) {
      const auto found = since_.find(message_id);
      if (found != since_.end()) latest_ = std::max(latest_, world_.now() - found->second);
    };
  }
  void ask() {
    const std::vector<uint8_t> body = make_body(world_.seed() ^ ++asked_, 40);
    const auto sent =
        peer_.send({.action = "wait", .body = body, .options = {.timeout = 10h, .order = session::Order::kUnordered}});
    if (!sent) return;
    world_.after(Duration(world_.random().below(2'000'000'000)), [this, id = *sent] {
      since_[id] = world_.now();
      peer_.cancel(id);
    });
  }
  Duration latest() const { return latest_; }

 private:
  World& world_;
  ClientPeer& peer_;
  uint64_t asked_ = 0;
  std::map<uint64_t, Timestamp> since_;
  Duration latest_{};
};

}  // namespace

void cancel(World& world) {
  ServerNode::Options serving;
  serving.core.session.heartbeat_interval = 2s;
  ServerNode server(world, serving);
  ClientNode::Options keeping;
  keeping.core.keep_sessions = true;
  keeping.core.session.heartbeat_interval = 2s;
  keeping.redial_after = 200ms;
  ClientNode client(world, keeping);
  world.network().set(client, {.delay = 20ms, .jitter = 10ms});
  ClientPeer& peer = connect(world, client);
  Withdrawer withdrawer(world, server, peer);
  for (int i = 0; i < 300; ++i) world.after(Duration(world.random().below(5'000'000'000)), [&] { withdrawer.ask(); });
  world.run(8s);
  world.expect(server.actions().waiting() == 0, "a handler goes on although its caller has withdrawn");
  world.expect(withdrawer.latest() > 10ms, "nobody was told, or before it was possible");
  world.expect(withdrawer.latest() <= 100ms, "a handler was told late");
  world.expect(world.ledger().told(Code::kCancelled) == 300, "callers did not hear that they withdrew");

  // However connections are lost meanwhile, no handler goes on for ever.
  for (int i = 0; i < 300; ++i) world.after(Duration(world.random().below(20'000'000'000)), [&] { withdrawer.ask(); });
  for (int i = 1; i <= 6; ++i)
    world.after(i * 3s + Duration(world.random().below(2'000'000'000)), [&] { client.drop(peer); });
  world.run(30s);
  world.expect(world.run_until([&] { return peer.connected() && server.actions().waiting() == 0; }, 30s),
               "a handler goes on although its caller has withdrawn");
  world.expect(world.ledger().open() == 0 && !peer.ended(), "callers wait");
  world.expect(peer.resumes() >= 3, "too few connections were lost");
  world.expect(server.core().idle(), "messages are left over");
  world.ledger().finish();
}

}  // namespace godwit::sim
