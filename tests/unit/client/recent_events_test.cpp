#include "client/recent_events.h"

#include <catch2/catch.hpp>

using namespace godwit;
using client::RecentEvents;

namespace {

bool is_new(RecentEvents& events, std::string_view id) {
  const wire::Header headers[] = {{"other", "1"}, {wire::kDurableHeader, id}};
  return events.is_new(headers);
}

}  // namespace

TEST_CASE("a durable event is new once, and any other always") {
  RecentEvents events;
  CHECK(is_new(events, "7"));
  CHECK_FALSE(is_new(events, "7"));
  CHECK(is_new(events, "8"));
  const wire::Header plain[] = {{"other", "7"}};
  for (int i = 0; i < 2; ++i) CHECK(events.is_new(plain));
}

TEST_CASE("the oldest of many durable events are forgotten first") {
  RecentEvents events;
  for (size_t i = 0; i <= RecentEvents::kIdsMax; ++i) CHECK(is_new(events, std::to_string(i)));
  CHECK_FALSE(is_new(events, "1"));
  CHECK_FALSE(is_new(events, std::to_string(RecentEvents::kIdsMax)));
  CHECK(is_new(events, "0"));
}
