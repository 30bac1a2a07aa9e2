#include "base/metric_store.h"

#include <catch2/catch.hpp>
#include <limits>
#include <thread>

using namespace godwit;

namespace {

MetricDeclaration counter(std::vector<std::string> labels = {}) {
  return {MetricType::kCounter, "orders", "Orders taken.", std::move(labels), {}};
}

double value_of(const UnitMetric& metric) {
  const auto samples = metric.samples();
  return samples.empty() ? -1 : samples.front().value;
}

}  // namespace

TEST_CASE("what workers count is one sum, for each combination of labels") {
  UnitMetric metric(counter({"room", "kind"}), 2);
  const std::string_view a[] = {"kitchen", "hot"}, b[] = {"attic", "cold"};
  CHECK(metric.samples().empty());
  REQUIRE(metric.add(0, a, 1));
  REQUIRE(metric.add(1, a, 2.5));
  REQUIRE(metric.add(1, b, 4));
  const auto samples = metric.samples();
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].labels == std::vector<std::string>{"attic", "cold"});
  CHECK(samples[0].value == 4);
  CHECK(samples[1].value == 3.5);
}

TEST_CASE("a gauge is the sum of what each worker has set last") {
  UnitMetric metric({MetricType::kGauge, "players", "", {}, {}}, 2);
  REQUIRE(metric.set(0, {}, 10));
  REQUIRE(metric.set(0, {}, 3));
  REQUIRE(metric.set(1, {}, 4));
  REQUIRE(metric.add(1, {}, -1));
  CHECK(value_of(metric) == 6);
}

TEST_CASE("what has no labels shows nothing counted before it is first counted; what has, shows nothing") {
  CHECK(value_of(UnitMetric(counter(), 1)) == 0);
  CHECK(UnitMetric(counter({"room"}), 1).samples().empty());
  const UnitMetric histogram({MetricType::kHistogram, "size", "", {}, {1, 10}}, 1);
  CHECK(histogram.samples().front().buckets == std::vector<uint64_t>{0, 0, 0});
}

TEST_CASE("a histogram counts up to each end, the end included") {
  UnitMetric metric({MetricType::kHistogram, "size", "", {}, {1, 10}}, 2);
  for (const double value : {0.5, 1.0, 1.5, 10.0, 11.0}) REQUIRE(metric.observe(0, {}, value));
  REQUIRE(metric.observe(1, {}, 0));
  const auto samples = metric.samples();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].buckets == std::vector<uint64_t>{3, 5, 6});
  CHECK(samples[0].value == 24);
}

TEST_CASE("combinations beyond the bound are refused and counted, known ones go on") {
  UnitMetric metric(counter({"id"}), 1);
  for (size_t i = 0; i < UnitMetric::kSeriesMax; ++i) {
    const std::string id = std::to_string(i);
    const std::string_view labels[] = {id};
    REQUIRE(metric.add(0, labels, 1));
  }
  CHECK(metric.refused() == 0);
  const std::string_view another[] = {"one more"}, known[] = {"7"};
  CHECK(metric.add(0, another, 1).error().code == Code::kLimitReached);
  CHECK(metric.add(0, known, 1));
  CHECK(metric.refused() == 1);
  CHECK(metric.samples().size() == UnitMetric::kSeriesMax);
}

TEST_CASE("numbers and labels that make no sense are refused") {
  UnitMetric metric(counter({"id"}), 1);
  const std::string_view good[] = {"a"}, control[] = {"a\nb"};
  const std::string long_text(129, 'x');
  const std::string_view too_long[] = {long_text};
  CHECK_FALSE(metric.add(0, good, -1));
  CHECK_FALSE(metric.add(0, good, std::numeric_limits<double>::infinity()));
  CHECK_FALSE(metric.add(0, good, std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(metric.add(0, control, 1));
  CHECK_FALSE(metric.add(0, too_long, 1));
  CHECK_FALSE(metric.add(0, {}, 1));
  CHECK(metric.samples().empty());
}

TEST_CASE("a declaration is checked") {
  CHECK(check(counter({"a_1", "b"})));
  CHECK_FALSE(check({MetricType::kCounter, "Orders", "", {}, {}}));
  CHECK_FALSE(check({MetricType::kCounter, "", "", {}, {}}));
  CHECK_FALSE(check({MetricType::kCounter, "1st", "", {}, {}}));
  CHECK_FALSE(check({MetricType::kCounter, "a", "two\nlines", {}, {}}));
  CHECK_FALSE(check(counter({"a", "a"})));
  CHECK_FALSE(check(counter({"app"})));
  CHECK_FALSE(check(counter({"le"})));
  CHECK_FALSE(check({MetricType::kCounter, "a", "", {}, {1}}));
  CHECK_FALSE(check({MetricType::kHistogram, "a", "", {}, {}}));
  CHECK_FALSE(check({MetricType::kHistogram, "a", "", {}, {2, 1}}));
  CHECK(check({MetricType::kHistogram, "a", "", {}, {1, 2}}));
}

TEST_CASE("the next generation goes on with what was counted, and nothing is shown before it is live") {
  MetricStore store(1);
  auto first = *store.declare("shop", counter());
  CHECK(store.views().empty());
  store.show("shop", {first});
  REQUIRE(first->add(0, {}, 5));
  const auto second = *store.declare("shop", counter());
  CHECK(second == first);
  first.reset();
  store.show("shop", {second});
  REQUIRE(store.views().size() == 1);
  CHECK(store.views()[0].unit == "shop");
  CHECK(value_of(*store.views()[0].metric) == 5);
}

TEST_CASE("a generation that declares otherwise, and fails, leaves what is shown as it was") {
  MetricStore store(1);
  const auto live = *store.declare("shop", counter());
  store.show("shop", {live});
  REQUIRE(live->add(0, {}, 5));
  {
    const auto candidate = *store.declare("shop", counter({"room"}));
    CHECK(candidate != live);
  }
  CHECK(value_of(*store.views()[0].metric) == 5);
  CHECK(*store.declare("shop", counter()) == live);
}

TEST_CASE("one name has one type among scripts, and another among plugins") {
  MetricStore store(1);
  const MetricDeclaration gauge{MetricType::kGauge, "orders", "", {}, {}};
  store.show("shop", {*store.declare("shop", counter())});
  CHECK(store.declare("bank", gauge).error().text == "shop has a counter of this name");
  CHECK(store.declare("bank", counter()));
  CHECK(store.declare("plugin/bank", gauge));
}

TEST_CASE("workers and whoever reads do not disturb each other") {
  UnitMetric metric(counter({"id"}), 2);
  const auto count = [&](uint32_t worker) {
    for (int i = 0; i < 2000; ++i) {
      const std::string id = std::to_string(i % 10);
      const std::string_view labels[] = {id};
      (void)metric.add(worker, labels, 1);
    }
  };
  std::thread one(count, 0), two(count, 1);
  for (int i = 0; i < 100; ++i) (void)metric.samples();
  one.join();
  two.join();
  for (const MetricSample& sample : metric.samples()) CHECK(sample.value == 400);
}
