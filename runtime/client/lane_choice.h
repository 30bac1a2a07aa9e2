#pragma once

#include "base/log.h"
#include "port/clock.h"
#include "quic/connection.h"
#include "transfer/planner.h"
#include "wire/message.h"

namespace godwit::client {

/// Picks the lane of each message of one connection, as the worker's strategies plan for its size and this path.
class LaneChoice {
 public:
  LaneChoice(transfer::Planner& planner, const quic::Connection& connection, const Clock& clock, Log log)
      : planner_(planner), connection_(connection), clock_(clock), log_(log) {}

  transfer::Lane lane_of(const wire::Envelope& envelope, uint64_t body_bytes);

 private:
  void look_at_path();

  transfer::Planner& planner_;
  const quic::Connection& connection_;
  const Clock& clock_;
  Log log_;
  bool logged_ = false;
  size_t bucket_ = transfer::bucket_of({});
  Timestamp look_again_{};
  uint64_t packets_sent_ = 0;  ///< when it was looked at last
  uint64_t packets_lost_ = 0;
};

}  // namespace godwit::client
