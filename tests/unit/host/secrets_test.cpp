#include <set>

#include "host/uuid_source.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

std::string evaluate(const std::string& expression) {
  ScriptWorld world;
  world.limits.burst_max = 10s;  // a million bytes take their time under a sanitizer
  return world.answer("local v = " + expression + " msg:reply(tostring(v))");
}

}  // namespace

TEST_CASE("digests and keyed codes are those that everybody computes") {
  CHECK(evaluate("gw.hash.sha256('abc')") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(evaluate("gw.hash.sha256(('a'):rep(1000000))") ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(evaluate("gw.hash.hmac_sha256('Jefe', 'what do ya want for nothing?')") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("secrets are compared whole") {
  CHECK(evaluate("gw.hash.equal('one', 'one')") == "true");
  CHECK(evaluate("gw.hash.equal('one', 'onE')") == "false");
  CHECK(evaluate("gw.hash.equal('one', 'on')") == "false");
}

TEST_CASE("what is hashed must be text, and the error says where") {
  ScriptWorld world;
  CHECK(world.raised("gw.hash.sha256(nil)") ==
        "test/main.lua:1: gw.hash.sha256: what is hashed must be a string, got nil");
  CHECK(world.raised("gw.hash.hmac_sha256('key')") ==
        "test/main.lua:1: gw.hash.hmac_sha256: what is hashed must be a string, got nil");
  CHECK(world.raised("gw.hash.equal('a', 1)") ==
        "test/main.lua:1: gw.hash.equal: the second argument must be a string, got number");
}

TEST_CASE("hashing ends with its script's time") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 512 << 20;
  world.limits.burst_max = 10ms;
  const std::string verdict = world.answer(
      "local text = ('a'):rep(60 * 1024 * 1024) "
      "pcall(gw.hash.sha256, text) msg:reply('hashed')");
  CHECK(verdict == "ScriptTimeout: test@1: handler ran too long");
}

TEST_CASE("an id of version 4 is random but for its version and variant") {
  ScriptWorld world;
  const std::string ids =
      world.answer("local t = {} for i = 1, 200 do t[i] = gw.uuid.v4() end msg:reply(table.concat(t))");
  std::set<std::string> seen;
  for (size_t i = 0; i < 200; ++i) {
    const std::string id = ids.substr(36 * i, 36);
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    for (const size_t dash : {8, 13, 18, 23}) CHECK(id[dash] == '-');
    seen.insert(id);
  }
  CHECK(seen.size() == 200);
  CHECK(world.entropy.asked == 4);  // of 1 KiB each: two ids take 32 bytes
}

TEST_CASE("ids of version 7 begin with the time, and each is greater than the one before") {
  CountedEntropy entropy;
  SetClock clock;
  UuidSource source(entropy, clock);
  std::string last = to_text(source.v7());
  CHECK(last.substr(0, 15) == "018bcfe5-68fa-7");  // 1,700,000,000.250 s
  for (int i = 0; i < 1000; ++i) {
    if (i == 500) clock.advance(-1s);
    const std::string id = to_text(source.v7());
    CHECK(id > last);
    CHECK(id[14] == '7');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    last = id;
  }
  CHECK(last.substr(0, 13) == "018bcfe5-68fa");
  clock.advance(5s);
  CHECK(to_text(source.v7()) > last);
}

TEST_CASE("an id of version 7 goes on into the next millisecond when one is used up") {
  /// All ones: the range within a millisecond is used up as fast as can be.
  struct Ones final : Entropy {
    void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), uint8_t{0xff}); }
  } ones;
  SetClock clock;
  UuidSource source(ones, clock);
  const UuidSource::Uuid first = source.v7();
  UuidSource::Uuid last = first;
  for (int i = 0; i < 10000; ++i) {
    const UuidSource::Uuid next = source.v7();
    REQUIRE(last < next);
    last = next;
  }
}
