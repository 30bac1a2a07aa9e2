#include "transfer/plan.h"

#include <catch2/catch.hpp>
#include <functional>

#include "transfer/default_strategy.h"

using namespace godwit;
using namespace godwit::transfer;

namespace {

constexpr SizeRange kSmall{1 << 10, (64 << 10) - 1};
constexpr SizeRange kMedium{64 << 10, (1 << 20) - 1};

std::string refusal(const std::function<void(Plan&)>& change, const SizeRange& sizes = kSmall) {
  Plan plan = default_plan({sizes, {}});
  change(plan);
  const Status sensible = check(plan, sizes);
  return sensible ? "" : sensible.error().text;
}

}  // namespace

TEST_CASE("a plan may differ from the default as long as it makes sense") {
  CHECK(refusal([](Plan& p) { p.lane = Lane::kOwn; }) == "");
  CHECK(refusal([](Plan& p) { p.size_class = SizeClass::kHuge; }) == "");
  CHECK(refusal([](Plan& p) { p.timeout = kPlanTimeoutMax; }) == "");
  CHECK(refusal([](Plan& p) { p.streams = kPlanStreamsMax; }) == "");
  CHECK(refusal([](Plan& p) { p.chunk_bytes = p.buffer_bytes = kPlanBufferBytesMax; }) == "");
}

TEST_CASE("a plan that makes no sense is refused with the reason") {
  CHECK(refusal([](Plan& p) { p.size_class = static_cast<SizeClass>(5); }) == "there is no size class 5");
  CHECK(refusal([](Plan& p) { p.lane = Lane::kShared; }, kMedium) ==
        "bodies of more than 65535 bytes travel on a stream of their own");
  CHECK(refusal([](Plan& p) { p.buffer_bytes = 0; }).find("a buffer of 0 bytes") == 0);
  CHECK(refusal([](Plan& p) { p.buffer_bytes = kPlanBufferBytesMax + 1; }).find("a buffer of ") == 0);
  CHECK(refusal([](Plan& p) { p.chunk_bytes = 0; }).find("chunks of 0 bytes") == 0);
  CHECK(refusal([](Plan& p) { p.chunk_bytes = p.buffer_bytes + 1; }).find("chunks of ") == 0);
  CHECK(refusal([](Plan& p) { p.timeout = Duration(0); }).find("the timeout") == 0);
  CHECK(refusal([](Plan& p) { p.timeout = kPlanTimeoutMax + Duration(1); }).find("the timeout") == 0);
  CHECK(refusal([](Plan& p) { p.retries = 101; }) == "101 retries; at most 100");
  CHECK(refusal([](Plan& p) { p.streams = 0; }).find("0 streams") == 0);
  CHECK(refusal([](Plan& p) { p.streams = 65; }).find("65 streams") == 0);
}
