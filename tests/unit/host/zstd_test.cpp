#include <zstd.h>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

std::string evaluate(const std::string& expression, std::string_view message = "hello") {
  ScriptWorld world;
  world.limits.burst_max = 10s;  // it is not about time
  return world.answer("local v, err = " + expression + " msg:reply(v or err.name .. ': ' .. err.message)", message);
}

std::string packed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// A frame that does not tell the size of its content.
std::string packed_in_a_stream(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer half{text.data(), text.size() / 2, 0};
  ZSTD_compressStream2(context, &to, &half, ZSTD_e_flush);
  in.pos = half.pos;
  ZSTD_compressStream2(context, &to, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

}  // namespace

TEST_CASE("what was compressed comes out again, at every level and size") {
  for (const int level : {1, 3, 9}) {
    for (const size_t size : {0, 1, 1000, 300'000}) {
      INFO(level << " " << size);
      std::string text;
      for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i * 7919);
      text.resize(size);
      const std::string back =
          evaluate("gw.zstd.decompress(gw.zstd.compress(msg:body(), " + std::to_string(level) + "), 1e6)", text);
      CHECK((back == text));
    }
  }
  CHECK(evaluate("tostring(#gw.zstd.compress(('a'):rep(100000)) < 100)") == "true");
}

TEST_CASE("frames of others are understood, whether they tell their size or not") {
  const std::string text(5000, 'x');
  CHECK((evaluate("gw.zstd.decompress(msg:body(), 5000)", packed(text)) == text));
  CHECK((evaluate("gw.zstd.decompress(msg:body(), 5000)", packed_in_a_stream(text)) == text));
  CHECK((evaluate("gw.zstd.decompress(msg:body(), 10000)", packed(text) + packed(text)) == text + text));
}

TEST_CASE("a result beyond the limit is refused, told or not, without room being made for it") {
  const std::string large = "MessageTooLarge: gw.zstd.decompress: the result is larger than the limit";
  const std::string text(5000, 'x');
  CHECK(evaluate("gw.zstd.decompress(msg:body(), 4999)", packed(text)) == large);
  CHECK(evaluate("gw.zstd.decompress(msg:body(), 4999)", packed_in_a_stream(text)) == large);
  CHECK(evaluate("gw.zstd.decompress(msg:body(), 0)", packed(text)) == large);

  ScriptWorld world;
  world.limits.memory_bytes_max = 8 << 20;
  const std::string bomb = packed(std::string(64 << 20, '\0'));
  REQUIRE(bomb.size() < 8192);
  CHECK(world.answer("local v, err = gw.zstd.decompress(msg:body(), 1e6) msg:reply(err.name)", bomb) ==
        "MessageTooLarge");
  CHECK(world.app->stats().memory_bytes < 2 << 20);
}

TEST_CASE("a limit beyond the app's memory does not get round it") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 8 << 20;
  const std::string bomb = packed(std::string(64 << 20, '\0'));
  CHECK(world.answer("local v, err = gw.zstd.decompress(msg:body(), 1e9) msg:reply('went through')", bomb) ==
        "ScriptMemory: test@1: handler ran out of memory");
  CHECK(world.answer("msg:reply('lives')") == "lives");
}

TEST_CASE("what is no zstd, or broken, is an error") {
  const std::string malformed = "ValueWrong: gw.zstd.decompress: no zstd frames";
  CHECK(evaluate("gw.zstd.decompress('hello, world', 100)") == malformed);
  const std::string good = packed(std::string(5000, 'x') + "yz");
  CHECK(evaluate("gw.zstd.decompress(msg:body(), 10000)", good.substr(0, good.size() - 1)) == malformed);
  std::string spoiled = good;
  spoiled[spoiled.size() / 2] ^= 0x55;
  CHECK(evaluate("gw.zstd.decompress(msg:body(), 10000)", spoiled).substr(0, 11) != std::string(11, 'x'));
}

TEST_CASE("what compression works in counts as the app's memory") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 3 << 20;
  const std::string verdict =
      world.answer("local v, err = gw.zstd.compress(('ab'):rep(350000), 9) msg:reply(v and 'packed' or err.name)");
  CHECK(verdict == "ScriptMemory");
  CHECK(world.answer("msg:reply(#gw.zstd.compress('abc') > 3 and 'packed' or '')") == "packed");
}

TEST_CASE("compression ends with its script's time") {
  ScriptWorld world;
  world.limits.memory_bytes_max = 512 << 20;
  world.limits.burst_max = 10ms;
  const std::string code =
      "local t = {} for i = 1, 100000 do t[i] = i * 7919 end local s = table.concat(t) "
      "while true do pcall(gw.zstd.compress, s, 9) end";
  CHECK(world.answer(code) == "ScriptTimeout: test@1: handler ran too long");
}

TEST_CASE("levels and limits that make no sense are mistakes") {
  ScriptWorld world;
  CHECK(world.raised("gw.zstd.compress('a', 10)") ==
        "test/main.lua:1: gw.zstd.compress: the level must be a whole number from 1 to 9");
  CHECK(world.raised("gw.zstd.decompress('a')") ==
        "test/main.lua:1: gw.zstd.decompress: the second argument says how many bytes the result may have");
  CHECK(world.raised("gw.zstd.decompress(1, 1)") ==
        "test/main.lua:1: gw.zstd.decompress: expected a string, got number");
}
