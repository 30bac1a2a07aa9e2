#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "host/app.h"

namespace godwit::host {

struct ProbationBounds {
  Duration duration = 30s;     ///< after going live; 0 = none
  uint64_t errors = 20;        ///< fewer say nothing about a generation
  double error_ratio = 5;      ///< so many times as frequent as before
  uint64_t timeouts_max = 10;  ///< each of them held up a worker for as long as it may
};

/// The first while of a generation, in which its predecessor is kept ready. Compares how often both failed.
class Probation {
 public:
  /// `before`: what the predecessor did in all its life, all workers together.
  Probation(const ProbationBounds& bounds, uint32_t workers, const AppStats& before, Timestamp began);

  Timestamp ends() const { return ends_; }

  /// What the generation did so far on one worker. Returns what is to be said against it; empty: nothing yet.
  std::string judge(uint32_t worker, const AppStats& stats);

  /// The same for another generation in its place, against the same predecessor.
  Probation again(Timestamp began) const;

 private:
  ProbationBounds bounds_;
  AppStats before_;
  Timestamp ends_;
  std::vector<AppStats> workers_;
};

}  // namespace godwit::host
