#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "admin/source.h"
#include "app/app_routes.h"
#include "app/dispatcher.h"
#include "app/key_desk.h"
#include "app/retired_apps.h"
#include "app/unit_authenticator.h"
#include "app/unit_store.h"
#include "host/authorizer.h"
#include "host/codec.h"
#include "host/reload_plan.h"
#include "host/repeat_filter.h"
#include "host/router.h"
#include "host/session_event.h"
#include "transfer/planner.h"

namespace godwit::app {

/// The scripts and plugins of one worker: what is live, what was prepared to be, and what was live and still has
/// something to end. Does what a ReloadPlan says: a new generation is built beside the old one (`prepare`), gets its
/// state (`migrate`), and takes over between two messages (`commit`), or is dropped with nothing changed (`abort`).
/// Worker's thread, except `views`.
class WorkerApps final : public Dispatcher::Handlers, public host::SessionListener {
 public:
  /// `world` is what every app is built with. Of the units of `authenticating` those that decide who may come in are
  /// asked; nullopt: none.
  /// `store`: where the unit is asked that keeps the worker's store; null: none does.
  explicit WorkerApps(host::AppWorld world, std::optional<host::UnitSource::Kind> authenticating = std::nullopt,
                      UnitStore* store = nullptr);
  ~WorkerApps() override;

  /// Builds and tests the plan's generation, and looks at its routes beside those of the other units. At most one is
  /// prepared at a time.
  Result<host::Manifest> prepare(const host::ReloadPlan& plan, const host::AppLimits& limits);
  /// Lets no message into the live generation any more, and hands its state over once it has come to rest. `done` is
  /// called at most once, now or from a later turn; never after `abort`.
  void migrate(std::function<void(Status)> done);
  /// The plan holds from here on. Returns what the generation that was replaced had done.
  host::AppStats commit(const host::ReloadPlan& plan);
  void abort();
  /// The live generation has proved itself: the one before is not kept ready any more.
  void settle(const std::string& unit);
  /// What a unit's live generation has done; nothing when it is another generation.
  std::optional<host::AppStats> stats_of(const std::string& unit, uint32_t generation) const;
  /// The live generation; null if there is none.
  host::App* find_app(const std::string& unit);

  const routing::Target* find(wire::Kind kind, std::string_view action) override;
  host::Handler* handler(uint32_t unit) override;
  std::optional<uint32_t> resting() const override;
  bool run_ready(host::ReplySink& sink) override;
  host::ReplySink* carrier() override { return desk_; }
  /// Who has the messages with keys; null: nobody.
  void attach(KeyDesk* desk) { desk_ = desk; }
  void note_handled(uint32_t unit, Duration took, size_t messages) override;
  void withdraw(uint32_t unit, host::Ticket ticket, host::ReplySink& sink) override;
  /// The live units that decide who may come in.
  UnitAuthenticator& authenticator() { return authenticator_; }
  /// The unit that keeps the store is live, or none has to.
  bool keeps_store() const { return !store_ || store_->live(); }
  /// How bodies travel, as the live units plan.
  transfer::Planner& planner() { return planner_; }
  uint64_t version() const override { return version_; }
  host::Once* once() override { return world_.once; }
  bool authorizes() const override { return !authorizers_.empty(); }
  bool translates() const override { return !codecs_.empty(); }
  host::Codec* codec(std::string_view content_type) override;
  std::vector<bool> authorize(uint32_t unit, std::span<const host::Delivery> batch, host::ReplySink& sink) override;

  bool hears(host::SessionEvent::What what) const override { return heard_[static_cast<size_t>(what)]; }
  void on_session(const host::SessionEvent& event) override;

  /// Destroys what has ended; outside any handler.
  void reap();

  /// How many generations are in memory, of all units, with what is kept ready or still has something to end.
  size_t generations() const;
  /// The same as of the last `publish`, from any thread.
  uint64_t published_generations() const { return static_cast<uint64_t>(published_generations_.value()); }

  /// Makes what `views` tells fresh; the worker does so every second.
  void publish();
  /// From any thread.
  std::vector<admin::AppView> views() const;

 private:
  struct Unit {
    std::string name;
    host::UnitSource::Kind kind{};
    std::unique_ptr<host::App> app;    ///< null: none; the place stays, because queued messages name it by number
    std::unique_ptr<host::App> ready;  ///< the generation before, during probation
    host::AppLimits limits;            ///< of the live generation
    host::AppStats ended;              ///< what generations did that are gone
    std::unique_ptr<Histogram> handler_seconds = std::make_unique<Histogram>();
  };
  struct Prepared {
    uint32_t unit;
    std::unique_ptr<host::App> app;
    host::AppLimits limits;
    host::UnitSource::Kind kind;
  };
  struct Migration {
    uint32_t unit;
    std::function<void(Status)> done;             ///< empty: answered
    std::vector<host::SessionEvent> events = {};  ///< for whichever generation goes on
  };

  uint32_t unit_of(const std::string& name);
  const Unit* find_unit(const std::string& name) const;
  void go_on_migrating();
  Status hand_over_state(host::App& from, host::App& to) const;
  void take_over(Unit& unit, host::ReloadPlan::Replaced replaced);
  void roll_back(Unit& unit);
  void stop(Unit& unit);
  void retire(Unit& unit, std::unique_ptr<host::App> app);
  /// The live apps, with this one in its place.
  std::vector<RoutedApp> apps_with(uint32_t unit, const host::App* app) const;
  void warn_of_unreached(uint32_t unit) const;
  void collect_deciders();
  void collect_codecs();
  void collect_strategies();
  void connect_store();
  void warn_of_authenticator(const Unit& unit) const;
  void tell_unit(Unit& unit, const host::SessionEvent& event);
  void end_migration();
  void note_forbidden(const host::Delivery& delivery, std::string_view app, std::string_view reason);
  host::AppStats total(uint32_t unit) const;

  const host::AppWorld world_;
  std::vector<Unit> units_;
  std::vector<host::Router*> routers_;  ///< of live units
  const std::optional<host::UnitSource::Kind> authenticating_;
  UnitAuthenticator authenticator_;
  std::vector<host::Authorizer*> authorizers_;  ///< of live units
  std::vector<host::Codec*> codecs_;            ///< of live units
  UnitStore* const store_;
  std::vector<std::string> strategies_;  ///< generations that were asked for their plans
  transfer::Planner planner_;
  std::array<bool, host::kSessionEvents> heard_ = {};  ///< by a live unit
  host::RepeatFilter forbidden_logged_;
  std::unique_ptr<routing::RouteTable> routes_;
  std::optional<Prepared> prepared_;
  std::optional<Migration> migration_;
  RetiredApps retired_;
  KeyDesk* desk_ = nullptr;
  uint64_t version_ = 1;
  Gauge published_generations_;
  mutable std::mutex views_mutex_;
  std::vector<admin::AppView> views_;
};

}  // namespace godwit::app
