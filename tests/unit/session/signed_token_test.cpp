#include "session/signed_token.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "virtual_time.h"

using namespace godwit;
using namespace godwit::session;

namespace {

const SigningKey kKey{"2026-08", "0123456789abcdef0123456789abcdef"};
const SigningKey kNext{"2026-09", "fedcba9876543210fedcba9876543210"};

TokenClaims claims() {
  return {.id = "t1", .uid = "ada", .issued_unix_s = 1'780'000'000, .expires_unix_s = 1'780'003'600};
}

/// Whom an authenticator takes the client for; the code when it refuses.
struct Login {
  Result<Identity> ask(const Credentials& credentials) {
    Result<Identity> heard = fail(Code::kInternal, "not decided");
    authenticator.authenticate(credentials, [&](Result<Identity> identity) { heard = std::move(identity); });
    return heard;
  }
  testing::VirtualClock clock;
  SignedTokenAuthenticator authenticator{clock, {kKey}};
};

}  // namespace

TEST_CASE("a signed token says all that was put into it") {
  TokenClaims all = claims();
  all.client_id = "phone = 1";
  all.groups = {"admins", "a=b"};
  all.rights = {.actions = {"command/chat.*", "query/**"}, .body_bytes_max = 65536, .sessions_max = 3};
  const auto token = sign_token(all, kKey);
  REQUIRE(token);
  const auto read = verify_token(*token, {kNext, kKey});
  REQUIRE(read);
  CHECK(read->id == "t1");
  CHECK(read->uid == "ada");
  CHECK(read->client_id == "phone = 1");
  CHECK(read->issued_unix_s == all.issued_unix_s);
  CHECK(read->expires_unix_s == all.expires_unix_s);
  CHECK(read->groups == all.groups);
  CHECK(read->rights.actions == all.rights.actions);
  CHECK(read->rights.body_bytes_max == 65536);
  CHECK(read->rights.sessions_max == 3);
}

TEST_CASE("a token is good as it was signed, and with no digit changed, dropped or added") {
  const std::string token = sign_token(claims(), kKey).value();
  CHECK(verify_token(token, {kKey}));
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    CHECK_FALSE(verify_token(changed, {kKey}));
    CHECK_FALSE(verify_token(token.substr(0, i), {kKey}));
  }
  CHECK_FALSE(verify_token(token + "00", {kKey}));
  CHECK_FALSE(verify_token("", {kKey}));
  CHECK_FALSE(verify_token("gw1...", {kKey}));
}

TEST_CASE("a token of another key is not believed, whatever it calls itself") {
  SigningKey forged = kNext;
  forged.id = kKey.id;
  CHECK_FALSE(verify_token(sign_token(claims(), forged).value(), {kKey}));
  CHECK_FALSE(verify_token(sign_token(claims(), kNext).value(), {kKey}));
}

TEST_CASE("what would read as another claim is not signed") {
  TokenClaims injecting = claims();
  injecting.client_id = "x\nuid=root";
  CHECK(sign_token(injecting, kKey).error().code == Code::kArgumentInvalid);
  TokenClaims long_one = claims();
  long_one.groups.assign(100, std::string(100, 'g'));
  CHECK(sign_token(long_one, kKey).error().code == Code::kArgumentInvalid);
}

TEST_CASE_METHOD(Login, "a signed token lets its user in until it expires, and nobody else") {
  const std::string token = sign_token(claims(), kKey).value();
  const auto in = ask({.client_id = "phone", .token = token});
  REQUIRE(in);
  CHECK(in->uid == "ada");
  CHECK(in->client_id == "phone");
  CHECK(in->credential == "t1");
  CHECK(in->proved);
  CHECK(in->expires_unix_us == 1'780'003'600'000'000);
  CHECK(ask({.client_id = "phone", .uid = "ada", .token = token}));
  CHECK(ask({.client_id = "phone", .uid = "eve", .token = token}).error().code == Code::kUnauthenticated);
  clock.move_to(testing::VirtualClock::kStart + 3599s);
  CHECK(ask({.client_id = "phone", .token = token}));
  clock.move_to(testing::VirtualClock::kStart + 3600s);
  CHECK(ask({.client_id = "phone", .token = token}).error().code == Code::kUnauthenticated);
}

TEST_CASE_METHOD(Login, "a token that names a client is good for no other") {
  TokenClaims bound = claims();
  bound.client_id = "phone";
  const std::string token = sign_token(bound, kKey).value();
  CHECK(ask({.client_id = "phone", .token = token}));
  CHECK(ask({.client_id = "tablet", .token = token}).error().code == Code::kUnauthenticated);
}

TEST_CASE_METHOD(Login, "keys are changed one after the other") {
  const std::string old = sign_token(claims(), kKey).value(), next = sign_token(claims(), kNext).value();
  CHECK_FALSE(ask({.client_id = "phone", .token = next}));
  authenticator.set_keys({kKey, kNext});
  CHECK(ask({.client_id = "phone", .token = old}));
  CHECK(ask({.client_id = "phone", .token = next}));
  authenticator.set_keys({kNext});
  CHECK_FALSE(ask({.client_id = "phone", .token = old}));
  CHECK(ask({.client_id = "phone", .token = next}));
}
