#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "admin/source.h"
#include "app/app_routes.h"
#include "app/dispatcher.h"
#include "host/router.h"
#include "host/unit_source.h"

namespace godwit::app {

/// The scripts and plugins that are live on one worker. A new generation is built beside the old one (`prepare`) and
/// takes over between two messages (`commit`), or is dropped with nothing changed (`abort`). Worker's thread, except
/// `views`.
class WorkerApps final : public Dispatcher::Handlers {
 public:
  /// `world` is what every app is built with.
  explicit WorkerApps(host::AppWorld world);
  ~WorkerApps() override;

  /// Builds a generation of `source` and looks at its routes beside those of the other units. At most one is prepared
  /// at a time. The manifest says what it binds.
  Result<std::vector<host::Registration>> prepare(const host::UnitSource& source, uint32_t generation,
                                                  const host::AppLimits& limits);
  /// The prepared generation is live from here on.
  void commit();
  void abort() { prepared_.reset(); }
  /// The app is gone: its actions have no handler any more.
  void remove(const std::string& name);

  /// Where the routers of plugins have a word, it is their action that is looked up.
  const routing::Target* find(wire::Kind kind, std::string_view action) override;
  host::Handler* handler(uint32_t unit) override;
  bool run_ready(host::ReplySink& sink) override;
  uint64_t version() const override { return version_; }

  /// Closes the generations that were replaced and have nothing to finish any more; outside any handler.
  void reap();

  /// Makes what `views` tells fresh; the worker does so every second.
  void publish();
  /// From any thread.
  std::vector<admin::AppView> views() const;

 private:
  struct Unit {
    std::string name;
    std::unique_ptr<host::App> app;  ///< null: removed; the place stays, because queued messages name it by number
    uint64_t memory_bytes_max = 0;
    Duration drain_timeout{};
    host::AppStats retired;  ///< of all generations before the live one
  };
  struct Prepared {
    uint32_t unit;
    std::unique_ptr<host::App> app;
    std::unique_ptr<routing::RouteTable> routes;
    uint64_t memory_bytes_max;
    Duration drain_timeout;
  };
  /// Replaced, but what waits in it may finish until then.
  struct Retired {
    std::unique_ptr<host::App> app;
    Timestamp until;
  };
  uint32_t unit_of(const std::string& name);
  /// The live apps, with this one in its place.
  std::vector<RoutedApp> apps_with(uint32_t unit, const host::App* app) const;
  void warn_of_unreached(uint32_t unit) const;
  void replace(uint32_t unit, std::unique_ptr<host::App> app, std::unique_ptr<routing::RouteTable> routes);

  const host::AppWorld world_;
  std::vector<Unit> units_;
  std::vector<host::Router*> routers_;  ///< of live units, in their order
  std::unique_ptr<routing::RouteTable> routes_;
  std::optional<Prepared> prepared_;
  std::vector<Retired> retired_;
  uint64_t version_ = 1;
  mutable std::mutex views_mutex_;
  std::vector<admin::AppView> views_;
};

}  // namespace godwit::app
