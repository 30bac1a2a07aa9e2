#pragma once

#include "app/config/config.h"
#include "app/kv_store.h"
#include "app/once_book.h"
#include "app/spec/local_line.h"
#include "app/spec/local_server.h"
#include "app/spec/seeded_entropy.h"
#include "app/spec/virtual_clock.h"
#include "base/metric_store.h"
#include "store/memory_engine.h"

namespace godwit::app {

/// What the worlds of all cases have in common; outlives them.
struct SpecSetting {
  Config config;
  ServerCoreConfig core;
  host::AppLimits limits;  ///< of the app
  KvLimits kv;
  OnceLimits once;
  size_t store_bytes_max;
  std::shared_ptr<host::Watchdog> watchdog;
  Duration case_time_max = 20s;  ///< of processor time: a busy machine is no fault of a spec
  Duration case_wait_max = 1h;   ///< of virtual time, beyond what the spec advances it by
  Duration spec_burst_max = 2s;  ///< of processor time that a spec may take without waiting
};

/// An app on a server, a spec file beside it, and the lines between them, at the beginning of a time of their own. The
/// spec runs on a server as well: its fake clients are sessions of both, each seeing the other as its peer, and we are
/// a client of the spec. Time moves on when nothing is left to do, to the next timer.
class SpecWorld final : private session::Session::Owner,
                        private session::PromiseTable::Owner,
                        private session::ReplyWaiter {
 public:
  SpecWorld(const SpecSetting& setting, LogSink& log);
  ~SpecWorld() override;

  Status load_app(const host::UnitSourcePtr& app) { return app_.load(app, setting_.limits); }
  Status load_spec(const host::UnitSourcePtr& spec);

  struct Answer {
    std::string body;
    std::map<std::string, std::string> headers;
  };
  /// Asks the spec something, and lets everything happen until it has answered.
  Result<Answer> ask(wire::Kind kind, std::string_view action, std::string_view body);

 private:
  /// A fake client: what the app calls a session, and what the spec does.
  struct Client {
    session::SessionId at_app;
    session::SessionId at_spec;
    std::unique_ptr<LocalLine> line;
  };
  using Headers = std::map<std::string, std::string, std::less<>>;

  void on_message(session::Session& session, session::Incoming message) override;
  void on_turn_wanted(session::Session&) override { turn_wanted_ = true; }
  void on_promise_expired(const session::Promise& promise) override { control_.promise_expired(promise); }
  void on_promises_high(size_t, size_t) override {}
  void on_reply(uint64_t cookie, const session::Reply& reply) override;

  Result<Answer> serve(std::string_view action, const Headers& headers);
  void respond(uint64_t request, const Result<Answer>& answer);
  void connect(uint64_t request, const Headers& headers);
  void run_command(uint64_t request, const Headers& headers);
  Result<Answer> let_in(session::Identity identity, const std::string& address);
  Result<Answer> disconnect(session::SessionId at_spec);
  Result<Answer> attribute(host::SessionKey key, std::string_view name);

  Status step();
  void run_app();
  bool run_spec();
  bool deliver();
  bool deliver(Client& client);
  bool end_sessions();
  void end(Client& client, Code code, std::string_view text);
  Status move_time();
  bool late() const;

  const SpecSetting& setting_;
  VirtualClock clock_;
  TimerHeap timers_;
  MemoryKvStore kv_;
  store::MemoryEngine engine_;
  std::unique_ptr<Store> store_ = engine_.open_door();
  OnceBook once_;
  SeededEntropy entropy_;
  MetricStore unit_metrics_{1};
  WorkerMetrics metrics_;
  LocalServer app_;
  LocalServer spec_;
  BlockPool blocks_{4};
  session::PromiseTable promises_;
  session::Session control_;  ///< ours, as a client of the spec
  session::SessionId control_at_spec_;
  LocalLine control_line_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::optional<Result<Answer>> answer_;
  Duration began_;        ///< processor time
  Timestamp wait_until_;  ///< virtual time
  bool turn_wanted_ = false;
};

}  // namespace godwit::app
