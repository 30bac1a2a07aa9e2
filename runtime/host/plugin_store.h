#pragma once

#include <map>
#include <variant>
#include <vector>

#include "base/timer_heap.h"
#include "host/plugin_host.h"
#include "host/plugin_reports.h"
#include "port/store.h"

namespace godwit::host {

/// The store that an instance keeps. Whoever asked hears how it ended when no code of the plugin is running.
class PluginStore final : public Store {
 public:
  struct World {
    const Clock& clock;
    TimerHeap& timers;
  };
  /// All of them outlive it; `self` is set before it is first asked.
  PluginStore(const gw_store_kind& kind, PluginHost& host, void* const& self, PluginReports& reports, World world);

  void get(std::string key, GetDone done) override;
  void scan(std::string prefix, std::string after, size_t limit, ScanDone done) override;
  void apply(StoreBatch batch, ApplyDone done) override;

  // How the plugin ends what it was asked. False: there is no such operation (any more).
  bool found(uint64_t operation, gw_status status, const gw_store_entry* entries, uint32_t count);
  bool applied(uint64_t operation, gw_status status, uint32_t failed_step, const uint64_t* versions);

  /// Tells who asked what has ended. Never from within the plugin.
  void deliver();
  /// What has not ended is not waited for.
  void fail_all();
  /// Not ended yet, or not told.
  size_t size() const { return scans_.size() + applies_.size() + ended_.size(); }

 private:
  struct Scan {
    uint32_t limit;
    ScanDone done;
  };
  struct Apply {
    size_t steps;
    ApplyDone done;
  };
  Error error_of(gw_status status);
  void end(std::function<void()> told);

  const gw_store_kind& kind_;
  PluginHost& host_;
  void* const& self_;
  PluginReports& reports_;
  World world_;
  uint64_t last_ = 0;
  std::map<uint64_t, Scan> scans_;
  std::map<uint64_t, Apply> applies_;
  std::vector<std::function<void()>> ended_;
  Timer wake_;  ///< a turn in which `deliver` is called
};

}  // namespace godwit::host
