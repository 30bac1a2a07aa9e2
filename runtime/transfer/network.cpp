#include "transfer/network.h"

#include <algorithm>
#include <array>

namespace godwit::transfer {
namespace {

struct RttStep {
  Duration below;
  Duration typical;
};
constexpr std::array<RttStep, kRttSteps> kRtt = {
    {{Duration(1), Duration(0)}, {20ms, 5ms}, {100ms, 50ms}, {400ms, 200ms}, {Duration::max(), 600ms}}};

struct LossStep {
  double below;
  double typical;
};
constexpr std::array<LossStep, kLossSteps> kLoss = {{{0.005, 0}, {0.02, 0.01}, {0.1, 0.05}, {2, 0.2}}};

/// The last step takes all that is left.
template <typename Steps, typename Value>
size_t step_of(const Steps& steps, Value value) {
  const auto last = steps.end() - 1;
  return static_cast<size_t>(std::find_if(steps.begin(), last, [&](const auto& s) { return value < s.below; }) -
                             steps.begin());
}

}  // namespace

size_t bucket_of(const Network& network) {
  return step_of(kRtt, network.rtt) * kLossSteps + step_of(kLoss, network.loss);
}

Network representative(size_t bucket) {
  return {kRtt[bucket / kLossSteps].typical, kLoss[bucket % kLossSteps].typical};
}

}  // namespace godwit::transfer
