#include "session/nack_list.h"

#include <catch2/catch.hpp>

using namespace godwit;
using session::NackList;

namespace {

std::vector<uint64_t> numbers(const std::vector<wire::Nack>& nacks) {
  std::vector<uint64_t> numbers;
  for (const wire::Nack& nack : nacks) numbers.push_back(nack.seq);
  return numbers;
}

}  // namespace

TEST_CASE("refusals are sent once, in their order, so many at a time") {
  NackList nacks(100);
  CHECK_FALSE(nacks.any_unsent());
  for (const uint64_t seq : {3, 1, 2}) nacks.add(seq, Code::kHandlerNotFound, "nobody");
  CHECK(numbers(nacks.take(2)) == std::vector<uint64_t>{3, 1});
  CHECK(nacks.any_unsent());
  const auto last = nacks.take(2);
  CHECK(numbers(last) == std::vector<uint64_t>{2});
  CHECK(last[0].code == Code::kHandlerNotFound);
  CHECK(last[0].text == "nobody");
  CHECK_FALSE(nacks.any_unsent());
  CHECK(nacks.take(2).empty());
}

TEST_CASE("on a new connection all that the peer may not have read is sent again") {
  NackList nacks(100);
  for (uint64_t seq = 1; seq <= 4; ++seq) nacks.add(seq, Code::kHandlerNotFound, {});
  CHECK(nacks.take(3).size() == 3);
  nacks.resend_beyond(2);
  CHECK(numbers(nacks.take(10)) == std::vector<uint64_t>{3, 4});
}

TEST_CASE("what is older than the peer's window is forgotten, and nothing that was not sent") {
  NackList nacks(10);
  nacks.add(1, Code::kHandlerNotFound, {});
  nacks.arrived(1000);
  CHECK(numbers(nacks.take(10)) == std::vector<uint64_t>{1});
  nacks.arrived(11);
  nacks.resend_beyond(0);
  CHECK(numbers(nacks.take(10)) == std::vector<uint64_t>{1});
  nacks.arrived(12);
  nacks.resend_beyond(0);
  CHECK(nacks.take(10).empty());
}
