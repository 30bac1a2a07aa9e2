#include "app/unit_authenticator.h"

#include <catch2/catch.hpp>
#include <optional>

using namespace godwit;
using app::UnitAuthenticator;

namespace {

/// Decides when the test says so.
class Slow final : public session::Authenticator {
 public:
  void authenticate(const session::Credentials& credentials, Decided done) override {
    asked.push_back(credentials.token);
    pending.push_back(std::move(done));
  }
  void decide(Result<session::Identity> identity) {
    const Decided done = std::move(pending.front());
    pending.erase(pending.begin());
    done(std::move(identity));
  }

  std::vector<std::string> asked;
  std::vector<Decided> pending;
};

struct Fixture {
  Fixture() { units.set_units({{1, &first}, {4, &second}}); }
  void ask() {
    const session::Credentials credentials{.client_id = "device", .token = "secret"};
    units.authenticate(credentials, [this](Result<session::Identity> identity) {
      REQUIRE_FALSE(decided);
      decided = std::move(identity);
    });
  }

  Slow first, second;
  UnitAuthenticator units;
  std::optional<Result<session::Identity>> decided;
};

session::Identity ada() { return {"device", "ada"}; }

}  // namespace

TEST_CASE_METHOD(Fixture, "units are asked one after the other until one knows the client") {
  ask();
  CHECK(second.asked.empty());
  first.decide(fail(Code::kNotFound));
  CHECK_FALSE(decided);
  CHECK(second.asked == std::vector<std::string>{"secret"});
  second.decide(ada());
  REQUIRE(decided);
  CHECK((*decided)->uid == "ada");
}

TEST_CASE_METHOD(Fixture, "a refusal is final, whoever comes after it") {
  ask();
  first.decide(fail(Code::kUnauthenticated));
  REQUIRE(decided);
  CHECK(decided->error().code == Code::kUnauthenticated);
  CHECK(second.asked.empty());
}

TEST_CASE_METHOD(Fixture, "whom nobody knows is refused, and everybody is where nobody decides") {
  ask();
  first.decide(fail(Code::kNotFound));
  second.decide(fail(Code::kNotFound));
  REQUIRE(decided);
  CHECK(decided->error().code == Code::kUnauthenticated);
  decided.reset();
  units.set_units({});
  ask();
  REQUIRE(decided);
  CHECK(decided->error().code == Code::kUnauthenticated);
}

TEST_CASE_METHOD(
    Fixture, "a unit that was replaced meanwhile is not asked again, and the next one is its successor's neighbour") {
  Slow successor;
  ask();
  units.set_units({{1, &successor}, {4, &second}});
  first.decide(fail(Code::kNotFound));
  CHECK(successor.asked.empty());
  CHECK(second.asked.size() == 1);
}
