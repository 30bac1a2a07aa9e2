#include "base/unit_metric.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace godwit {
namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kHelpBytesMax = 256;
constexpr size_t kLabelsMax = 8;
constexpr size_t kBucketsMax = 30;
/// Between the label values of a key: no valid UTF-8 has it.
constexpr char kSeparator = '\xff';

/// Labels that Prometheus or the server's own exposition gives a meaning.
constexpr std::string_view kReserved[] = {"app", "plugin", "le", "quantile"};

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax && letter(name.front()) && std::ranges::all_of(name, allowed);
}

std::vector<std::string> split(std::string_view key) {
  std::vector<std::string> values;
  for (size_t end; (end = key.find(kSeparator)) != key.npos; key.remove_prefix(end + 1)) {
    values.emplace_back(key.substr(0, end));
  }
  return values;
}

Status check_labels(const std::vector<std::string>& labels) {
  if (labels.size() > kLabelsMax) return fail(Code::kValueWrong, "at most 8 labels");
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!is_name(labels[i])) return fail(Code::kValueWrong, "a label's name is made of a-z, 0-9 and _, a letter first");
    const bool taken = std::ranges::find(kReserved, labels[i]) != std::end(kReserved) ||
                       std::find(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(i), labels[i]) !=
                           labels.begin() + static_cast<std::ptrdiff_t>(i);
    if (taken) return fail(Code::kValueWrong, "the label '" + labels[i] + "' exists already");
  }
  return {};
}

Status check_buckets(const MetricDeclaration& declaration) {
  const std::vector<double>& ends = declaration.buckets;
  if (declaration.type != MetricType::kHistogram) {
    return ends.empty() ? Status() : fail(Code::kValueWrong, "only histograms have buckets");
  }
  const bool sound = !ends.empty() && ends.size() <= kBucketsMax &&
                     std::ranges::all_of(ends, [](double end) { return std::isfinite(end); }) &&
                     std::ranges::adjacent_find(ends, std::greater_equal<>()) == ends.end();
  return sound ? Status() : fail(Code::kValueWrong, "buckets are 1 to 30 ascending numbers");
}

}  // namespace

Status check(const MetricDeclaration& declaration) {
  if (!is_name(declaration.name)) {
    return fail(Code::kValueWrong, "a metric's name is made of a-z, 0-9 and _, a letter first, at most 64");
  }
  if (declaration.help.size() > kHelpBytesMax || !is_printable(declaration.help)) {
    return fail(Code::kValueWrong, "the help is one line of at most 256 bytes");
  }
  if (Status labels = check_labels(declaration.labels); !labels) return labels;
  return check_buckets(declaration);
}

UnitMetric::UnitMetric(MetricDeclaration declaration, uint32_t workers) : declaration_(std::move(declaration)) {
  for (uint32_t i = 0; i < std::max(workers, 1U); ++i) parts_.push_back(std::make_unique<Part>());
}

template <typename Change>
Status UnitMetric::change(uint32_t worker, LabelValues labels, double number, Change change) {
  if (!std::isfinite(number)) return fail(Code::kValueWrong, "not a finite number");
  if (labels.size() != declaration_.labels.size()) return fail(Code::kValueWrong, "a value for each label");
  Part& part = *parts_[worker % parts_.size()];
  const std::lock_guard lock(part.mutex);
  part.key.clear();
  for (const std::string_view value : labels) {
    if (value.size() > kLabelBytesMax || !is_printable(value)) {
      return fail(Code::kValueWrong, "a label's value is printable text of at most 128 bytes");
    }
    (part.key += value) += kSeparator;
  }
  auto found = part.series.find(part.key);
  if (found == part.series.end()) {
    if (part.series.size() == kSeriesMax) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return fail(Code::kLimitReached, "more than 1,000 combinations of label values");
    }
    found = part.series.emplace(part.key, Series{}).first;
  }
  change(found.value());
  return {};
}

Status UnitMetric::add(uint32_t worker, LabelValues labels, double amount) {
  if (amount < 0 && declaration_.type == MetricType::kCounter) return fail(Code::kValueWrong, "counters only grow");
  return change(worker, labels, amount, [amount](Series& series) { series.value += amount; });
}

Status UnitMetric::set(uint32_t worker, LabelValues labels, double value) {
  return change(worker, labels, value, [value](Series& series) { series.value = value; });
}

Status UnitMetric::observe(uint32_t worker, LabelValues labels, double value) {
  const std::vector<double>& ends = declaration_.buckets;
  const auto bucket = std::ranges::lower_bound(ends, value) - ends.begin();
  return change(worker, labels, value, [&](Series& series) {
    series.buckets.resize(ends.size() + 1);
    series.buckets[static_cast<size_t>(bucket)] += 1;
    series.value += value;
  });
}

void UnitMetric::merge(const Part& part, std::map<std::string, MetricSample>& sums) const {
  const std::lock_guard lock(part.mutex);
  for (const auto& [key, series] : part.series) {
    MetricSample& sum = sums[key];
    sum.value += series.value;
    sum.buckets.resize(std::max(sum.buckets.size(), series.buckets.size()));
    uint64_t below = 0;
    for (size_t i = 0; i < series.buckets.size(); ++i) sum.buckets[i] += below += series.buckets[i];
  }
}

std::vector<MetricSample> UnitMetric::samples() const {
  std::map<std::string, MetricSample> sums;
  // Without labels there is nothing to wait for: it shows 0 before it is first counted.
  if (declaration_.labels.empty()) sums[""];
  for (const auto& part : parts_) merge(*part, sums);
  std::vector<MetricSample> samples;
  for (auto& [key, sample] : sums) {
    if (declaration_.type == MetricType::kHistogram) sample.buckets.resize(declaration_.buckets.size() + 1);
    sample.labels = split(key);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace godwit
