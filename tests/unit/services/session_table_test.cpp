#include "app/session_table.h"

#include <catch2/catch.hpp>

#include "table_worker.h"

using namespace godwit;
using host::SessionKey;
using Table = testing::TableWorker;

namespace {

struct Fixture {
  Fixture() {
    one.services.connect(1, two.mailbox, two.services);
    two.services.connect(0, one.mailbox, one.services);
  }
  void turns() {
    for (Table* table : {&one, &two}) {
      table->services.end_turn();
      table->sessions.reap();
    }
    one.mailbox.run();
    two.mailbox.run();
  }

  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  app::SharedCap places{2};
  Table one{0, directory, places};
  Table two{1, directory, places};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a client that proves who it is takes the place of its last session, ten thousand times") {
  SessionKey last = 0;
  for (int i = 0; i < 10'000; ++i) {
    Table& table = i % 3 == 0 ? two : one;
    const auto entered = table.enter("device", "ada", true);
    REQUIRE(entered);
    REQUIRE((*entered)->id.to_u64() != last);
    last = (*entered)->id.to_u64();
    turns();
    REQUIRE(places.used() == 1);
    REQUIRE(one.sessions.size() + two.sessions.size() == 1);
    REQUIRE(directory.size() == 1);
    REQUIRE(directory.sessions_of("ada") == std::vector<SessionKey>{last});
  }
  CHECK(one.metrics.sessions.value() + two.metrics.sessions.value() == 1);
}

TEST_CASE_METHOD(Fixture, "who proves nothing leaves the session that has the name as it is") {
  const auto first = one.enter("device", "ada", true);
  REQUIRE(first);
  for (Table* table : {&one, &two}) {
    CHECK(table->enter("device", "ada", false).error().code == Code::kIdentityInUse);
    CHECK(table->enter("device", "eve", true).error().code == Code::kIdentityInUse);
  }
  turns();
  CHECK(one.sessions.find((*first)->id) == *first);
  CHECK(places.used() == 1);
  CHECK(directory.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a parted session keeps its name until it ends") {
  const auto first = one.enter("device", "ada", false);
  REQUIRE(first);
  one.sessions.session((*first)->id)->keep_messages();
  one.sessions.part((*first)->id, Code::kConnectionLost, "gone");
  CHECK(two.enter("device", "ada", false).error().code == Code::kIdentityInUse);
  one.time.advance(one.config.resume_window + 1s);
  CHECK(two.enter("device", "ada", false));
}

TEST_CASE_METHOD(Fixture, "the last place is free for the client that has it") {
  REQUIRE(one.enter("device", "ada", true));
  REQUIRE(one.enter("other", "bob", true));
  CHECK(one.enter("third", "eve", true).error().code == Code::kTooManyConnections);
  CHECK(one.enter("device", "ada", true));
  // On another worker the place takes a moment to become free; its client is asked to come again.
  CHECK(two.enter("device", "ada", true).error().code == Code::kTooManyConnections);
  turns();
  CHECK(two.enter("device", "ada", true));
  CHECK(places.used() == 2);
}

TEST_CASE_METHOD(Fixture, "when two workers let one client in at once, one session stays") {
  REQUIRE(one.enter("device", "ada", true, {7, 1}));
  const auto newer = two.enter("device", "ada", true, {7, 3});
  REQUIRE(newer);
  CHECK(one.enter("device", "ada", true, {7, 2}).error().code == Code::kSuperseded);
  turns();
  CHECK(one.sessions.size() == 0);
  CHECK(two.sessions.find((*newer)->id) == *newer);
  CHECK(directory.size() == 1);
}
