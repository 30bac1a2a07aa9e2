#pragma once

#include "app/worker_apps.h"
#include "host/reload.h"
#include "world.h"

namespace godwit::sim {

/// An operator without patience: reloads one app again and again through the real machine, with broken versions and
/// rollbacks in between. What the machine says to the worker, and back, takes some time, as between threads.
class Reloader final : private host::ReloadWorkers {
 public:
  struct Plan {
    uint32_t reloads = 10;  ///< that go live
    Duration pause_max;     ///< from one outcome to the next request, at most
    double broken = 0.3;    ///< share of versions that cannot be loaded
    double rollbacks = 0.1;
    Duration probation = 20ms;
  };
  Reloader(World& world, app::WorkerApps& apps, host::AppSource source, const Plan& plan);

  /// The app is live for the first time, and reloading goes on from here.
  void start();
  bool done() const { return live_ >= plan_.reloads; }
  uint32_t live() const { return live_; }
  uint32_t refused() const { return refused_; }
  uint32_t rolled_back() const { return rolled_back_; }

 private:
  void prepare(uint32_t worker, const host::ReloadPlan& plan) override;
  void migrate(uint32_t worker, const host::ReloadPlan& plan) override;
  void commit(uint32_t worker, const host::ReloadPlan& plan) override;
  void abort(uint32_t worker, const host::ReloadPlan& plan) override;
  void settle(uint32_t worker, const std::string& unit) override;

  void go_on();
  void look_at_the_clock();
  void on_outcome(const host::ReloadOutcome& outcome);
  Duration some(Duration at_most);

  World& world_;
  app::WorkerApps& apps_;
  const host::AppSource good_;
  const Plan plan_;
  host::Reloads reloads_;
  uint64_t version_ = 0;
  bool broken_ = false;  ///< the version that was asked for last
  uint32_t live_ = 0;
  uint32_t refused_ = 0;
  uint32_t rolled_back_ = 0;
};

}  // namespace godwit::sim
