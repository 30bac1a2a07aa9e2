#include "base/sha256.h"

#include <catch2/catch.hpp>

using namespace godwit;

TEST_CASE("the digests of FIPS 180-4's examples come out") {
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("every length around a block's end is padded into a digest of its own") {
  std::string last;
  for (size_t size = 50; size < 140; ++size) {
    const std::string digest = to_hex(sha256(as_bytes(std::string(size, 'x'))));
    CHECK(digest != last);
    last = digest;
  }
}

TEST_CASE("what comes in parts has the digest of the whole, wherever it is cut") {
  const std::string whole(200, 'y');
  for (size_t first = 0; first <= whole.size(); ++first) {
    for (const size_t second : {size_t{0}, size_t{1}, size_t{63}, whole.size() - first}) {
      const size_t middle = std::min(second, whole.size() - first);
      Sha256Hasher hasher;
      hasher.add(as_bytes(std::string_view(whole).substr(0, first)));
      hasher.add(as_bytes(std::string_view(whole).substr(first, middle)));
      hasher.add(as_bytes(std::string_view(whole).substr(first + middle)));
      REQUIRE(hasher.finish() == sha256(as_bytes(whole)));
    }
  }
}

TEST_CASE("a digest is read back from its digits of either case, and nothing else is") {
  const Sha256 digest = sha256(as_bytes("abc"));
  CHECK(parse_sha256(to_hex(digest)) == digest);
  CHECK(parse_sha256("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD") == digest);
  CHECK_FALSE(parse_sha256(""));
  CHECK_FALSE(parse_sha256(to_hex(digest).substr(1)));
  CHECK_FALSE(parse_sha256("g" + to_hex(digest).substr(1)));
}
