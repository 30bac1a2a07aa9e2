#include "app/commands/bench_tally.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "app/commands/json.h"

namespace godwit::app {
namespace {

struct Percentile {
  const char* name;
  double share;
};
constexpr std::array kPercentiles = {Percentile{"p50", 0.5}, Percentile{"p90", 0.9}, Percentile{"p99", 0.99},
                                     Percentile{"p999", 0.999}};

/// To so many decimal places: a JSON number with noise at the end is hard to read.
double rounded(double value, int places) {
  const double scale = std::pow(10, places);
  return std::round(value * scale) / scale;
}

double to_us(Duration duration) { return rounded(std::chrono::duration<double, std::micro>(duration).count(), 1); }

bool sends_messages(BenchPattern pattern) {
  return pattern == BenchPattern::kRequest || pattern == BenchPattern::kEvent;
}

}  // namespace

void BenchTally::fail_unsent(Code code, uint64_t times) {
  if (times == 0) return;
  sent_ += times;
  failed_ += times;
  errors_[code] += times;
}

double BenchTally::bytes_rate(const BenchOptions& options) const {
  return sends_messages(options.pattern) ? rate() * static_cast<double>(options.size_bytes) : 0;
}

void BenchTally::print_json(const BenchOptions& options) const {
  const HistogramSnapshot latency = latency_.snapshot();
  Json json{{"pattern", name_of(options.pattern)},
            {"clients", options.clients},
            {"in_flight", options.in_flight},
            {"size", options.size_bytes},
            {"sent", sent_},
            {"ok", ok_},
            {"failed", failed_},
            {"seconds", rounded(seconds(), 6)},
            {"rate_per_s", rounded(rate(), 1)},
            {"bytes_per_s", rounded(bytes_rate(options), 0)}};
  // A quantile is the middle of its bucket, which may lie above the largest that was seen.
  for (const auto& [name, share] : kPercentiles)
    json["latency_us"][name] = to_us(std::min(latency.quantile(share), latency_max_));
  json["latency_us"]["max"] = to_us(latency_max_);
  json["errors"] = Json::object();
  for (const auto& [code, count] : errors_) json["errors"][std::to_string(static_cast<unsigned>(code))] = count;
  app::print_json(json);
}

void BenchTally::print(const BenchOptions& options) const {
  const HistogramSnapshot latency = latency_.snapshot();
  fmt::print("pattern   {}, {} clients, {} in flight, {} bytes\n", name_of(options.pattern), options.clients,
             options.in_flight, options.size_bytes);
  fmt::print("sent      {}, of which {} ok and {} failed, in {:.2f} s\n", sent_, ok_, failed_, seconds());
  fmt::print("rate      {:.0f} per second", rate());
  if (sends_messages(options.pattern)) fmt::print(", {:.1f} MB/s one way", bytes_rate(options) / 1e6);
  fmt::print("\nlatency  ");
  for (const auto& [name, share] : kPercentiles)
    fmt::print(" {} {:.1f} us ", name, to_us(std::min(latency.quantile(share), latency_max_)));
  fmt::print(" max {:.1f} us\n", to_us(latency_max_));
  for (const auto& [code, count] : errors_)
    fmt::print("error     {} ({}): {} times\n", godwit::name_of(code), static_cast<unsigned>(code), count);
}

}  // namespace godwit::app
