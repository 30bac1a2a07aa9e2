#include "client/lane_choice.h"

#include <algorithm>

namespace godwit::client {
namespace {

/// Asking the connection costs more than sending a small message; a path changes slowly.
constexpr Duration kLookInterval = 200ms;

/// Of fewer packets a share says nothing.
constexpr uint64_t kPacketsOfAShare = 100;

}  // namespace

transfer::Lane LaneChoice::lane_of(const wire::Envelope& envelope, uint64_t body_bytes) {
  if (clock_.now() >= look_again_) look_at_path();
  const transfer::Planner::Choice choice = planner_.choose(body_bytes, bucket_);
  if (logged_) {
    log_.debug("a plan was chosen", {{"strategy", choice.strategy},
                                     {"size_class", name_of(choice.plan.size_class)},
                                     {"lane", name_of(choice.plan.lane)},
                                     {"bytes", body_bytes},
                                     {"action", envelope.action}});
  }
  return choice.plan.lane;
}

void LaneChoice::look_at_path() {
  look_again_ = clock_.now() + kLookInterval;
  logged_ = log_.enabled(LogLevel::kDebug);
  const quic::ConnectionStats stats = connection_.stats();
  const uint64_t sent = stats.packets_sent - packets_sent_;
  if (sent < kPacketsOfAShare) {
    const double loss = transfer::representative(bucket_).loss;
    bucket_ = transfer::bucket_of({stats.smoothed_rtt, loss});
    return;
  }
  const uint64_t lost = stats.packets_lost - std::min(stats.packets_lost, packets_lost_);
  bucket_ = transfer::bucket_of({stats.smoothed_rtt, static_cast<double>(lost) / static_cast<double>(sent)});
  packets_sent_ = stats.packets_sent;
  packets_lost_ = stats.packets_lost;
}

}  // namespace godwit::client
