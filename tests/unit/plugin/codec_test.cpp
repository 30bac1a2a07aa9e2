#include <godwit/plugin.h>

#include <random>

#include "host/codec.h"
#include "plugin_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

constexpr size_t kRoom = 1 << 20;

/// What comes out, or the code's name.
std::string text_of(const Result<std::vector<uint8_t>>& out) {
  return out ? std::string(out->begin(), out->end()) : name_of(out.error().code);
}

struct Msgpack : PluginWorld {
  Msgpack() { load(shipped("codec_msgpack")); }
  std::string json(std::string_view packed) { return text_of(app->codec()->decode(as_bytes(packed), kRoom)); }
  std::string packed(std::string_view text) { return text_of(app->codec()->encode(as_bytes(text), kRoom)); }
};

}  // namespace

using namespace std::string_literals;

TEST_CASE("codec_msgpack says the same in both languages") {
  Msgpack world;
  CHECK(world.app->codec()->content_type() == "application/msgpack");
  CHECK(world.app->codec()->handler_type() == "application/json");
  const std::pair<std::string, std::string> same[] = {
      {"\xc0", "null"},
      {"\xc2", "false"},
      {"\xc3", "true"},
      {"\x07", "7"},
      {"\xff", "-1"},
      {"\xe0", "-32"},
      {"\xd2\x00\x00\x00\x80"s, "128"},
      {"\xd2\xff\xff\xff\xdf", "-33"},
      {"\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", "9223372036854775807"},
      {"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"s, "1.5"},
      {"\xa0", "\"\""},
      {"\xa5Gr\xc3\xbc\x62",
       "\"Gr\xc3\xbc"
       "b\""},
      {"\xa3\"\\\x01", "\"\\\"\\\\\\u0001\""},
      {"\x90", "[]"},
      {"\x93\x01\x02\x03", "[1,2,3]"},
      {"\x80", "{}"},
      {"\x82\xa1"
       "a\x91\xc0\xa1"
       "b\x80",
       R"({"a":[null],"b":{}})"},
      {"", ""},
  };
  for (const auto& [packed, json] : same) {
    INFO(json);
    CHECK(world.json(packed) == json);
    CHECK(world.packed(json) == packed);
  }
  // Other ways to say it are understood as well.
  CHECK(world.json("\xcc\x80") == "128");
  CHECK(world.json("\xcd\xff\xff") == "65535");
  CHECK(world.json("\xcf\xff\xff\xff\xff\xff\xff\xff\xff") == "18446744073709551615");
  CHECK(world.json("\xd0\x80") == "-128");
  CHECK(world.json("\xca\x3f\x80\x00\x00"s) == "1");
  CHECK(world.json("\xd9\x01x") == "\"x\"");
  CHECK(world.packed(" [ 1 , { \"a\" : 2 } ]\n") ==
        "\x92\x01\x81\xa1"
        "a\x02");
  CHECK(world.packed("\"\\ud83d\\ude00\\n\"") == "\xa5\xf0\x9f\x98\x80\n");
  CHECK(world.packed("18446744073709551615") == "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
  CHECK(world.packed("18446744073709551616").substr(0, 1) == "\xcb");
  CHECK(world.packed("-9223372036854775809").substr(0, 1) == "\xcb");
}

TEST_CASE("counts of 16 and 32 bits, and bodies beyond the first room") {
  Msgpack world;
  std::string items = "[0";
  for (int i = 1; i < 70'000; ++i) items += ",0";
  items += "]";
  const std::string packed = world.packed(items);
  CHECK(packed.substr(0, 5) == "\xdd\x00\x01\x11\x70"s);
  CHECK(world.json(packed) == items);
  const std::string text = "\"" + std::string(40'000, 'x') + "\"";
  CHECK(world.json(world.packed(text)) == text);
  CHECK(text_of(world.app->codec()->decode(as_bytes(packed), 1000)) == "MessageTooLarge");
  CHECK(world.app->stats().errors == 0);
}

TEST_CASE("what is not MessagePack, or what JSON cannot say, is BodyInvalid") {
  Msgpack world;
  const std::string deep(65, '\x91');
  for (const std::string& bad :
       {"\xc1"s, "\xa5xx"s, "\x92\x01"s, "\x81\x01\x01"s, "\xc4\x01x"s, "\xd4\x01x"s, "\x01\x02"s, "\x01 "s,
        "\xa1\xff"s, "\xa2\xc0\x80"s, "\xa3\xed\xa0\x80"s, "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"s,
        "\xdf\xff\xff\xff\xff"s, "\xcb"s, deep + "\xc0"}) {
    INFO(bad.size());
    CHECK(world.json(bad) == "BodyInvalid");
  }
  CHECK(world.json(std::string(64, '\x91') + "\xc0").size() == 2 * 64 + 4);
  CHECK(world.app->stats().errors == 0);  // peers' mistakes are not the plugin's
}

TEST_CASE("a reply that is no JSON is the handler's mistake") {
  Msgpack world;
  for (const char* bad : {"[1,]", "[1", "{\"a\"}", "{1:2}", "\"", "\"\\x\"", "\"\\ud800\"", "\"\\u00g0\"",
                          "\"\\u00@0\"", "tru", "1 2", "+1", "-", "1e999", "\x01", "nan"}) {
    INFO(bad);
    CHECK(world.packed(bad) == "PluginFailed");
  }
  CHECK(world.app->stats().errors == 16);
}

TEST_CASE("random bytes harm nobody, and what is understood comes back as it was") {
  Msgpack world;
  std::mt19937_64 random(20);
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string json = world.json(bytes);
    if (json == "BodyInvalid") continue;
    CHECK(world.json(world.packed(json)) == json);
    (void)world.packed(bytes);
  }
}

TEST_CASE("a codec that fails is answered for and counted, and more room is given only up to the bound") {
  PluginWorld world;
  world.load(built("forgetful.so"));
  Codec& codec = *world.app->codec();
  CHECK(text_of(codec.decode(as_bytes("ab"), 2000)) == std::string(2000, 'x'));
  CHECK(text_of(codec.decode(as_bytes("ab"), 1999)) == "MessageTooLarge");
  CHECK(text_of(codec.decode(as_bytes("invalid"), 2000)) == "BodyInvalid");
  CHECK(world.app->stats().errors == 0);
  CHECK(text_of(codec.decode(as_bytes("broken"), 2000)) == "BodyInvalid");
  CHECK(text_of(codec.encode(as_bytes("invalid"), 2000)) == "PluginFailed");
  CHECK(world.app->stats().errors == 2);
}
