#include "transfer/planner.h"

#include <algorithm>

#include "transfer/default_strategy.h"

namespace godwit::transfer {
namespace {

uint64_t width(const SizeRange& range) { return range.bytes_max - range.bytes_min; }

}  // namespace

Planner::Planner() { set_strategies({}); }

std::vector<Planner::Claim> Planner::claims_of(std::span<Strategy* const> strategies) {
  std::vector<Claim> claims;
  for (Strategy* strategy : strategies) {
    const std::vector<SizeRange> ranges = strategy->ranges();
    for (size_t range = 0; range < ranges.size(); ++range) claims.push_back({strategy, range, ranges[range]});
  }
  std::stable_sort(claims.begin(), claims.end(),
                   [](const Claim& a, const Claim& b) { return width(a.sizes) < width(b.sizes); });
  return claims;
}

void Planner::set_strategies(std::span<Strategy* const> strategies) {
  std::vector<Claim> claims = claims_of(strategies);
  std::vector<Segment> segments = cut(claims);
  for (Segment& segment : segments) fill(segment);
  // What was planned before its strategy failed elsewhere in the same range is not followed either.
  for (Segment& segment : segments) {
    if (segment.claim && segment.claim->given_up) fill(segment);
    segment.claim = nullptr;
  }
  segments_ = std::move(segments);
}

/// Wherever a class or a range begins or ends, a segment does.
std::vector<Planner::Segment> Planner::cut(std::vector<Claim>& claims) {
  std::vector<uint64_t> begins(kClassBegins.begin(), kClassBegins.end());
  for (const Claim& claim : claims) {
    begins.push_back(claim.sizes.bytes_min);
    if (claim.sizes.bytes_max != kBytesMax) begins.push_back(claim.sizes.bytes_max + 1);
  }
  std::sort(begins.begin(), begins.end());
  begins.erase(std::unique(begins.begin(), begins.end()), begins.end());
  std::vector<Segment> segments;
  for (size_t i = 0; i < begins.size(); ++i) {
    const auto claim =
        std::find_if(claims.begin(), claims.end(), [&](const Claim& c) { return c.sizes.contains(begins[i]); });
    const uint64_t last = i + 1 < begins.size() ? begins[i + 1] - 1 : kBytesMax;
    segments.push_back({{begins[i], last}, claim != claims.end() ? &*claim : nullptr});
  }
  return segments;
}

void Planner::fill(Segment& segment) {
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const Question question{segment.sizes, representative(bucket)};
    Plan plan = default_plan(question);
    const bool planned = segment.claim && ask(*segment.claim, question, plan);
    segment.answers[bucket] = planned ? Answer{plan, &tally_of(segment.claim->strategy->strategy_name())}
                                      : Answer{default_plan(question), &tally_of(kDefaultName)};
  }
}

bool Planner::ask(Claim& claim, const Question& question, Plan& plan) {
  if (claim.given_up) return false;
  const Strategy::Answer answer = claim.strategy->make_plan(claim.range, question, plan);
  if (answer == Strategy::Answer::kLeftToDefault) return false;
  claim.given_up = answer == Strategy::Answer::kFailed;
  if (claim.given_up) return false;
  const Status sensible = check(plan, question.sizes);
  if (sensible) return true;
  claim.given_up = true;
  claim.strategy->on_plan_refused(question, sensible.error());
  return false;
}

Planner::Tally& Planner::tally_of(std::string_view name) {
  const std::lock_guard lock(tallies_mutex_);
  const auto known = std::find_if(tallies_.begin(), tallies_.end(), [&](const Tally& t) { return t.name == name; });
  if (known != tallies_.end()) return *known;
  Tally& tally = tallies_.emplace_back();
  tally.name = name;
  return tally;
}

Planner::Choice Planner::choose(uint64_t body_bytes, size_t bucket) {
  // Few segments, and nearly all messages are small: from the front.
  const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Segment& s) { return body_bytes <= s.sizes.bytes_max; });
  const Answer& answer = segment->answers[bucket];
  answer.tally->selections[index_of(answer.plan.size_class)].add();
  return {answer.plan, answer.tally->name};
}

std::vector<StrategyView> Planner::views() const {
  std::vector<StrategyView> views;
  const std::lock_guard lock(tallies_mutex_);
  for (const Tally& tally : tallies_) {
    StrategyView& view = views.emplace_back();
    view.name = tally.name;
    for (size_t i = 0; i < kSizeClasses; ++i) view.selections[i] = tally.selections[i].value();
  }
  std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return views;
}

}  // namespace godwit::transfer
