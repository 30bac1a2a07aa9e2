#pragma once

#include "app/server_core.h"
#include "app/worker_apps.h"
#include "app/worker_once.h"

namespace godwit::app {

/// A server of one worker without its network: sessions, dispatcher, units and services, the same code as in
/// ServerCore, for sessions that are joined to their peers within the process (LocalLine). Time is the caller's.
class LocalServer final : private session::Session::Owner,
                          private Dispatcher::Sessions,
                          private WorkerServices::Sessions {
 public:
  struct World {
    const ServerCoreConfig& config;
    const Clock& clock;
    TimerHeap& timers;
    Log log;
    std::shared_ptr<host::Watchdog> watchdog;
    host::KvStore& kv;
    Store& store;
    OnceBook& once;
    Entropy& entropy;
    MetricStore& metrics;
  };
  explicit LocalServer(const World& world);
  ~LocalServer() override;

  /// Builds the unit and makes it live.
  Status load(const host::UnitSourcePtr& source, const host::AppLimits& limits);

  /// Whom the apps let in; `decided` hears it now or later. Without an app that decides, everybody is who they say.
  void authenticate(const session::Credentials& credentials, session::Authenticator::Decided decided);
  /// With the groups and attributes that whoever let it in has named.
  Result<session::SessionId> open(session::Identity identity, std::string address);
  /// Its peer is there: what was kept for its user goes to it.
  void greet(session::SessionId id) {
    if (const Resident* resident = sessions_.find(id)) sessions_.deliver_kept(*resident);
  }
  /// The session ends as after a lost connection; its waiters hear `code`.
  void close(session::SessionId id, Code code, std::string_view text);
  session::Session* find_session(session::SessionId id) override { return sessions_.session(id); }

  /// Whether handlers or sessions have, or may have, something to do at once.
  bool turn();
  /// Destroys what ended; outside of everything else.
  void reap();

  host::Services& services() { return services_; }
  /// What runs here; null before it was loaded.
  host::App* app() { return apps_.find_app(unit_); }
  /// Sessions that handlers have closed since the last call.
  struct Closing {
    session::SessionId session;
    Code code;
    std::string text;
  };
  std::vector<Closing> take_closing() { return std::exchange(closing_, {}); }

 private:
  void on_message(session::Session& session, session::Incoming message) override;
  bool on_cancel(session::Session& session, uint64_t message_id) override {
    return dispatcher_.cancel(session, message_id);
  }
  WorkerMetrics& counts() override { return metrics_; }
  void on_turn_wanted(session::Session& session) override { sessions_.want_turn(session.id()); }
  const host::SessionView* view_session(session::SessionId id) override { return sessions_.view(id); }
  Result<host::SessionStats> session_stats(session::SessionId id) override;
  Status close_session(session::SessionId id, Code code, std::string_view text) override;
  void supersede_session(session::SessionId id) override;
  const session::SessionConfig& session_config() const override { return config_.session; }

  const ServerCoreConfig& config_;
  const Clock& clock_;
  TimerHeap& timers_;
  WorkerMetrics metrics_;
  SessionDirectory directory_;
  WorkerServices services_;
  WorkerOnce once_;
  WorkerApps apps_;
  std::string unit_;
  SharedCap places_;
  Dispatcher dispatcher_;
  SessionTable sessions_;
  std::vector<Closing> closing_;
};

}  // namespace godwit::app
