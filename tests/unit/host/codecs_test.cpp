#include <catch2/catch.hpp>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host::test;

namespace {

std::string evaluate(const std::string& expression) {
  ScriptWorld world;
  return world.answer("local v, err = " + expression + " msg:reply(v or err.name .. ': ' .. err.message)");
}

}  // namespace

TEST_CASE("base64 is that of RFC 4648, and strict") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(evaluate("gw.base64.encode('" + std::string(plain) + "')") == text);
    CHECK(evaluate("gw.base64.decode('" + std::string(text) + "')") == plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "Zm 9", "Zm9v\\n", "=", "Zg==Zg=="}) {
    INFO(bad);
    CHECK(evaluate("gw.base64.decode('" + std::string(bad) + "')") == "ValueWrong: gw.base64.decode: malformed text");
  }
}

TEST_CASE("hex goes both ways") {
  CHECK(evaluate("gw.hex.encode('\\0\\127\\255x')") == "007fff78");
  CHECK(evaluate("gw.hex.decode('476f4F64')") == "GoOd");
  CHECK(evaluate("gw.hex.decode('47x')") == "ValueWrong: gw.hex.decode: malformed text");
  CHECK(evaluate("gw.hex.decode('4g')") == "ValueWrong: gw.hex.decode: malformed text");
}

TEST_CASE("checksums are those that everybody computes") {
  CHECK(evaluate("gw.hash.crc32c('123456789')") == "e3069283");  // RFC 3720, and every catalogue of CRCs
  CHECK(evaluate("gw.hash.crc32c('')") == "00000000");
  CHECK(evaluate("gw.hash.xxh3('')") == "2d06800538d394c2");  // of the reference implementation
}

TEST_CASE("what is no text is a mistake, with its place") {
  ScriptWorld world;
  CHECK(world.raised("gw.hex.encode({})") == "test/main.lua:1: gw.hex.encode: expected a string, got table");
}
