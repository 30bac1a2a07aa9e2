#pragma once

#include <string_view>
#include <vector>

#include "world.h"

namespace godwit::sim {

/// A story in a world of its own. It says what must hold by World::expect; the seed decides everything else.
struct Scenario {
  std::string_view name;
  std::string_view promise;
  void (*run)(World& world);
};

/// All of them, in the order in which they are listed and run.
std::vector<Scenario> all_scenarios();

// scenarios/connecting.cpp
void handshake_loss30(World& world);
void greeting_stall(World& world);
void caps(World& world);
void retry(World& world);
void wrong_token(World& world);
void unread_answers(World& world);
// scenarios/messages.cpp
void requests_loss20(World& world);
void sizes(World& world);
void weak_network(World& world);
void fire_and_forget(World& world);
void datagrams(World& world);
void broken_datagrams(World& world);
// scenarios/own_streams.cpp
void stream_limit(World& world);
void broken_bodies(World& world);
void unknown_streams(World& world);
void lost_heads(World& world);
void body_room(World& world);
void hoarded_bodies(World& world);
// scenarios/resume.cpp
void resume(World& world);
void resume_window(World& world);
void takeover(World& world);
void lost_welcomes(World& world);
void late_hello(World& world);
void same_name(World& world);
void closed_for_good(World& world);
void error_injection(World& world);
void two_workers(World& world);
// scenarios/claims.cpp
void claims(World& world);
void rivals(World& world);
void every_byte(World& world);
void every_greeting_byte(World& world);
// scenarios/withdrawing.cpp
void cancel(World& world);
// scenarios/pushing.cpp
void notify_order(World& world);
void slow_consumer(World& world);
void idle_session(World& world);
void offline(World& world);
void hooks(World& world);
// scenarios/paths.cpp
void port_change(World& world);
void server_silent(World& world);
void idle_link(World& world);
void dead_peer(World& world);
void one_heartbeat(World& world);
void amplification(World& world);
// scenarios/stopping.cpp
void drain(World& world);
// scenarios/scripts.cpp
void lua_echo(World& world);
void reload(World& world);
// scenarios/chaos.cpp
void chaos(World& world);
void crashes(World& world);

}  // namespace godwit::sim
