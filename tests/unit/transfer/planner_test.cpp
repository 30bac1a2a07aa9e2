#include "transfer/planner.h"

#include <catch2/catch.hpp>
#include <functional>

#include "transfer/default_strategy.h"

using namespace godwit;
using namespace godwit::transfer;

namespace {

using Answer = Strategy::Answer;

/// Plans as the test says; puts everything on a stream of its own when it says nothing.
class Fake final : public Strategy {
 public:
  Fake(std::string name, std::vector<SizeRange> ranges) : name_(std::move(name)), ranges_(std::move(ranges)) {}
  std::string_view strategy_name() const override { return name_; }
  std::vector<SizeRange> ranges() const override { return ranges_; }
  Answer make_plan(size_t range, const Question& question, Plan& plan) override {
    asked.emplace_back(range, question);
    return answer(question, plan);
  }
  void on_plan_refused(const Question&, const Error& why) override { refusals.push_back(why.text); }

  std::function<Answer(const Question&, Plan&)> answer = [](const Question&, Plan& plan) {
    plan.lane = Lane::kOwn;
    return Answer::kPlanned;
  };
  std::vector<std::pair<size_t, Question>> asked;
  std::vector<std::string> refusals;

 private:
  const std::string name_;
  const std::vector<SizeRange> ranges_;
};

/// Who plans for a body of so many bytes.
std::string who(Planner& planner, uint64_t bytes) { return std::string(planner.choose(bytes, 0).strategy); }
Lane lane(Planner& planner, uint64_t bytes) { return planner.choose(bytes, 0).plan.lane; }

void set(Planner& planner, std::vector<Strategy*> strategies) { planner.set_strategies(strategies); }

}  // namespace

TEST_CASE("without strategies the default plans, one byte deciding between two classes") {
  Planner planner;
  for (size_t i = 1; i < kSizeClasses; ++i) {
    CHECK(index_of(planner.choose(kClassBegins[i] - 1, 0).plan.size_class) == i - 1);
    CHECK(index_of(planner.choose(kClassBegins[i], 0).plan.size_class) == i);
  }
  CHECK(who(planner, 0) == "default");
  CHECK(who(planner, kBytesMax) == "default");
}

TEST_CASE("a strategy plans for its range, to the byte") {
  Planner planner;
  Fake mine("mine", {{100, 2000}});
  set(planner, {&mine});
  CHECK(who(planner, 99) == "default");
  CHECK(who(planner, 100) == "mine");
  CHECK(who(planner, 2000) == "mine");
  CHECK(who(planner, 2001) == "default");
  CHECK(lane(planner, 99) == Lane::kShared);
  CHECK(lane(planner, 100) == Lane::kOwn);
  CHECK(lane(planner, 2000) == Lane::kOwn);
  CHECK(lane(planner, 2001) == Lane::kShared);
}

TEST_CASE("a strategy is asked about sizes of one class at a time, and every kind of path, beforehand") {
  Planner planner;
  Fake mine("mine", {{100, 2000}});
  set(planner, {&mine});
  REQUIRE(mine.asked.size() == 2 * kBuckets);
  CHECK(mine.asked[0].second.sizes == SizeRange{100, 1023});
  CHECK(mine.asked[kBuckets].second.sizes == SizeRange{1024, 2000});
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) CHECK(bucket_of(mine.asked[bucket].second.network) == bucket);
  for (uint64_t bytes = 0; bytes < 3000; ++bytes) planner.choose(bytes, bytes % kBuckets);
  CHECK(mine.asked.size() == 2 * kBuckets);
}

TEST_CASE("a strategy plans differently for different paths") {
  Planner planner;
  Fake mine("mine", {{0, 1023}});
  mine.answer = [](const Question& question, Plan& plan) {
    plan.lane = question.network.loss > 0.1 ? Lane::kOwn : Lane::kShared;
    return Answer::kPlanned;
  };
  set(planner, {&mine});
  CHECK(planner.choose(10, bucket_of({5ms, 0})).plan.lane == Lane::kShared);
  CHECK(planner.choose(10, bucket_of({5ms, 0.3})).plan.lane == Lane::kOwn);
}

TEST_CASE("what a strategy does not say is the default's") {
  Planner planner;
  Fake mine("mine", {{}});
  mine.answer = [](const Question&, Plan& plan) { return plan.retries = 7, Answer::kPlanned; };
  set(planner, {&mine});
  Plan expected = default_plan({{5000, 5000}, {}});
  expected.retries = 7;
  CHECK(planner.choose(5000, 0).plan == expected);
}

TEST_CASE("the narrowest range wins, and of equals the first") {
  Planner planner;
  Fake all("all", {{}}), part("part", {{1000, 5000}}), same("same", {{1000, 5000}});
  set(planner, {&all, &part, &same});
  CHECK(who(planner, 999) == "all");
  CHECK(who(planner, 1000) == "part");
  CHECK(who(planner, 5000) == "part");
  CHECK(who(planner, 5001) == "all");
  CHECK(same.asked.empty());
}

TEST_CASE("a strategy with several ranges is told which one it is asked about") {
  Planner planner;
  Fake mine("mine", {{0, 9}, {2048, 4096}});
  set(planner, {&mine});
  for (const auto& [range, question] : mine.asked) CHECK(range == (question.sizes.bytes_min == 0 ? 0 : 1));
}

TEST_CASE("a strategy may leave a body to the default, and nothing has failed") {
  Planner planner;
  Fake mine("mine", {{}});
  mine.answer = [](const Question& question, Plan& plan) {
    plan.lane = Lane::kOwn;
    return question.sizes.bytes_min >= 1024 ? Answer::kPlanned : Answer::kLeftToDefault;
  };
  set(planner, {&mine});
  CHECK(who(planner, 1023) == "default");
  CHECK(lane(planner, 1023) == Lane::kShared);
  CHECK(who(planner, 1024) == "mine");
  CHECK(mine.refusals.empty());
}

TEST_CASE("an unknown class is refused once, and the whole range travels by the default") {
  Planner planner;
  Fake mine("mine", {{0, 2000}});
  mine.answer = [](const Question& question, Plan& plan) {
    plan.lane = Lane::kOwn;
    if (question.sizes.bytes_min >= 1024) plan.size_class = static_cast<SizeClass>(9);
    return Answer::kPlanned;
  };
  set(planner, {&mine});
  CHECK(mine.refusals == std::vector<std::string>{"there is no size class 9"});
  CHECK(who(planner, 500) == "default");
  CHECK(lane(planner, 500) == Lane::kShared);
  CHECK(planner.choose(1500, 0).plan.size_class == SizeClass::kSmall);
}

TEST_CASE("a strategy that fails is not asked again, and another range of the same is") {
  Planner planner;
  Fake mine("mine", {{0, 9}, {20, 29}});
  mine.answer = [](const Question& question, Plan& plan) {
    plan.lane = Lane::kOwn;
    return question.sizes.bytes_min == 0 ? Answer::kFailed : Answer::kPlanned;
  };
  set(planner, {&mine});
  CHECK(mine.asked.size() == 1 + kBuckets);
  CHECK(who(planner, 5) == "default");
  CHECK(who(planner, 25) == "mine");
  CHECK(mine.refusals.empty());
}

TEST_CASE("other strategies take the place of those before") {
  Planner planner;
  Fake before("before", {{0, 1000}}), after("after", {{500, 1000}});
  set(planner, {&before});
  set(planner, {&after});
  CHECK(who(planner, 499) == "default");
  CHECK(who(planner, 500) == "after");
  set(planner, {});
  CHECK(who(planner, 500) == "default");
}

TEST_CASE("what is counted by class is what was sent, under the name of who planned it") {
  Planner planner;
  Fake mine("mine", {{1024, (64 << 10) - 1}});
  set(planner, {&mine});
  for (int i = 0; i < 3; ++i) planner.choose(1023, 0);
  for (int i = 0; i < 5; ++i) planner.choose(1024, 0);
  planner.choose(64 << 10, 0);
  set(planner, {});
  planner.choose(1024, 0);
  const std::vector<StrategyView> views = planner.views();
  REQUIRE(views.size() == 2);
  CHECK(views[0].name == "default");
  CHECK(views[0].selections == std::array<uint64_t, kSizeClasses>{3, 1, 1, 0, 0});
  CHECK(views[1].name == "mine");
  CHECK(views[1].selections == std::array<uint64_t, kSizeClasses>{0, 5, 0, 0, 0});
}
