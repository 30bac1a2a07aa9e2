#include "session/identity.h"

#include <catch2/catch.hpp>
#include <optional>

#include "base/limits.h"

using namespace godwit;
using session::check_client_id;
using session::NoAuthenticator;
using session::TokenAuthenticator;

namespace {

/// What one that knows at once decides.
Result<session::Identity> decide(session::Authenticator& authenticator, const session::Credentials& credentials) {
  std::optional<Result<session::Identity>> decided;
  authenticator.authenticate(credentials, [&](Result<session::Identity> identity) { decided = std::move(identity); });
  REQUIRE(decided);
  return *decided;
}

}  // namespace

TEST_CASE("a client id is 1 to 128 bytes of printable UTF-8") {
  const std::string longest(limits::kClientIdBytesMax, 'x');
  for (const std::string& good : {std::string("a"), std::string("device-7/β"), longest}) {
    CAPTURE(good);
    REQUIRE(check_client_id(good));
  }
  using namespace std::string_literals;
  for (const std::string& bad :
       {""s, longest + "x", "a\nb"s, "a\0b"s, "\x7f"s, "\xff"s, "\x1b[31m"s, "\xc2\x9b"s, "gpj\xe2\x80\xae.exe"s}) {
    CAPTURE(bad);
    REQUIRE(check_client_id(bad).error().code == Code::kIdentityInvalid);
  }
}

TEST_CASE("a uid is held to the same, wherever it comes from") {
  REQUIRE(session::check_uid("Zoë"));
  REQUIRE(session::check_uid(std::string(limits::kUidBytesMax, 'x')));
  for (const std::string& bad : {std::string(), std::string(limits::kUidBytesMax + 1, 'x'), std::string("a\xc2\x85"),
                                 std::string("root\xe2\x80\xae")}) {
    CAPTURE(bad);
    REQUIRE(session::check_uid(bad).error().code == Code::kIdentityInvalid);
  }
}

TEST_CASE("without authentication the best word on the uid wins: certificate, then uid, then client id") {
  struct Row {
    std::string client_id, uid, certificate, expected_uid;
  };
  NoAuthenticator authenticator;
  for (const Row& row :
       {Row{"c", "", "", "c"}, Row{"c", "u", "", "u"}, Row{"c", "u", "cert", "cert"}, Row{"c", "", "cert", "cert"}}) {
    const auto identity =
        decide(authenticator, {.client_id = row.client_id, .uid = row.uid, .certificate_name = row.certificate});
    REQUIRE(identity);
    REQUIRE(identity->client_id == row.client_id);
    REQUIRE(identity->uid == row.expected_uid);
  }
}

TEST_CASE("a token proves its uid and no other") {
  struct Row {
    std::string uid, token;
    std::string expected_uid;  // empty: refused
  };
  TokenAuthenticator authenticator({{"secret-a", "alice"}, {"secret-b", "bob"}, {"secret", "carol"}});
  for (const Row& row : {
           Row{"", "secret-a", "alice"},
           Row{"alice", "secret-a", "alice"},
           Row{"bob", "secret-a", ""},
           Row{"", "secret-b", "bob"},
           Row{"", "secret", "carol"},
           Row{"", "", ""},
           Row{"alice", "", ""},
           Row{"", "secret-", ""},
           Row{"", "secret-aa", ""},
           Row{"", "secretsecret", ""},  // a repetition of a secret is not that secret
           Row{"", "Secret-a", ""},
           Row{"", "secret-c", ""},
       }) {
    CAPTURE(row.uid, row.token);
    const auto identity = decide(authenticator, {.client_id = "c", .uid = row.uid, .token = row.token});
    if (row.expected_uid.empty()) {
      REQUIRE(identity.error().code == Code::kUnauthenticated);
      REQUIRE(identity.error().text == "unknown token");
    } else {
      REQUIRE(identity->uid == row.expected_uid);
    }
  }
}

TEST_CASE("an empty list lets nobody in, and an empty secret is no key") {
  TokenAuthenticator nobody{std::vector<TokenAuthenticator::Entry>{}};
  REQUIRE_FALSE(decide(nobody, {.client_id = "c"}));
  TokenAuthenticator careless{std::vector<TokenAuthenticator::Entry>{{"", "everybody"}}};
  REQUIRE_FALSE(decide(careless, {.client_id = "c"}));
}
