#include "port/address.h"

#include <catch2/catch.hpp>

#include "port/datagrams.h"

using namespace godwit;

namespace {

SocketAddress address(const char* text) { return SocketAddress::parse(text).value(); }

}  // namespace

TEST_CASE("an address is written the way it is read") {
  for (const char* text : {"127.0.0.1:8453", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8453", "[::]:0",
                           "[2001:db8::17]:443", "[fe80::1%2]:9", "[::ffff:10.0.0.1]:80"}) {
    CAPTURE(text);
    REQUIRE(address(text).to_string() == text);
  }
  REQUIRE(address("127.0.0.1:8453").family() == AF_INET);
  REQUIRE(address("[::1]:8453").family() == AF_INET6);
  REQUIRE(address("[::1]:8453").port() == 8453);
}

TEST_CASE("what is not an address with a port is refused with an example") {
  for (const char* text :
       {"", "localhost:8453", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "127.1:80",
        "256.0.0.1:80", "::1:80", "[::1]", "[::1:80", "[127.0.0.1]:80", "[fe80::1%eth0]:80", ":80", "[]:80"}) {
    CAPTURE(text);
    const auto result = SocketAddress::parse(text);
    REQUIRE_FALSE(result);
    REQUIRE(result.error().code == Code::kAddressInvalid);
    REQUIRE(result.error().text.find("127.0.0.1:8453") != std::string::npos);
  }
}

TEST_CASE("the refusal of hostile text is safe to print") {
  const auto result = SocketAddress::parse(std::string(10'000, '\x1b'));
  REQUIRE_FALSE(result);
  REQUIRE(result.error().text.size() < 300);
  REQUIRE(result.error().text.find('\x1b') == std::string::npos);
}

TEST_CASE("addresses are equal when host, port and family are") {
  REQUIRE(address("127.0.0.1:1") == address("127.0.0.1:1"));
  REQUIRE_FALSE(address("127.0.0.1:1") == address("127.0.0.1:2"));
  REQUIRE_FALSE(address("127.0.0.1:1") == address("127.0.0.2:1"));
  REQUIRE_FALSE(address("[::ffff:127.0.0.1]:1") == address("127.0.0.1:1"));
  REQUIRE_FALSE(address("[fe80::1%1]:1") == address("[fe80::1%2]:1"));
  REQUIRE(NetworkPath{address("127.0.0.1:1"), address("127.0.0.1:2")} ==
          NetworkPath{address("127.0.0.1:1"), address("127.0.0.1:2")});
}

TEST_CASE("a copied address keeps everything, and its port can be changed") {
  for (const char* text : {"10.1.2.3:80", "[2001:db8::1%3]:80"}) {
    const SocketAddress original = address(text);
    SocketAddress copy = SocketAddress::from(original.raw());
    REQUIRE(copy == original);
    copy.set_port(81);
    REQUIRE(copy.port() == 81);
    REQUIRE_FALSE(copy == original);
  }
}

TEST_CASE("loopback and wildcard addresses are known, mapped ones too") {
  REQUIRE(address("127.0.0.2:1").is_loopback());
  REQUIRE(address("[::1]:1").is_loopback());
  REQUIRE(address("[::ffff:127.0.0.1]:1").is_loopback());
  REQUIRE_FALSE(address("128.0.0.1:1").is_loopback());
  REQUIRE_FALSE(address("[::2]:1").is_loopback());
  REQUIRE(address("0.0.0.0:1").is_unspecified());
  REQUIRE(address("[::]:1").is_unspecified());
  REQUIRE_FALSE(address("0.0.0.1:1").is_unspecified());
  REQUIRE(SocketAddress{}.is_unspecified());
  REQUIRE(SocketAddress{}.length() == 0);
}

TEST_CASE("hosts of one network share a prefix, hosts of two do not") {
  const auto hash = [](const char* text) { return address(text).prefix_hash(); };
  REQUIRE(hash("10.0.0.1:1") == hash("10.0.0.254:2"));
  REQUIRE(hash("10.0.0.1:1") != hash("10.0.1.1:1"));
  REQUIRE(hash("[::ffff:10.0.0.1]:1") == hash("10.0.0.1:1"));
  REQUIRE(hash("[2001:db8:0:1::1]:1") == hash("[2001:db8:0:ff:9::1]:1"));
  REQUIRE(hash("[2001:db8:0:1::1]:1") != hash("[2001:db8:0:100::1]:1"));
  REQUIRE(hash("[::1]:1") != hash("0.0.0.1:1"));
}
