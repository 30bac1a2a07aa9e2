#pragma once

#include <string>

#include "host/app.h"
#include "store/engine.h"

namespace godwit::app {

/// The store of a worker whose entries a plugin keeps: its live generation there is asked.
class UnitStore final : public Store {
 public:
  /// `unit`: "plugin/NAME".
  UnitStore(std::string unit, store::EngineCounters& counters) : unit_(std::move(unit)), counters_(counters) {}

  const std::string& unit() const { return unit_; }
  /// Null: none is live, or it keeps no store; then every call is StoreFailed.
  void set_live(Store* live) { live_ = live; }
  bool live() const { return live_ != nullptr; }

  void get(std::string key, GetDone done) override;
  void scan(std::string prefix, std::string after, size_t limit, ScanDone done) override;
  void apply(StoreBatch batch, ApplyDone done) override;

 private:
  Error not_live() const;

  const std::string unit_;
  store::EngineCounters& counters_;
  Store* live_ = nullptr;
};

/// What only counts: the entries are with the plugin, whose instances are made when the workers are.
class UnitEngine final : public store::Engine {
 public:
  explicit UnitEngine(std::string unit) : unit_(std::move(unit)) {}

  std::unique_ptr<UnitStore> open_unit_store() { return std::make_unique<UnitStore>(unit_, counters_); }
  std::unique_ptr<Store> open_door(Mailbox&) override { return open_unit_store(); }
  /// None: before the threads run there is nobody to ask. Whoever begins something finds what is there by its version.
  Result<std::vector<StoreEntry>> scan_now(std::string, std::string, size_t) override {
    return std::vector<StoreEntry>();
  }

 private:
  const std::string unit_;
};

}  // namespace godwit::app
