#include "transfer/default_strategy.h"

#include <array>

namespace godwit::transfer {
namespace {

constexpr double kLossOfTrouble = 0.02;  ///< from here on smaller pieces lose less when one is lost
constexpr uint32_t kStreamsOfLarge = 4;  ///< one lost packet then stops a quarter of the body
constexpr int kRoundTripsOfGrace = 4;    ///< setting up, and a lost packet's recovery

/// By size class: what it gets on a good path.
constexpr std::array<Plan, kSizeClasses> kPlans = {{
    {SizeClass::kTiny, Lane::kShared, 1 << 10, 1 << 10, 5s, 3, 1},
    {SizeClass::kSmall, Lane::kShared, 64 << 10, 64 << 10, 10s, 3, 1},
    {SizeClass::kMedium, Lane::kOwn, 256 << 10, 64 << 10, 30s, 2, 1},
    {SizeClass::kLarge, Lane::kOwn, 1 << 20, 256 << 10, 5min, 2, kStreamsOfLarge},
    {SizeClass::kHuge, Lane::kOwn, 4 << 20, 1 << 20, 1h, 1, kStreamsOfLarge},
}};

}  // namespace

Plan default_plan(const Question& question) {
  Plan plan = kPlans[index_of(size_class(question.sizes.bytes_min))];
  plan.timeout += kRoundTripsOfGrace * question.network.rtt;
  if (question.network.loss >= kLossOfTrouble) {
    plan.chunk_bytes /= 2;
    plan.streams = 1;
  }
  return plan;
}

}  // namespace godwit::transfer
