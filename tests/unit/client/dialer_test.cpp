#include "client/dialer.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "virtual_time.h"

using namespace godwit;
using namespace godwit::client;

namespace {

SocketAddress address(const char* text) { return *SocketAddress::parse(text); }

const Remote kTwo{{address("[::1]:1"), address("127.0.0.1:1")}, "localhost"};
const Remote kOne{{address("127.0.0.1:1")}, "localhost"};

/// A network of attempts that end when the test says so, and the owner that hears of it.
class World final : public Dialer::Connector, public Dialer::Owner {
 public:
  testing::VirtualTime time;
  Dialer dialer{time.clock, time.timers, *this, *this};
  ClientCore::Events& core = dialer;

  std::vector<SocketAddress> attempts;
  std::vector<PeerId> abandoned;
  std::optional<Code> refuse_to_start;
  std::optional<PeerId> dialed;
  std::optional<Code> failed;
  std::optional<Code> disconnected;

  /// The server is reached, greeted, and lets the client in.
  void connect_core(PeerId peer) {
    if (core.on_reached(peer)) core.on_connected(peer, Entry());
  }
  PeerId attempt(size_t index) const { return {static_cast<uint32_t>(index), 1}; }

 private:
  Result<PeerId> connect(const SocketAddress& to, const std::string&, const Credentials&, Duration timeout,
                         session::SessionId) override {
    CHECK(timeout > Duration::zero());
    attempts.push_back(to);
    if (refuse_to_start) return fail(*refuse_to_start);
    return attempt(attempts.size() - 1);
  }
  void abandon(PeerId peer) override { abandoned.push_back(peer); }
  void on_dialed(uint64_t, PeerId peer, const Entry&) override {
    REQUIRE_FALSE(dialed);
    dialed = peer;
  }
  void on_dial_failed(uint64_t, const Error& why) override {
    REQUIRE_FALSE(failed);
    failed = why.code;
  }
  void on_disconnected(uint64_t, PeerId, const Error& why, session::SessionId) override { disconnected = why.code; }
};

}  // namespace

TEST_CASE("the second address is tried beside the first once that was silent for a while") {
  World world;
  world.dialer.dial(7, kTwo, {}, 5s);
  CHECK(world.attempts.empty());
  world.time.advance(0s);
  CHECK(world.attempts.size() == 1);
  world.time.advance(249ms);
  CHECK(world.attempts.size() == 1);
  world.time.advance(1ms);
  REQUIRE(world.attempts == kTwo.addresses);
  CHECK(world.abandoned.empty());
}

TEST_CASE("the first that greets wins, and the other is given up") {
  World world;
  world.dialer.dial(7, kTwo, {}, 5s);
  world.time.advance(300ms);
  world.connect_core(world.attempt(1));
  CHECK(world.dialed == world.attempt(1));
  CHECK(world.abandoned == std::vector{world.attempt(0)});
  world.core.on_disconnected(world.attempt(0), {Code::kCancelled, {}}, {});
  world.time.advance(10s);
  CHECK_FALSE(world.failed);
  CHECK_FALSE(world.disconnected);
}

TEST_CASE("a failed attempt makes way for the next address at once") {
  World world;
  world.dialer.dial(7, kTwo, {}, 5s);
  world.time.advance(0s);
  world.core.on_disconnected(world.attempt(0), {Code::kConnectionReset, {}}, {});
  CHECK(world.attempts.size() == 2);
  CHECK_FALSE(world.failed);
  world.core.on_disconnected(world.attempt(1), {Code::kUnauthenticated, {}}, {});
  CHECK(world.failed == Code::kUnauthenticated);
}

TEST_CASE("a dial that nobody answers fails at its deadline, not before") {
  World world;
  world.dialer.dial(7, kOne, {}, 3s);
  world.time.advance(2999ms);
  CHECK_FALSE(world.failed);
  world.time.advance(1ms);
  CHECK(world.failed == Code::kConnectTimeout);
  CHECK(world.abandoned == std::vector{world.attempt(0)});
}

TEST_CASE("when no attempt can even start, the owner hears it after dial has returned") {
  World world;
  world.refuse_to_start = Code::kSocketFailed;
  world.dialer.dial(7, kTwo, {}, 5s);
  CHECK_FALSE(world.failed);
  world.time.advance(0s);
  CHECK(world.attempts.size() == 2);
  CHECK(world.failed == Code::kSocketFailed);
}

TEST_CASE("the first that is reached is the only one that greets, and the next address is tried when it is refused") {
  World world;
  world.dialer.dial(7, kTwo, {}, 5s);
  world.time.advance(0s);
  REQUIRE(world.attempts.size() == 1);
  REQUIRE(world.core.on_reached(world.attempt(0)));
  world.time.advance(1s);
  CHECK(world.attempts.size() == 1);  // no other is tried beside one that was reached
  world.core.on_disconnected(world.attempt(0), {Code::kTooManyConnections, {}}, {});
  CHECK(world.attempts.size() == 2);
  CHECK_FALSE(world.failed);
  REQUIRE(world.core.on_reached(world.attempt(1)));
  world.core.on_connected(world.attempt(1), Entry());
  CHECK(world.dialed == world.attempt(1));
}

TEST_CASE("of two attempts the one that is reached later is given up before it greets") {
  World world;
  world.dialer.dial(7, kTwo, {}, 5s);
  world.time.advance(250ms);
  REQUIRE(world.attempts.size() == 2);
  REQUIRE(world.core.on_reached(world.attempt(1)));
  CHECK(world.abandoned == std::vector{world.attempt(0)});
  CHECK_FALSE(world.core.on_reached(world.attempt(0)));
}

TEST_CASE("a host without addresses fails") {
  World world;
  world.dialer.dial(7, {{}, "nowhere"}, {}, 5s);
  world.time.advance(0s);
  CHECK(world.failed == Code::kAddressInvalid);
}

TEST_CASE("nobody hears of a cancelled dial again") {
  World world;
  const DialId id = world.dialer.dial(7, kTwo, {}, 5s);
  world.time.advance(0s);
  world.dialer.cancel(id);
  CHECK(world.abandoned == std::vector{world.attempt(0)});
  CHECK_FALSE(world.core.on_reached(world.attempt(0)));
  world.time.advance(10s);
  CHECK_FALSE(world.dialed);
  CHECK_FALSE(world.failed);
  CHECK(world.attempts.size() == 1);
}

TEST_CASE("a peer that won is known until it is lost") {
  World world;
  world.dialer.dial(7, kOne, {}, 5s);
  world.time.advance(0s);
  CHECK(world.dialer.dialed().empty());
  world.connect_core(world.attempt(0));
  CHECK(world.dialer.dialed() == std::vector{world.attempt(0)});
  world.core.on_disconnected(world.attempt(0), {Code::kIdleTimeout, {}}, {});
  CHECK(world.disconnected == Code::kIdleTimeout);
  CHECK(world.dialer.dialed().empty());
}
