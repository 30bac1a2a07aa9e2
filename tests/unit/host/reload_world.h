#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "host/reload.h"

namespace godwit::host::test {

using What = ReloadOutcome::What;
using Orders = std::vector<std::string>;

/// Two workers that keep what they are told and answer when the test says so.
class KeptOrders : public ReloadWorkers {
 public:
  void prepare(uint32_t worker, const ReloadPlan& plan) override { keep("prepare", worker, plan); }
  void migrate(uint32_t worker, const ReloadPlan& plan) override { keep("migrate", worker, plan); }
  void commit(uint32_t worker, const ReloadPlan& plan) override { keep("commit", worker, plan); }
  void abort(uint32_t worker, const ReloadPlan& plan) override { keep("abort", worker, plan); }
  void settle(uint32_t worker, const std::string& unit) override {
    orders.push_back("settle " + std::to_string(worker) + " " + unit);
  }

  Orders take() { return std::exchange(orders, {}); }

  ReloadPlan last;
  Orders orders;

 private:
  void keep(const char* what, uint32_t worker, const ReloadPlan& plan) {
    last = plan;
    orders.push_back(std::string(what) + " " + std::to_string(worker) + " " + plan.unit + "@" +
                     std::to_string(plan.generation));
  }
};

/// The reload machine with nothing real around it.
struct ReloadWorld {
  KeptOrders workers;
  ReloadBounds bounds{.answer_timeout = 6s, .pause_max = 500ms, .probation = {.duration = 30s}};
  std::vector<ReloadOutcome> observed;
  Reloads reloads{2, workers, bounds, [this](const ReloadOutcome& outcome) { observed.push_back(outcome); }};
  Timestamp now = from_ns(1'000'000'000);
  std::vector<ReloadOutcome> outcomes;

  Reloads::Done keep() {
    return [this](const ReloadOutcome& outcome) { outcomes.push_back(outcome); };
  }
  static UnitSourcePtr source(const std::string& app, uint64_t hash) {
    AppSource source;
    source.name = app;
    source.hash = hash;
    return make_unit(std::move(source));
  }
  void request(const std::string& app, uint64_t hash, Reloads::Trigger trigger = Reloads::Trigger::kCommand) {
    reloads.load(app, source(app, hash), trigger, now, keep());
  }
  void prepared(uint32_t worker, Manifest manifest = {{{"echo", "main.lua:1"}}}) {
    reloads.on_prepared(worker, workers.last.id, std::move(manifest), now);
  }
  void failed(uint32_t worker, const char* text) {
    reloads.on_prepared(worker, workers.last.id, fail(Code::kScriptLoadFailed, text), now);
  }
  void all_failed(const char* text) {
    for (const uint32_t worker : {0, 1}) failed(worker, text);
  }
  void migrated(uint32_t worker, Status outcome = {}) {
    reloads.on_migrated(worker, workers.last.id, std::move(outcome), now);
  }
  void committed(uint32_t worker, const AppStats& replaced = {}) {
    reloads.on_committed(worker, workers.last.id, replaced, now);
  }
  void go_live(const AppStats& replaced = {}) {
    for (const uint32_t worker : {0, 1}) prepared(worker);
    for (const uint32_t worker : {0, 1}) committed(worker, replaced);
  }
  void make_live(const std::string& app, uint64_t hash, const AppStats& replaced = {}) {
    request(app, hash);
    go_live(replaced);
    REQUIRE(outcomes.back().what == What::kLive);
    workers.take();
    outcomes.clear();
  }
  void stats(uint32_t worker, uint32_t generation, uint64_t handled, uint64_t errors, uint64_t timeouts = 0) {
    reloads.on_stats(worker, "chat", generation, {0, handled, errors, timeouts}, now);
  }
};

}  // namespace godwit::host::test
