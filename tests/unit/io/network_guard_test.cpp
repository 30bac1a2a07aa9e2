#include "io/network_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::io;

namespace {

bool allows(const NetworkGuard& guard, const char* text) {
  sockaddr_in v4{.sin_family = AF_INET};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) return guard.allows(reinterpret_cast<const sockaddr*>(&v4));
  sockaddr_in6 v6{.sin6_family = AF_INET6};
  REQUIRE(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
  return guard.allows(reinterpret_cast<const sockaddr*>(&v6));
}

}  // namespace

TEST_CASE("public addresses may be asked") {
  const NetworkGuard guard = *NetworkGuard::create({});
  for (const char* address : {"1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                              "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1"}) {
    INFO(address);
    CHECK(allows(guard, address));
  }
}

TEST_CASE("what is not public may not, however it is written") {
  const NetworkGuard guard = *NetworkGuard::create({});
  for (const char* address :
       {"0.0.0.0",     "127.0.0.1",        "127.255.255.254", "10.0.0.1",        "172.16.0.1",  "172.31.255.255",
        "192.168.1.1", "169.254.169.254",  "100.64.0.1",      "100.100.100.200", "224.0.0.1",   "239.1.1.1",
        "240.0.0.1",   "255.255.255.255",  "192.0.0.1",       "198.18.0.1",      "::",          "::1",
        "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1",         "fc00::1",     "fd00:ec2::254",
        "ff02::1",     "64:ff9b::7f00:1",  "2002:7f00:1::",   "2001::1",         "2001:db8::1", "fec0::1"}) {
    INFO(address);
    CHECK_FALSE(allows(guard, address));
  }
  const sockaddr local{.sa_family = AF_UNIX, .sa_data = {}};
  CHECK_FALSE(guard.allows(&local));
}

TEST_CASE("the operator may name networks, and gets those alone") {
  const NetworkGuard guard = *NetworkGuard::create({"127.0.0.1/32", "10.1.128.0/17", "fd00:1::/32", "192.168.7.7"});
  for (const char* address :
       {"127.0.0.1", "::ffff:127.0.0.1", "10.1.128.1", "10.1.255.255", "fd00:1::9", "192.168.7.7"})
    CHECK(allows(guard, address));
  for (const char* address : {"127.0.0.2", "10.1.127.255", "10.2.128.1", "fd00:2::9", "192.168.7.8", "::1"})
    CHECK_FALSE(allows(guard, address));
}

TEST_CASE("a network that cannot be read is refused with what is expected") {
  for (const char* text : {"localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8", "::/129", ""})
    CHECK_FALSE(NetworkGuard::create({text}));
  CHECK(NetworkGuard::create({"10.0.0.0/33"}).error().text == "10.0.0.0/33: the prefix must be 0 to 32");
}
