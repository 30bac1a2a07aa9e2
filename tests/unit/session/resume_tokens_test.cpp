#include "session/resume_tokens.h"

#include <catch2/catch.hpp>

#include "base/prng.h"
#include "quic/key_ring.h"
#include "virtual_time.h"

using namespace godwit;
using session::ResumeTokens;

namespace {

class Chance final : public Entropy {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  void fill(MutableBytes out) override { random_.fill(out); }

 private:
  Prng random_;
};

uint64_t next_seed = 1;

struct Server {
  Chance chance{next_seed++};
  quic::KeyRing keys{chance};
  testing::VirtualTime time;
  ResumeTokens tokens{keys, time.clock};
};

}  // namespace

TEST_CASE("a token is read by who made it, for whom it was made") {
  Server server, other;
  const std::string token = server.tokens.make({42, 7, 99}, "phone");
  const auto proof = server.tokens.read(token, "phone");
  REQUIRE(proof);
  CHECK(proof->session == 42);
  CHECK(proof->epoch == 7);
  CHECK(proof->born_unix_us == 99);
  CHECK_FALSE(server.tokens.read(token, "tablet"));
  CHECK_FALSE(other.tokens.read(token, "phone"));
  CHECK(token.size() <= 256);
  CHECK(server.tokens.make({42, 7}, "phone") != token);
}

TEST_CASE("a token that was changed, cut or lengthened in any place is none") {
  Server server;
  const std::string token = server.tokens.make({42, 7}, "phone");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '0' ? '1' : '0';
    CHECK_FALSE(server.tokens.read(changed, "phone"));
    CHECK_FALSE(server.tokens.read(token.substr(0, i), "phone"));
  }
  CHECK_FALSE(server.tokens.read(token + "00", "phone"));
  CHECK_FALSE(server.tokens.read("no token at all", "phone"));
  CHECK_FALSE(server.tokens.read("ABCD", "phone"));
}

TEST_CASE("a token outlives two rotations of the keys, not three") {
  Server server;
  const std::string token = server.tokens.make({1, 1}, "c");
  const uint32_t before = server.tokens.generation();
  server.keys.rotate();
  CHECK(server.tokens.generation() > before);
  server.keys.rotate();
  CHECK(server.tokens.read(token, "c"));
  server.keys.rotate();
  CHECK_FALSE(server.tokens.read(token, "c"));
}

TEST_CASE("a token is good for two days, whatever the keys do") {
  Server server;
  const std::string token = server.tokens.make({1, 1}, "c");
  server.time.advance(ResumeTokens::kLifetime - 1s);
  CHECK(server.tokens.read(token, "c"));
  server.time.advance(1s);
  CHECK_FALSE(server.tokens.read(token, "c"));
}
