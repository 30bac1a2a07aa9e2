#include "session/guarded_authenticator.h"

#include <catch2/catch.hpp>

using namespace godwit;
using namespace godwit::session;
using What = Revocations::What;

namespace {

/// Lets everybody in as the test says.
class Inner final : public Authenticator {
 public:
  void authenticate(const Credentials& credentials, Decided done) override {
    identity.client_id = credentials.client_id;
    done(identity);
  }
  Identity identity{.uid = "ada"};
};

struct Fixture {
  Result<Identity> ask(std::string client_id = "phone") {
    Result<Identity> heard = fail(Code::kInternal, "not decided");
    guarded.authenticate({.client_id = std::move(client_id)}, [&](auto identity) { heard = std::move(identity); });
    return heard;
  }
  Inner inner;
  Revocations revocations;
  RightsBook rights;
  GuardedAuthenticator guarded{inner, revocations, rights};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "who was revoked by uid, client or token is not let in, whatever the credentials are worth") {
  inner.identity.credential = "t1";
  REQUIRE(ask());
  const auto entry = GENERATE(Revocations::Entry(What::kUid, "ada"), Revocations::Entry(What::kClient, "phone"),
                              Revocations::Entry(What::kToken, "t1"));
  REQUIRE(revocations.add(entry));
  CHECK(ask().error().code == Code::kUnauthenticated);
  revocations.set({});
  CHECK(ask());
}

TEST_CASE_METHOD(Fixture, "names of one kind are none of another") {
  for (const What what : {What::kClient, What::kToken}) REQUIRE(revocations.add({what, "ada"}));
  for (const What what : {What::kUid, What::kToken}) REQUIRE(revocations.add({what, "phone"}));
  REQUIRE(revocations.add({What::kToken, ""}));
  CHECK(ask());
}

TEST_CASE_METHOD(Fixture, "the operator's word adds groups, and bounds what credentials allow") {
  rights.set({{"ada", {{"staff"}, {.actions = {"query/**"}, .body_bytes_max = 1000, .sessions_max = 2}}},
              {"*", {{}, {.actions = {"query/time"}}}}});
  inner.identity.groups = {"admins"};
  auto ada = ask();
  REQUIRE(ada);
  CHECK(ada->groups == std::vector<std::string>{"admins", "staff"});
  CHECK(ada->rights.actions == std::vector<std::string>{"query/**"});
  CHECK(ada->rights.body_bytes_max == 1000);
  CHECK(ada->rights.sessions_max == 2);

  inner.identity.rights = {.actions = {"command/x"}, .body_bytes_max = 10, .sessions_max = 5};
  ada = ask();
  CHECK(ada->rights.actions == std::vector<std::string>{"command/x"});
  CHECK(ada->rights.body_bytes_max == 10);
  CHECK(ada->rights.sessions_max == 2);

  inner.identity = {.uid = "bob"};
  CHECK(ask()->rights.actions == std::vector<std::string>{"query/time"});
  rights.set({});
  CHECK(ask()->rights.actions.empty());
}
