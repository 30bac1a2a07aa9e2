#include "session/inbox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "base/prng.h"

using namespace godwit;
using session::Inbox;
using Arrival = session::Inbox::Arrival;

namespace {

constexpr size_t kAllWords = 256;

wire::StoredMessage message(uint64_t seq, uint32_t after_delta, size_t body_bytes = 0) {
  return {wire::Envelope{.seq = seq, .after_delta = after_delta, .action = "a"}, std::vector<uint8_t>(body_bytes)};
}

/// Lets a message arrive, and says which numbers that released, in order.
std::vector<uint64_t> arrive(Inbox& inbox, uint64_t seq, uint32_t after_delta) {
  const auto arrival = inbox.arrive(seq, after_delta);
  REQUIRE(arrival);
  if (*arrival == Arrival::kHold) REQUIRE(inbox.hold(message(seq, after_delta)));
  if (*arrival != Arrival::kRelease) return {};
  std::vector<uint64_t> released{seq};
  for (size_t i = 0; i < released.size(); ++i) {
    while (auto next = inbox.next_released(released[i])) released.push_back(next->envelope().seq);
  }
  return released;
}

std::set<uint64_t> acknowledged(const Inbox& inbox, uint64_t up_to) {
  std::set<uint64_t> numbers;
  for (uint64_t seq = 1; seq <= std::min(inbox.cumulative(), up_to); ++seq) numbers.insert(seq);
  std::vector<uint64_t> words;
  inbox.ranges(words, kAllWords);
  for (size_t bit = 0; bit < 64 * words.size(); ++bit) {
    if (words[bit / 64] >> (bit % 64) & 1) numbers.insert(inbox.cumulative() + 2 + bit);
  }
  return numbers;
}

}  // namespace

TEST_CASE("any permutation of a thousand ordered messages is released in order") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Prng random(seed);
    std::vector<uint64_t> order(1000);
    std::iota(order.begin(), order.end(), 1);
    std::shuffle(order.begin(), order.end(), random);
    Inbox inbox(2000, 1000, 1 << 20);
    std::vector<uint64_t> released;
    for (const uint64_t seq : order) {
      for (const uint64_t next : arrive(inbox, seq, 1)) {
        released.push_back(next);
        inbox.handled(next);
      }
    }
    REQUIRE(released.size() == 1000);
    REQUIRE(std::is_sorted(released.begin(), released.end()));
    REQUIRE(inbox.held() == 0);
    REQUIRE(inbox.cumulative() == 1000);
  }
}

TEST_CASE("an unordered message waits for nobody") {
  Inbox inbox(100, 10, 1000);
  REQUIRE(arrive(inbox, 5, 0) == std::vector<uint64_t>{5});
  REQUIRE(arrive(inbox, 4, 1).empty());
  REQUIRE(inbox.held() == 1);
}

TEST_CASE("an ordered message waits for the one it names, not for unordered ones in between") {
  Inbox inbox(100, 10, 1000);
  // 1 and 4 are ordered; 2 and 3 are not and have not arrived.
  REQUIRE(arrive(inbox, 4, 3).empty());
  REQUIRE(arrive(inbox, 1, 1) == std::vector<uint64_t>{1, 4});
}

TEST_CASE("a number that arrived before is a duplicate, held, released or handled") {
  Inbox inbox(100, 10, 1000);
  arrive(inbox, 2, 1);
  REQUIRE(*inbox.arrive(2, 1) == Arrival::kDuplicate);
  arrive(inbox, 1, 1);
  REQUIRE(*inbox.arrive(1, 1) == Arrival::kDuplicate);
  REQUIRE(*inbox.arrive(2, 0) == Arrival::kDuplicate);
  inbox.handled(1);
  inbox.handled(2);
  REQUIRE(*inbox.arrive(1, 1) == Arrival::kDuplicate);
  REQUIRE(*inbox.arrive(2, 1) == Arrival::kDuplicate);
  REQUIRE(*inbox.arrive(3, 1) == Arrival::kRelease);
}

TEST_CASE("numbers that no correct peer sends are refused") {
  Inbox inbox(100, 10, 1000);
  REQUIRE(inbox.arrive(0, 0).error().code == Code::kSequenceInvalid);
  REQUIRE(inbox.arrive(5, 6).error().code == Code::kSequenceInvalid);
  REQUIRE(inbox.arrive(101, 1).error().code == Code::kSequenceInvalid);
  REQUIRE(inbox.arrive(UINT64_MAX, 1).error().code == Code::kSequenceInvalid);
  REQUIRE(*inbox.arrive(100, 1) == Arrival::kHold);
}

TEST_CASE("the window moves with what was handled, not with what was released") {
  Inbox inbox(100, 200, 1 << 20);
  for (uint64_t seq = 1; seq <= 100; ++seq) arrive(inbox, seq, 1);
  REQUIRE_FALSE(inbox.arrive(101, 1));
  inbox.handled(2);
  REQUIRE_FALSE(inbox.arrive(101, 1));
  inbox.handled(1);
  REQUIRE(*inbox.arrive(101, 1) == Arrival::kRelease);
  REQUIRE(*inbox.arrive(102, 1) == Arrival::kRelease);
  REQUIRE_FALSE(inbox.arrive(103, 1));
}

TEST_CASE("the hold-back has an exact bound in messages") {
  Inbox inbox(100, 3, 1 << 20);
  for (uint64_t seq = 2; seq <= 4; ++seq) REQUIRE(arrive(inbox, seq, 1).empty());
  REQUIRE(*inbox.arrive(5, 1) == Arrival::kHold);
  REQUIRE(inbox.hold(message(5, 1)).error().code == Code::kHoldBackFull);
  REQUIRE(inbox.held() == 3);
}

TEST_CASE("the hold-back has an exact bound in bytes, counted as the sender counts, and gives them back") {
  Inbox inbox(100, 50, 1000);
  REQUIRE(inbox.hold(message(2, 1, 498)));  // the action is one byte
  REQUIRE(inbox.hold(message(3, 1, 501)).error().code == Code::kHoldBackFull);
  REQUIRE(inbox.hold(message(3, 1, 500)));
  REQUIRE(inbox.hold(message(4, 1, 0)).error().code == Code::kHoldBackFull);
  REQUIRE(inbox.next_released(1));
  REQUIRE(inbox.hold(message(4, 1, 498)));
}

TEST_CASE("a message that is refused while it is held keeps its place in the order, and the rings forget it") {
  Inbox inbox(100, 10, 1000);
  for (uint64_t first = 1; first < 1000; first += 3) {
    REQUIRE(arrive(inbox, first + 2, 1).empty());
    REQUIRE(arrive(inbox, first + 1, 1).empty());
    inbox.handled(first + 1);  // refused
    REQUIRE(inbox.is_handled(first + 1));
    REQUIRE_FALSE(inbox.is_handled(first));
    REQUIRE(inbox.held() == 2);

    REQUIRE(*inbox.arrive(first, 1) == Arrival::kRelease);
    inbox.handled(first);  // at once, before the followers are asked for
    REQUIRE(inbox.cumulative() == first + 1);
    REQUIRE(inbox.next_released(first)->envelope().seq == first + 1);
    REQUIRE(inbox.next_released(first + 1)->envelope().seq == first + 2);
    inbox.handled(first + 2);
  }
}

TEST_CASE("the bitmap is cut at the given number of words and never ends in empty ones") {
  Inbox inbox(2000, 10, 1000);
  for (const uint64_t seq : {3, 300}) {
    arrive(inbox, seq, 0);
    inbox.handled(seq);
  }
  std::vector<uint64_t> words;
  inbox.ranges(words, kAllWords);
  REQUIRE(words.size() == 5);
  REQUIRE(words.back() != 0);
  inbox.ranges(words, 4);
  REQUIRE(words == std::vector<uint64_t>{2});
  inbox.ranges(words, 0);
  REQUIRE(words.empty());
}

TEST_CASE("handled messages count until they are acknowledged, each once") {
  Inbox inbox(100, 10, 1000);
  arrive(inbox, 1, 1);
  REQUIRE(inbox.unacknowledged() == 0);
  inbox.handled(1);
  inbox.handled(1);
  REQUIRE(inbox.unacknowledged() == 1);
  inbox.acknowledged();
  REQUIRE(inbox.unacknowledged() == 0);
}

namespace {

/// The inbox's promise in the plainest words: sets of numbers.
struct Model {
  std::set<uint64_t> arrived, released, handled;
  std::multimap<uint64_t, uint64_t> waiting;  // after → seq

  std::vector<uint64_t> arrive(uint64_t seq, uint64_t after) {
    if (!arrived.insert(seq).second) return {};
    if (after != 0 && !released.count(after)) {
      waiting.emplace(after, seq);
      return {};
    }
    std::vector<uint64_t> order{seq};
    for (size_t i = 0; i < order.size(); ++i) {
      released.insert(order[i]);
      const auto [first, last] = waiting.equal_range(order[i]);
      for (auto it = first; it != last; ++it) order.push_back(it->second);
      waiting.erase(first, last);
    }
    return order;
  }
  uint64_t cumulative() const {
    uint64_t seq = 0;
    while (handled.count(seq + 1)) ++seq;
    return seq;
  }
};

}  // namespace

TEST_CASE("a hundred thousand random operations agree with the model") {
  constexpr size_t kWindow = 200;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Prng random(seed);
    Inbox inbox(kWindow, kWindow, 1 << 20);
    Model model;
    std::vector<uint64_t> after{0};  // of each number, as its sender chose it
    uint64_t last_ordered = 0;
    std::vector<uint64_t> unhandled;
    for (int step = 0; step < 5000; ++step) {
      if (random.chance(0.6)) {
        const uint64_t seq = random.between(1, inbox.cumulative() + kWindow);
        while (after.size() <= seq) {
          const bool ordered = random.chance(0.7);
          after.push_back(ordered ? last_ordered : 0);
          if (ordered) last_ordered = after.size() - 1;
        }
        // An ordered message without a predecessor names number 0; an unordered one has no delta.
        const uint32_t delta = after[seq] ? static_cast<uint32_t>(seq - after[seq]) : 0;
        const auto expected = model.arrive(seq, after[seq]);
        REQUIRE(arrive(inbox, seq, delta) == expected);
        unhandled.insert(unhandled.end(), expected.begin(), expected.end());
      } else if (!unhandled.empty()) {
        std::swap(unhandled[random.below(unhandled.size())], unhandled.back());
        inbox.handled(unhandled.back());
        model.handled.insert(unhandled.back());
        unhandled.pop_back();
      }
      if (step % 50 == 0) {
        REQUIRE(inbox.cumulative() == model.cumulative());
        REQUIRE(acknowledged(inbox, UINT64_MAX) == model.handled);
        REQUIRE(inbox.held() == model.waiting.size());
      }
    }
  }
}
