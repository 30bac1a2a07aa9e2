#include "host/probation.h"

#include <fmt/format.h>

#include <algorithm>

namespace godwit::host {
namespace {

/// A predecessor without errors is taken to have had so many: one bad client must not decide about a generation.
constexpr double kErrorShareMin = 0.01;

double share(uint64_t part, uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<uint64_t>(whole, 1));
}

}  // namespace

Probation::Probation(const ProbationBounds& bounds, uint32_t workers, const AppStats& before, Timestamp began)
    : bounds_(bounds), before_(before), ends_(began + bounds.duration), workers_(workers) {}

Probation Probation::again(Timestamp began) const {
  return {bounds_, static_cast<uint32_t>(workers_.size()), before_, began};
}

std::string Probation::judge(uint32_t worker, const AppStats& stats) {
  workers_[worker] = stats;
  AppStats all;
  for (const AppStats& one : workers_) {
    all.handled += one.handled;
    all.errors += one.errors;
    all.timeouts += one.timeouts;
  }
  const double timeouts_before = share(before_.timeouts, before_.handled);
  if (all.timeouts >= bounds_.timeouts_max &&
      share(all.timeouts, all.handled) >= bounds_.error_ratio * timeouts_before) {
    return fmt::format("{} of {} messages ran out of time", all.timeouts, all.handled);
  }
  const double errors_before = std::max(share(before_.errors, before_.handled), kErrorShareMin);
  if (all.errors >= bounds_.errors && share(all.errors, all.handled) >= bounds_.error_ratio * errors_before) {
    return fmt::format("{} of {} messages failed; before, {} of {} did", all.errors, all.handled, before_.errors,
                       before_.handled);
  }
  return {};
}

}  // namespace godwit::host
