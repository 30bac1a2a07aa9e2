#include "client/reconnector.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "base/prng.h"
#include "virtual_time.h"

using namespace godwit;
using namespace godwit::client;
using State = Reconnector::State;

namespace {

class Chance final : public Entropy {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  void fill(MutableBytes out) override { random_.fill(out); }

 private:
  Prng random_;
};

/// A network that does what the test says, and the owner that hears of it.
class World final : public Reconnector::Connections, public Reconnector::Owner {
 public:
  explicit World(Reconnector::Options options = {}, uint64_t seed = 1)
      : chance(seed), reconnector(options, time.clock, time.timers, chance, *this, *this) {}

  static constexpr session::SessionId kSession{5, 1};
  static constexpr Entry kNew{Entry::Kind::kNew, Code::kOk, 60s};
  static constexpr Entry kResumed{Entry::Kind::kResumed, Code::kOk, 60s};

  void enter(const Entry& entry = kNew) { reconnector.on_dialed({1, 1}, entry); }
  void lose(Code code = Code::kIdleTimeout, session::SessionId kept = kSession) {
    reconnector.on_disconnected({code, "lost"}, kept);
  }
  void refuse(Code code) { reconnector.on_dial_failed({code, "refused"}); }
  /// When the next dial happens, from now; nullopt: not within an hour.
  std::optional<Duration> next_dial() {
    const Timestamp begin = time.clock.now();
    const size_t before = dials.size();
    while (dials.size() == before && time.timers.next() <= begin + 1h)
      time.advance(time.timers.next() - time.clock.now());
    if (dials.size() == before) return std::nullopt;
    return time.clock.now() - begin;
  }

  testing::VirtualTime time;
  Chance chance;
  std::vector<session::SessionId> dials;  ///< what was to be resumed
  std::map<session::SessionId, Code> given_up;
  std::vector<State> states;
  enum class Lookup : uint8_t { kWorks, kFails, kSilent } lookup = Lookup::kWorks;
  size_t lookups = 0;
  size_t entered = 0;
  Entry last_entry;
  size_t closed = 0;
  Reconnector reconnector;

 private:
  void look_up(std::function<void(const Result<Remote>&)> done) override {
    ++lookups;
    if (lookup == Lookup::kWorks) done(Remote{{}, "server"});
    if (lookup == Lookup::kFails) done(fail(Code::kAddressInvalid, "no such name"));
  }
  DialId dial(const Remote&, Duration, session::SessionId resume) override {
    dials.push_back(resume);
    return {static_cast<uint32_t>(dials.size()), 1};
  }
  void cancel(DialId) override {}
  void give_up(session::SessionId kept, const Error& why) override { given_up[kept] = why.code; }
  void close(PeerId) override { ++closed; }
  void on_state(State state, const Error&) override { states.push_back(state); }
  void on_entered(PeerId, const Entry& entry) override {
    ++entered;
    last_entry = entry;
  }
};

}  // namespace

TEST_CASE("a first try that fails is told, and the next one is made when it is asked for") {
  World world;
  world.reconnector.start();
  CHECK(world.dials.size() == 1);
  world.refuse(Code::kConnectTimeout);
  CHECK(world.states == std::vector{State::kConnecting, State::kIdle});
  CHECK_FALSE(world.next_dial());
  world.reconnector.start();
  CHECK(world.dials.size() == 2);
}

TEST_CASE("a lost connection is made again with the session that it had") {
  World world;
  world.reconnector.start();
  world.enter();
  world.lose();
  CHECK(world.reconnector.state() == State::kConnecting);
  const auto delay = world.next_dial();
  REQUIRE(delay);
  CHECK(*delay >= 800ms);
  CHECK(*delay <= 1200ms);
  CHECK(world.dials.back() == World::kSession);
  world.enter(World::kResumed);
  CHECK(world.reconnector.state() == State::kConnected);
  CHECK(world.reconnector.reconnects() == 1);
  CHECK(world.given_up.empty());
}

TEST_CASE("delays double from one second to a minute, each within a fifth, and begin anew after a success") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World world({}, seed);
    world.reconnector.start();
    world.enter();
    for (int round = 0; round < 2; ++round) {
      world.lose();
      for (Duration base = 1s; base < 200s; base *= 2) {
        const auto delay = world.next_dial();
        REQUIRE(delay);
        const Duration capped = std::min<Duration>(base, 60s);
        CHECK(*delay >= capped * 8 / 10);
        CHECK(*delay <= capped * 12 / 10);
        world.refuse(Code::kConnectTimeout);
      }
      REQUIRE(world.next_dial());
      world.enter();
    }
  }
}

TEST_CASE("clients that lose a server together do not come back together") {
  std::vector<Duration> firsts;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    World world({}, seed);
    world.reconnector.start();
    world.enter();
    world.lose();
    firsts.push_back(*world.next_dial());
  }
  std::sort(firsts.begin(), firsts.end());
  CHECK(firsts[20] < 880ms);
  CHECK(firsts[180] > 1120ms);
}

TEST_CASE("a server that says when to come back is not tried before") {
  World world;
  world.reconnector.start();
  world.enter();
  world.reconnector.on_goodbye({Code::kServerDraining, "going down", 30'000});
  CHECK(world.reconnector.state() == State::kDraining);
  world.lose(Code::kServerDraining);
  CHECK(*world.next_dial() == 30s);
  world.reconnector.on_advice(20s);
  world.refuse(Code::kTooManyConnections);
  CHECK(*world.next_dial() == 20s);
}

TEST_CASE("a session that the server has given up by now is given up as soon as that is known") {
  World world;
  world.reconnector.start();
  world.enter();
  world.lose();
  while (world.given_up.empty()) {
    REQUIRE(world.next_dial());
    CHECK(world.time.clock.now() - testing::VirtualClock::kStart < 75s);
    world.refuse(Code::kConnectTimeout);
  }
  CHECK(world.given_up.at(World::kSession) == Code::kSessionLost);
  REQUIRE(world.next_dial());
  CHECK(world.dials.back() == session::SessionId());
}

TEST_CASE("a session is not given up while a server is being asked for it") {
  World world;
  world.reconnector.start();
  world.enter();
  world.lose();
  REQUIRE(world.next_dial());
  world.time.advance(62s);
  CHECK(world.given_up.empty());
  world.enter(World::kResumed);
  world.time.advance(1h);
  CHECK(world.given_up.empty());
}

TEST_CASE("what another try cannot mend ends it, and the session with it") {
  World world;
  world.reconnector.start();
  world.enter();
  SECTION("a refusal") {
    world.lose();
    REQUIRE(world.next_dial());
    world.refuse(Code::kUnauthenticated);
    CHECK(world.given_up.at(World::kSession) == Code::kUnauthenticated);
  }
  SECTION("another connection of the same session") { world.lose(Code::kSuperseded, {}); }
  SECTION("nobody wants it") {
    World once({.reconnect = false});
    once.reconnector.start();
    once.enter();
    once.lose();
    CHECK(once.reconnector.state() == State::kIdle);
    CHECK(once.given_up.size() == 1);
  }
  if (world.reconnector.state() == State::kConnected) return;
  CHECK(world.reconnector.state() == State::kIdle);
  CHECK_FALSE(world.next_dial());
}

TEST_CASE("a name that cannot be looked up while the network is away does not end the session") {
  for (const auto lookup : {World::Lookup::kFails, World::Lookup::kSilent}) {
    World world;
    world.reconnector.start();
    world.enter();
    world.lose();
    world.lookup = lookup;
    world.time.advance(20s);
    CHECK(world.lookups > 2);
    CHECK(world.reconnector.state() == State::kConnecting);
    world.lookup = World::Lookup::kWorks;
    REQUIRE(world.next_dial());
    CHECK(world.dials.back() == World::kSession);
    world.enter(World::kResumed);
    CHECK(world.last_entry.kind == Entry::Kind::kResumed);
  }
}

TEST_CASE("a first lookup that fails, or never ends, is told") {
  World world;
  SECTION("fails") { world.lookup = World::Lookup::kFails; }
  SECTION("never ends") { world.lookup = World::Lookup::kSilent; }
  world.reconnector.start();
  world.time.advance(5s);
  CHECK(world.reconnector.state() == State::kIdle);
}

TEST_CASE("another session than before is told as such, also when nobody asked for the last one any more") {
  World world;
  world.reconnector.start();
  world.enter();
  CHECK(world.last_entry.kind == Entry::Kind::kNew);
  world.lose(Code::kPeerClosed, {});
  REQUIRE(world.next_dial());
  world.enter();
  CHECK(world.last_entry.kind == Entry::Kind::kLost);
  CHECK(world.last_entry.lost == Code::kSessionLost);
}

TEST_CASE("a client that is steered to another worker goes there at once, but not for ever") {
  World world;
  world.reconnector.start();
  world.enter();
  world.lose();
  REQUIRE(world.next_dial());
  const size_t before = world.dials.size();
  world.refuse(Code::kSessionElsewhere);
  CHECK(world.dials.size() == before + 1);
  for (int i = 0; i < 5; ++i) world.refuse(Code::kSessionElsewhere);
  CHECK(world.dials.size() <= before + 3);
  CHECK(*world.next_dial() >= 800ms);
}

TEST_CASE("who knows that the network is back need not wait") {
  World world;
  world.reconnector.start();
  world.enter();
  world.lose();
  world.reconnector.hurry();
  CHECK(world.dials.size() == 2);
  world.reconnector.hurry();  // a try is under way
  CHECK(world.dials.size() == 2);
  CHECK_FALSE(world.next_dial());
}

TEST_CASE("closing ends everything, whatever happens at that moment") {
  World world;
  world.reconnector.start();
  SECTION("connecting") { world.reconnector.close(); }
  SECTION("connected") {
    world.enter();
    world.reconnector.close();
    CHECK(world.closed == 1);
    world.lose(Code::kPeerClosed, {});
  }
  SECTION("waiting") {
    world.enter();
    world.lose();
    world.reconnector.close();
    CHECK(world.given_up.at(World::kSession) == Code::kCancelled);
  }
  CHECK(world.reconnector.state() == State::kClosed);
  CHECK_FALSE(world.next_dial());
  CHECK(world.states.back() == State::kClosed);
}

TEST_CASE(
    "a thousand clients come back to a server that was restarted without a rush, nine of ten within two minutes") {
  constexpr size_t kClients = 1'000;
  for (const Duration outage : {2s, 5s, 10s, 20s}) {
    INFO("outage " << outage / 1s);
    std::vector<Duration> back;
    for (uint64_t seed = 1; seed <= kClients; ++seed) {
      World world({}, seed);
      world.reconnector.start();
      world.enter();
      world.lose();
      for (Duration at{}; at < outage;) {
        at += *world.next_dial();
        if (at < outage) {
          world.refuse(Code::kConnectTimeout);
        } else {
          back.push_back(at - outage);
        }
      }
    }
    std::sort(back.begin(), back.end());
    const Duration nine_of_ten = back[kClients * 9 / 10];
    CHECK(nine_of_ten <= 2min);
    if (outage == 5s) CHECK(back.back() <= 55s);
    // While nine of ten come back, the fullest second has at most three times the mean.
    std::map<int64_t, size_t> by_second;
    for (const Duration after : back) ++by_second[after / 1s];
    const auto fullest = std::max_element(by_second.begin(), by_second.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
    const double seconds = std::chrono::duration<double>(nine_of_ten - back.front()).count();
    CHECK(static_cast<double>(fullest->second) <= 3.0 * 0.9 * static_cast<double>(kClients) / std::max(1.0, seconds));
  }
}

namespace {

/// What its states may be, as simply as it can be said.
bool may_follow(State from, State to) {
  switch (from) {
    case State::kIdle: return to == State::kConnecting || to == State::kClosed;
    case State::kConnecting: return to != State::kDraining;
    case State::kConnected: return to != State::kConnected;
    case State::kDraining: return to != State::kConnected && to != State::kDraining;
    case State::kClosed: return false;
  }
  return false;
}

}  // namespace

TEST_CASE(
    "whatever happens, states follow each other as they may, one dial is under way, and who enters is connected") {
  for (uint64_t seed = 1; seed <= 1'000; ++seed) {
    Prng random(seed);
    World world({}, seed);
    bool dialing = false, connected = false, closed = false;
    size_t entered = 0, dials = 0;
    for (int step = 0; step < 60; ++step) {
      dialing |= world.dials.size() > std::exchange(dials, world.dials.size());
      switch (random.below(9)) {
        case 0: world.reconnector.start(); break;
        case 1:
        case 2:
          if (!std::exchange(dialing, false)) break;
          connected = world.reconnector.state() != State::kClosed;
          entered += connected;
          world.enter(random.chance(0.5) ? World::kNew : World::kResumed);
          break;
        case 3:
          if (!std::exchange(dialing, false)) break;
          world.refuse(random.chance(0.8) ? Code::kConnectTimeout : Code::kUnauthenticated);
          break;
        case 4:
          if (std::exchange(connected, false))
            world.lose(random.chance(0.8) ? Code::kIdleTimeout : Code::kForbidden,
                       random.chance(0.5) ? World::kSession : session::SessionId());
          break;
        case 5:
          if (connected) world.reconnector.on_goodbye({Code::kServerDraining, "", 1000});
          break;
        case 6: world.reconnector.hurry(); break;
        case 7: world.time.advance(Duration(random.below(30'000'000'000))); break;
        default:
          if (random.chance(0.1)) {
            world.reconnector.close();
            closed = true;
          }
      }
      INFO("seed " << seed << ", step " << step);
      REQUIRE(world.entered == entered);
      REQUIRE(world.dials.size() - dials <= 1);
      if (closed) REQUIRE(world.reconnector.state() == State::kClosed);
    }
    State last = State::kIdle;
    for (const State state : world.states) {
      REQUIRE(may_follow(last, state));
      last = state;
    }
    REQUIRE(std::count(world.states.begin(), world.states.end(), State::kConnected) == static_cast<int64_t>(entered));
  }
}
