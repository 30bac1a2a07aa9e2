#include "admin/reports.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "admin/labels.h"
#include "admin/series.h"

namespace godwit::admin {
namespace {

using Json = nlohmann::ordered_json;
using M = WorkerMetrics;

/// Names of apps come from the file system and need not be UTF-8.
std::string write(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

double microseconds(Duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

Json latency(const HistogramSnapshot& histogram) {
  const double count = static_cast<double>(histogram.count());
  return {
      {"count", histogram.count()},
      {"mean", count > 0 ? microseconds(histogram.sum()) / count : 0.0},
      {"p50", microseconds(histogram.quantile(0.5))},
      {"p90", microseconds(histogram.quantile(0.9))},
      {"p99", microseconds(histogram.quantile(0.99))},
      {"p999", microseconds(histogram.quantile(0.999))},
  };
}

template <typename Value>
uint64_t count(const Scrape& scrape, Value value) {
  return static_cast<uint64_t>(total(scrape, value));
}

#define COUNT(member) \
  count(              \
      scrape, [](const M& m) -> const auto& { return m.member; })

Json connections(const Scrape& scrape) {
  return {
      {"handshaking", COUNT(connections_handshaking)}, {"open", COUNT(connections_open)},
      {"draining", COUNT(connections_draining)},       {"opened", COUNT(connections_opened)},
      {"refused", COUNT(connections_refused)},
  };
}

Json messages(const Scrape& scrape, std::array<Counters<kSizeClasses>, kMessageKinds> M::*counters) {
  Json out = Json::object();
  for (size_t kind = 0; kind < kMessageKinds; ++kind) {
    uint64_t sum = 0;
    for (const WorkerView& worker : scrape.workers) {
      for (const Counter& counter : (worker.metrics->*counters)[kind]) sum += counter.value();
    }
    out[kKindLabels[kind]] = sum;
  }
  return out;
}

template <size_t N>
Json each(const Scrape& scrape, Counters<N> M::*counters, const std::array<std::string_view, N>& labels) {
  Json out = Json::object();
  for (size_t i = 0; i < N; ++i)
    out[labels[i]] = count(
        scrape, [&](const M& m) -> const auto& { return (m.*counters)[i]; });
  return out;
}

Json latencies(const Scrape& scrape) {
  Json out = Json::object();
  for (size_t kind = 0; kind < kMessageKinds; ++kind) {
    out[kKindLabels[kind]] = latency(merged(
        scrape, [&](const M& m) -> const auto& { return m.message_seconds[kind]; }));
  }
  out["handshake"] = latency(merged(
      scrape, [](const M& m) -> const auto& { return m.handshake_seconds; }));
  out["loop_lag"] = latency(merged(
      scrape, [](const M& m) -> const auto& { return m.loop_lag_seconds; }));
  return out;
}

Json app_counts(const Scrape& scrape) {
  Json out = Json::array();
  for (const AppView& app : apps_over_workers(scrape)) {
    out.push_back({{"name", app.name},
                   {"generation", app.generation},
                   {"handled", app.handled},
                   {"errors", app.errors},
                   {"timeouts", app.timeouts},
                   {"memory_bytes", app.memory_bytes}});
  }
  return out;
}

}  // namespace

std::string health_report(const Scrape& scrape, const Health& health) {
  return write({{"status", health.status},
                {"live", health.live},
                {"ready", health.ready},
                {"workers", scrape.workers.size()},
                {"stalled_workers", health.stalled_workers},
                {"degraded", scrape.facts.degraded}});
}

std::string info_report(const Scrape& scrape) {
  const ServerFacts& facts = scrape.facts;
  Json apps = Json::array();
  for (const AppView& app : apps_over_workers(scrape))
    apps.push_back({{"name", app.name}, {"generation", app.generation}});
  return write({{"name", "godwit"},
                {"version", facts.version},
                {"commit", facts.commit},
                {"luajit", facts.luajit},
                {"protocol", facts.protocol},
                {"listen", facts.listen},
                {"workers", scrape.workers.size()},
                {"pid", getpid()},
                {"started_unix_us", facts.started_unix_us},
                {"uptime_s", static_cast<double>(scrape.unix_us - facts.started_unix_us) * 1e-6},
                {"apps", std::move(apps)}});
}

std::string stats_report(const Scrape& scrape) {
  return write({{"connections", connections(scrape)},
                {"sessions", COUNT(sessions)},
                {"messages_received", messages(scrape, &M::messages_received)},
                {"messages_sent", messages(scrape, &M::messages_sent)},
                {"messages_dropped", each(scrape, &M::messages_dropped, kDropLabels)},
                {"promises", COUNT(promises)},
                {"promises_finished", each(scrape, &M::promises_finished, kPromiseLabels)},
                {"dispatch_queue", COUNT(dispatch_queue)},
                {"latency_us", latencies(scrape)},
                {"apps", app_counts(scrape)}});
}

std::string problem_report(unsigned status, const std::string& title, const std::string& detail) {
  return write({{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}});
}

}  // namespace godwit::admin
