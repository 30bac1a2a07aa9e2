#include "base/hmac.h"

#include <catch2/catch.hpp>

using namespace godwit;

namespace {

std::string hmac(std::string_view key, std::string_view text) {
  HmacSha256 mac(as_bytes(key));
  mac.add(as_bytes(text));
  return to_hex(mac.finish());
}

}  // namespace

TEST_CASE("the codes of RFC 4231's examples come out") {
  CHECK(hmac(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("bytes are compared whole, with their size") {
  CHECK(equal_in_constant_time({}, {}));
  CHECK(equal_in_constant_time(as_bytes("secret"), as_bytes("secret")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secreT")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("xecret")));
  CHECK_FALSE(equal_in_constant_time(as_bytes("secret"), as_bytes("secre")));
}
