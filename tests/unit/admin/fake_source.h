#pragma once

#include <memory>
#include <vector>

#include "admin/source.h"
#include "port/clock.h"

namespace godwit::admin {

/// Stands still until it is told otherwise.
class TestClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  int64_t unix_us() const override { return 1'700'000'000'000'000 + (now_.time_since_epoch().count() - kStart) / 1000; }
  void advance(Duration by) { now_ += by; }

 private:
  static constexpr int64_t kStart = 1'000'000'000'000;
  Timestamp now_ = from_ns(kStart);
};

/// A healthy server of two workers and one app, to be changed by the test.
class FakeSource final : public AdminSource {
 public:
  explicit FakeSource(const Clock& clock, size_t workers = 2) {
    for (size_t i = 0; i < workers; ++i) {
      metrics.push_back(std::make_unique<WorkerMetrics>());
      views.push_back({.metrics = metrics.back().get(), .last_beat = clock.now()});
    }
    server.state = ServerState::kServing;
    server.version = "1.2.3";
    server.commit = "abcdef";
    server.luajit = "LuaJIT 2.1";
    server.protocol = "godwit/1";
    server.listen = {"127.0.0.1:8453"};
    server.started_unix_us = clock.unix_us() - 90'000'000;
    server.dispatch_queue_max = 1000;
    server.promises_max = 50'000;
  }

  std::vector<WorkerView> workers() const override { return views; }
  std::vector<AppView> apps() const override { return app_views; }
  std::vector<AppReloads> app_reloads() const override { return reloads; }
  ServerFacts facts() const override { return server; }
  std::vector<MetricStore::View> unit_metrics() const override { return store.views(); }
  std::vector<transfer::StrategyView> strategies() const override { return strategy_views; }

  std::vector<std::unique_ptr<WorkerMetrics>> metrics;
  std::vector<WorkerView> views;
  std::vector<AppView> app_views;
  std::vector<AppReloads> reloads;
  ServerFacts server;
  MetricStore store{2};
  std::vector<transfer::StrategyView> strategy_views;
};

}  // namespace godwit::admin
