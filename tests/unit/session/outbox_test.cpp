#include "session/outbox.h"

#include <catch2/catch.hpp>

#include "base/prng.h"
#include "recording_waiter.h"

using namespace godwit;
using session::Outbox;
using Allowance = session::Outbox::Allowance;

namespace {

constexpr session::Reply kRefused{wire::Status::kFailure, Code::kHandlerNotFound, "nobody", {}, {}};

void fill(Outbox& outbox, testing::RecordingWaiter& waiter, uint64_t count, size_t bytes = 10) {
  for (uint64_t i = 0; i < count; ++i) {
    REQUIRE(outbox.admit(bytes, Allowance::kBounded));
    const uint64_t seq = outbox.next_seq();
    outbox.push(bytes, waiter.cookie(seq));
  }
}

}  // namespace

TEST_CASE("numbers start at one and have no holes, whatever is refused in between") {
  BlockPool blocks(1);
  Outbox outbox(3, 100, blocks);
  testing::RecordingWaiter waiter;
  REQUIRE(outbox.next_seq() == 1);
  fill(outbox, waiter, 3);
  REQUIRE(outbox.next_seq() == 4);
  REQUIRE_FALSE(outbox.admit(10, Allowance::kBounded));
  REQUIRE(outbox.next_seq() == 4);
  REQUIRE(outbox.acknowledge(1, {}));
  fill(outbox, waiter, 1);
  REQUIRE(outbox.next_seq() == 5);
}

TEST_CASE("the bound in messages is exact, and replies may use twice of it") {
  BlockPool blocks(1);
  Outbox outbox(3, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 2, 0);
  REQUIRE(outbox.admit(0, Allowance::kBounded));
  fill(outbox, waiter, 1, 0);
  REQUIRE(outbox.admit(0, Allowance::kBounded).error().code == Code::kQueueFull);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(outbox.admit(0, Allowance::kResponse));
    outbox.push(0, {});
  }
  REQUIRE(outbox.admit(0, Allowance::kResponse).error().code == Code::kQueueFull);
}

TEST_CASE("the bound in bytes is exact, and replies may use twice of it") {
  BlockPool blocks(1);
  Outbox outbox(100, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 1, 600);
  REQUIRE(outbox.admit(399, Allowance::kBounded));
  REQUIRE(outbox.admit(400, Allowance::kBounded));
  REQUIRE(outbox.admit(401, Allowance::kBounded).error().code == Code::kQueueFull);
  REQUIRE(outbox.admit(1400, Allowance::kResponse));
  REQUIRE_FALSE(outbox.admit(1401, Allowance::kResponse));
  REQUIRE(outbox.acknowledge(1, {}));
  REQUIRE(outbox.bytes() == 0);
  REQUIRE(outbox.admit(1000, Allowance::kBounded));
}

TEST_CASE("the peer's limit lowers the bound but never raises it") {
  BlockPool blocks(1);
  Outbox outbox(3, 1000, blocks);
  testing::RecordingWaiter waiter;
  outbox.limit_messages(100);
  fill(outbox, waiter, 1);
  outbox.limit_messages(2);
  fill(outbox, waiter, 1);
  REQUIRE_FALSE(outbox.admit(10, Allowance::kBounded));
}

TEST_CASE("a cumulative acknowledgement tells everyone up to it, once, and nobody beyond it") {
  BlockPool blocks(1);
  Outbox outbox(10, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 5);
  REQUIRE(outbox.acknowledge(3, {}));
  REQUIRE(outbox.acknowledge(3, {}));
  REQUIRE(outbox.acknowledge(1, {}));
  REQUIRE(waiter.outcomes.size() == 3);
  for (uint64_t seq = 1; seq <= 3; ++seq) {
    REQUIRE(waiter.outcomes[seq].status == wire::Status::kSuccess);
    REQUIRE(waiter.outcomes[seq].times == 1);
  }
  REQUIRE(outbox.acknowledged() == 3);
  REQUIRE(outbox.messages() == 2);
  REQUIRE(outbox.bytes() == 20);
}

TEST_CASE("the bitmap acknowledges single numbers beyond the cumulative one") {
  BlockPool blocks(1);
  Outbox outbox(200, 10'000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 100);
  // Bit i of word w stands for cumulative + 2 + 64 w + i.
  const uint64_t ranges[] = {uint64_t{1} << 0 | uint64_t{1} << 63, uint64_t{1} << 1};
  REQUIRE(outbox.acknowledge(10, ranges));
  REQUIRE(waiter.outcomes.size() == 13);
  for (const uint64_t seq : {12, 75, 77}) REQUIRE(waiter.settled(seq));
  REQUIRE_FALSE(waiter.settled(11));
  REQUIRE(outbox.acknowledged() == 10);
  REQUIRE(outbox.bytes() == 870);
  const uint64_t none[] = {0, 0};
  REQUIRE(outbox.acknowledge(11, none));
  REQUIRE(outbox.acknowledged() == 12);
}

TEST_CASE("an acknowledgement of what was never sent is refused and settles nothing") {
  BlockPool blocks(1);
  Outbox outbox(10, 1000, blocks);
  testing::RecordingWaiter waiter;
  REQUIRE(outbox.acknowledge(1, {}).error().code == Code::kSequenceInvalid);
  REQUIRE(outbox.acknowledge(0, {}));
  fill(outbox, waiter, 5);
  REQUIRE(outbox.acknowledge(6, {}).error().code == Code::kSequenceInvalid);
  REQUIRE(outbox.acknowledge(UINT64_MAX, {}).error().code == Code::kSequenceInvalid);
  const uint64_t sixth[] = {uint64_t{1} << 1};  // 3 + 2 + 1
  REQUIRE(outbox.acknowledge(3, sixth).error().code == Code::kSequenceInvalid);
  const uint64_t far[] = {1, 0, 1};
  REQUIRE(outbox.acknowledge(3, far).error().code == Code::kSequenceInvalid);
  REQUIRE(waiter.outcomes.empty());
  REQUIRE(outbox.messages() == 5);
  const uint64_t fifth[] = {1};
  REQUIRE(outbox.acknowledge(3, fifth));
  REQUIRE(waiter.outcomes.size() == 4);
}

TEST_CASE("a refused message is settled alone; later acknowledgements do not tell its waiter again") {
  BlockPool blocks(1);
  Outbox outbox(10, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 3);
  outbox.settle(2, kRefused);
  REQUIRE(outbox.messages() == 3);
  REQUIRE(outbox.bytes() == 20);
  outbox.settle(2, kRefused);
  outbox.settle(0, kRefused);
  outbox.settle(99, kRefused);
  REQUIRE(outbox.acknowledge(3, {}));
  REQUIRE(waiter.outcomes[2].code == Code::kHandlerNotFound);
  REQUIRE(waiter.outcomes[2].times == 1);
  REQUIRE(waiter.outcomes[1].status == wire::Status::kSuccess);
  REQUIRE(outbox.messages() == 0);
  REQUIRE(outbox.bytes() == 0);
}

TEST_CASE("settling the oldest moves the front past everything that was settled before") {
  BlockPool blocks(1);
  Outbox outbox(10, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 4);
  outbox.settle(2, kRefused);
  outbox.settle(3, kRefused);
  REQUIRE(outbox.acknowledged() == 0);
  outbox.settle(1, kRefused);
  REQUIRE(outbox.acknowledged() == 3);
  REQUIRE(outbox.messages() == 1);
  REQUIRE(outbox.next_seq() == 5);
}

TEST_CASE("at the end everyone who still waits is told once, and numbering goes on") {
  BlockPool blocks(1);
  Outbox outbox(10, 1000, blocks);
  testing::RecordingWaiter waiter;
  fill(outbox, waiter, 4);
  outbox.settle(2, kRefused);
  outbox.fail_all({wire::Status::kFailure, Code::kConnectionLost, "gone", {}, {}});
  outbox.fail_all({wire::Status::kFailure, Code::kPeerClosed, "again", {}, {}});
  REQUIRE(waiter.outcomes.size() == 4);
  REQUIRE(waiter.outcomes[2].code == Code::kHandlerNotFound);
  for (const uint64_t seq : {1, 3, 4}) {
    REQUIRE(waiter.outcomes[seq].code == Code::kConnectionLost);
    REQUIRE(waiter.outcomes[seq].times == 1);
  }
  REQUIRE(outbox.messages() == 0);
  REQUIRE(outbox.next_seq() == 5);
}

TEST_CASE("in any interleaving of sends, acknowledgements and refusals each message settles exactly once") {
  Prng random(3);
  for (int round = 0; round < 200; ++round) {
    BlockPool blocks(1);
    Outbox outbox(50, 100'000, blocks);
    testing::RecordingWaiter waiter;
    std::vector<bool> settled(1);  // by number
    for (int step = 0; step < 500; ++step) {
      const uint64_t last = outbox.next_seq() - 1;
      if (random.chance(0.5) && outbox.admit(1, Allowance::kBounded)) {
        fill(outbox, waiter, 1, 1);
        settled.push_back(false);
      } else if (random.chance(0.3)) {
        const uint64_t seq = random.between(1, last + 1);
        outbox.settle(seq, kRefused);
        if (seq <= last) settled[seq] = true;
      } else {
        const uint64_t cumulative = random.between(outbox.acknowledged(), last);
        const uint64_t beyond = last > cumulative + 1 ? last - cumulative - 1 : 0;
        const uint64_t word = beyond >= 64 ? random() : random() & ((uint64_t{1} << beyond) - 1);
        REQUIRE(outbox.acknowledge(cumulative, {&word, 1}));
        for (uint64_t seq = 1; seq <= cumulative; ++seq) settled[seq] = true;
        for (uint64_t bit = 0; bit < 64; ++bit) {
          if (word >> bit & 1) settled[cumulative + 2 + bit] = true;
        }
      }
    }
    for (uint64_t seq = 1; seq < settled.size(); ++seq) {
      REQUIRE(waiter.settled(seq) == settled[seq]);
      if (settled[seq]) REQUIRE(waiter.outcomes[seq].times == 1);
    }
  }
}
