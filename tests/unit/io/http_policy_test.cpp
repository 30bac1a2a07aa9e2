#include "io/http_policy.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::io;

TEST_CASE("without a list no host is allowed") {
  const HttpPolicy policy = *HttpPolicy::create({}, {}, 1);
  CHECK_FALSE(policy.allows("example.com", 443));
}

TEST_CASE("hosts are allowed by name, with their port") {
  const HttpPolicy policy = *HttpPolicy::create(
      {"API.example.com", "*.wide.org", "odd.net:8443", "127.0.0.1:9", "[::1]:9", "[fd00::1]"}, {}, 1);
  CHECK(policy.allows("api.example.com", 443));
  CHECK(policy.allows("api.example.com", 80));
  CHECK_FALSE(policy.allows("api.example.com", 8080));
  CHECK_FALSE(policy.allows("example.com", 443));
  CHECK_FALSE(policy.allows("api.example.com.evil.net", 443));
  CHECK(policy.allows("a.b.wide.org", 443));
  CHECK_FALSE(policy.allows("wide.org", 443));
  CHECK_FALSE(policy.allows("notwide.org", 443));
  CHECK(policy.allows("odd.net", 8443));
  CHECK_FALSE(policy.allows("odd.net", 443));
  CHECK(policy.allows("127.0.0.1", 9));
  CHECK(policy.allows("[::1]", 9));
  CHECK(policy.allows("[fd00::1]", 443));
}

TEST_CASE("a star allows every name on its port") {
  CHECK(HttpPolicy::create({"*"}, {}, 1)->allows("any.example.com", 443));
  CHECK_FALSE(HttpPolicy::create({"*"}, {}, 1)->allows("any.example.com", 22));
  CHECK(HttpPolicy::create({"*:8080"}, {}, 1)->allows("any.example.com", 8080));
}

TEST_CASE("rules that cannot be meant are refused") {
  for (const char* rule : {"", ":80", "https://example.com", "exa mple.com", "a.com:0", "a.com:70000", "a.com:x",
                           "*bad.com", "a.com/path"}) {
    INFO(rule);
    CHECK_FALSE(HttpPolicy::create({rule}, {}, 1));
  }
  CHECK_FALSE(HttpPolicy::create({"*"}, {"10.0.0.0/40"}, 1));
}
