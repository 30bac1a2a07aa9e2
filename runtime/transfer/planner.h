#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "transfer/strategy.h"

namespace godwit::transfer {

/// How often a strategy's plan was followed.
struct StrategyView {
  std::string name;
  std::array<uint64_t, kSizeClasses> selections{};  ///< by the class of the plan
};

/// Says how a body travels: the answers of all strategies, asked beforehand about every class and kind of path. Of
/// several whose ranges hold a size the narrowest plans for it, of equals the first. One per worker; its thread, except
/// `views`.
class Planner {
 public:
  static constexpr std::string_view kDefaultName = "default";

  Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// From here on these are followed. Each is asked now, and never again: it need not outlive the call. One whose
  /// answer fails or makes no sense gives up that range of its own to the default.
  void set_strategies(std::span<Strategy* const> strategies);

  struct Choice {
    const Plan& plan;           ///< until set_strategies
    std::string_view strategy;  ///< whose it is; as long as the planner
  };
  /// The plan for a body, which is then counted.
  Choice choose(uint64_t body_bytes, size_t bucket);

  /// In the order of their names; from any thread.
  std::vector<StrategyView> views() const;

 private:
  struct Tally {
    std::string name;
    std::array<Counter, kSizeClasses> selections;
  };
  /// Whom to ask about the sizes of a range.
  struct Claim {
    Strategy* strategy;
    size_t range;
    SizeRange sizes;
    bool given_up = false;
  };
  struct Answer {
    Plan plan;
    Tally* tally = nullptr;  ///< of whose plan it is
  };
  /// Sizes of one class that the same strategy is asked about.
  struct Segment {
    SizeRange sizes;
    Claim* claim;  ///< null: nobody's; while they are asked only
    std::array<Answer, kBuckets> answers = {};
  };

  static std::vector<Claim> claims_of(std::span<Strategy* const> strategies);
  std::vector<Segment> cut(std::vector<Claim>& claims);
  void fill(Segment& segment);
  /// False: the default is followed.
  static bool ask(Claim& claim, const Question& question, Plan& plan);
  Tally& tally_of(std::string_view name);

  std::vector<Segment> segments_;  ///< by size, without gaps
  mutable std::mutex tallies_mutex_;
  std::deque<Tally> tallies_;  ///< of every unit that ever planned; never fewer
};

}  // namespace godwit::transfer
