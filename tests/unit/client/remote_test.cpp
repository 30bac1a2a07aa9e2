#include "client/remote.h"

#include <catch2/catch.hpp>

using namespace godwit;
using client::HostAndPort;

TEST_CASE("a server is named by host and port, with brackets around IPv6") {
  for (const auto& [text, host, port] : {std::tuple{"localhost:8453", "localhost", 8453},
                                         {"10.0.0.7:1", "10.0.0.7", 1},
                                         {"[::1]:65535", "::1", 65535},
                                         {"[fe80::1%2]:80", "fe80::1%2", 80}}) {
    const auto parsed = HostAndPort::parse(text);
    INFO(text);
    REQUIRE(parsed);
    CHECK(parsed->host == host);
    CHECK(parsed->port == port);
  }
}

TEST_CASE("what is no host with port is refused with what was expected") {
  for (const std::string& text :
       {std::string(""), std::string("localhost"), std::string(":8453"), std::string("localhost:"),
        std::string("localhost:0"), std::string("localhost:65536"), std::string("localhost:-1"),
        std::string("localhost:80x"), std::string("::1:8453"), std::string("[]:1"), std::string("[localhost]:1"),
        std::string("https://localhost:1"), std::string("a b:1"), std::string(400, 'a') + ":1"}) {
    const auto parsed = HostAndPort::parse(text);
    INFO(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::kAddressInvalid);
    CHECK(parsed.error().text.find("HOST:PORT") != std::string::npos);
  }
}
