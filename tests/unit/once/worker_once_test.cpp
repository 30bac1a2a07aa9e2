#include <catch2/catch.hpp>

#include "once_world.h"

using namespace godwit;
using namespace godwit::testing;
using host::OnceOptions;
using BrokenOff = OnceOptions::BrokenOff;

TEST_CASE("of a hundred who ask on two workers one executes, and all hear the same outcome") {
  OnceWorld world;
  std::vector<std::shared_ptr<Heard>> all;
  for (size_t i = 0; i < 100; ++i) all.push_back(world.begin("key", {.wait = 10s}, i % 2));
  REQUIRE(all[0]->run);
  for (size_t i = 1; i < 100; ++i) CHECK(all[i]->times == 0);

  all[0]->run->enter();
  OnceWorld::finish(all[0], {Code::kOk, {}, "result", {{"name", "value"}}});
  CHECK(all[0]->times == 2);
  world.deliver(1, all[99]);
  for (size_t i = 1; i < 100; ++i) {
    CHECK(all[i]->times == 1);
    CHECK_FALSE(all[i]->run);
    CHECK(all[i]->outcome.body == "result");
    CHECK(all[i]->outcome.headers == std::vector<std::pair<std::string, std::string>>{{"name", "value"}});
  }
  // And so does who asks later, until the ttl is over.
  world.time.advance(world.limits.ttl - 1s);
  CHECK(world.begin("key")->outcome.body == "result");
  world.time.advance(1s);
  CHECK(world.begin("key")->run);
}

TEST_CASE("keys are those of a space, and one does not wait for another") {
  OnceWorld world;
  const auto one = world.begin("one");
  const auto two = world.begin("two");
  CHECK(one->run);
  CHECK(two->run);
}

TEST_CASE("a failure is kept as a success is") {
  OnceWorld world;
  OnceWorld::finish(world.begin("key"), {Code::kForbidden, "no", {}, {}});
  const auto again = world.begin("key");
  CHECK(again->outcome.code == Code::kForbidden);
  CHECK(again->outcome.text == "no");
}

TEST_CASE("who finds it executing waits until its time is over, and is told so, never an empty success") {
  OnceWorld world;
  const auto first = world.begin("key");
  const auto patient = world.begin("key", {.wait = 10s}, 1);
  const auto hasty = world.begin("key", {.wait = 0s}, 1);
  world.time.advance(0s);
  CHECK(hasty->error == Code::kOperationExecuting);
  world.time.advance(9999ms);
  CHECK(patient->times == 0);
  world.time.advance(1ms);
  CHECK(patient->error == Code::kOperationExecuting);
  // What comes of it later is nobody's then, and the outcome is there for the next.
  OnceWorld::finish(first, {Code::kOk, {}, "late", {}});
  CHECK(patient->times == 1);
  CHECK(world.begin("key")->outcome.body == "late");
}

TEST_CASE("another message with the same key is refused, while the first executes and afterwards") {
  OnceWorld world;
  const auto first = world.begin("key", {.wait = 10s, .fingerprint = 1});
  const auto other = world.begin("key", {.wait = 10s, .fingerprint = 2});
  const auto same = world.begin("key", {.wait = 10s, .fingerprint = 1});
  OnceWorld::finish(first, {Code::kOk, {}, "result", {}});
  CHECK(other->error == Code::kOperationMismatch);
  CHECK(same->outcome.body == "result");
  CHECK(world.begin("key", {.fingerprint = 2})->error == Code::kOperationMismatch);
}

TEST_CASE("a right to execute that is given back before it was used goes to the next who waits") {
  OnceWorld world;
  const auto first = world.begin("key");
  const auto second = world.begin("key", {.wait = 10s}, 1);
  const auto third = world.begin("key");
  first->run.reset();
  world.deliver(1, second);
  REQUIRE(second->run);
  CHECK(third->times == 0);
  second->run.reset();
  world.deliver(0, third);
  REQUIRE(third->run);
  // Nobody is left: the next is the first again.
  third->run.reset();
  CHECK(world.begin("key")->run);
}

TEST_CASE("an execution that breaks off is unknown from then on, or happens again, as was asked") {
  OnceWorld world;
  const auto once = world.begin("once");
  const auto waits = world.begin("once");
  once->run->enter();
  once->run.reset();
  CHECK(waits->outcome.code == Code::kOperationUnknown);
  CHECK(world.begin("once")->outcome.code == Code::kOperationUnknown);

  const OnceOptions again{.wait = 10s, .broken_off = BrokenOff::kAgain};
  const auto first = world.begin("again", again);
  const auto second = world.begin("again", again);
  first->run->enter();
  first->run.reset();
  CHECK(second->run);
}

TEST_CASE("what a process that died had begun counts as executing until its lease is over") {
  OnceWorld world({.lease = 60s});
  const BrokenOff broken_off = GENERATE(BrokenOff::kUnknown, BrokenOff::kAgain);
  const auto begun = world.begin("key", {.wait = 10s, .broken_off = broken_off});
  begun->run->enter();
  world.restart();

  world.time.advance(20s);
  const auto hasty = world.begin("key", {.wait = 10s, .broken_off = broken_off});
  const auto patient = world.begin("key", {.wait = 50s, .broken_off = broken_off}, 1);
  world.time.advance(10s);
  CHECK(hasty->error == Code::kOperationExecuting);
  world.time.advance(30s - 1ms);
  CHECK(patient->times == 0);
  world.time.advance(1ms);
  world.deliver(1, patient);
  if (broken_off == BrokenOff::kAgain) {
    CHECK(patient->run);
  } else {
    CHECK(patient->outcome.code == Code::kOperationUnknown);
    CHECK(world.begin("key")->outcome.code == Code::kOperationUnknown);
  }
}

TEST_CASE("outcomes are there after a restart, and count for the bounds") {
  OnceWorld world({.entries_max = 2});
  OnceWorld::finish(world.begin("one"), {Code::kOk, {}, "1", {}});
  OnceWorld::finish(world.begin("two"), {Code::kOk, {}, "2", {}});
  world.restart();
  CHECK(world.process->book.entries() == 2);
  CHECK(world.begin("one")->outcome.body == "1");
  const auto refused = world.begin("three");
  CHECK(refused->error == Code::kStoreFull);
  // What has expired makes room.
  world.time.advance(world.limits.ttl);
  CHECK(world.begin("three")->run);
}

TEST_CASE("an outcome without room is told to who waits, and unknown to who asks later") {
  OnceWorld world({.bytes_max = 2000});
  const auto first = world.begin("key");
  const auto waits = world.begin("key");
  OnceWorld::finish(first, {Code::kOk, {}, std::string(3000, 'x'), {}});
  CHECK(waits->outcome.body.size() == 3000);
  const auto later = world.begin("key");
  CHECK(later->outcome.code == Code::kOperationUnknown);
  CHECK(later->outcome.text.find("operations.bytes_max") != std::string::npos);
}

TEST_CASE("an answer for another worker waits while its mailbox is full") {
  OnceWorld world;
  const auto first = world.begin("key");
  const auto second = world.begin("key", {.wait = 10s}, 1);
  world.process->mailboxes[1]->refuse(2);
  OnceWorld::finish(first, {Code::kOk, {}, "result", {}});
  CHECK(world.process->mailboxes[1]->posts() == 1);
  world.time.advance(10ms);
  world.deliver(1, second);
  CHECK(second->outcome.body == "result");
}

TEST_CASE("keys have bounds") {
  OnceWorld world;
  CHECK(world.begin("")->error == Code::kMessageTooLarge);
  CHECK(world.begin(std::string(host::Once::kKeyBytesMax, 'k'))->run);
  CHECK(world.begin(std::string(host::Once::kKeyBytesMax + 1, 'k'))->error == Code::kMessageTooLarge);
}

TEST_CASE("a record is read as it was written, and nothing else is taken for one") {
  const app::OnceRecord record{
      .fingerprint = 7,
      .kept_after_lease = 5s,
      .outcome = host::OnceOutcome{Code::kForbidden, "text", std::string("\0b", 2), {{"n", "v"}}}};
  const std::string bytes = record.encode();
  const auto read = app::OnceRecord::decode(bytes);
  REQUIRE(read);
  CHECK(read->fingerprint == 7);
  CHECK(read->outcome->code == Code::kForbidden);
  CHECK(read->outcome->body == std::string("\0b", 2));
  CHECK(read->outcome->headers.size() == 1);
  const auto executing = app::OnceRecord::decode(app::OnceRecord{.kept_after_lease = 5s}.encode());
  REQUIRE(executing);
  CHECK_FALSE(executing->outcome);
  CHECK(executing->kept_after_lease == 5s);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto part = app::OnceRecord::decode(std::string_view(bytes).substr(0, cut));
    CHECK((!part || !part->outcome || part->outcome->headers.empty()));
  }
}
