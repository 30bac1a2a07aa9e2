#pragma once

#include "app/session_table.h"
#include "client/quiet_log.h"
#include "test_worker.h"

namespace godwit::testing {

/// The sessions of one worker, without connections.
class TableWorker final : public app::WorkerServices::Sessions, private session::Session::Owner {
 public:
  TableWorker(uint8_t number, app::SessionDirectory& directory, app::SharedCap& places,
              app::DurableBook* durable = nullptr)
      : services(number, time.clock, time.timers, directory),
        sessions({.config = config, .number = number},
                 {time.clock, time.timers, Log(log_, "test"), metrics, places, services, nullptr, *this, {}, durable}),
        durable_(durable) {
    services.attach(this);
    services.keep_in(durable);
  }
  ~TableWorker() override { services.attach(nullptr); }

  Result<app::Resident*> enter(std::string client_id, std::string uid, bool proved, session::Attempt attempt = {}) {
    return sessions.enter({.client_id = std::move(client_id), .uid = std::move(uid), .proved = proved}, "here",
                          attempt);
  }

  session::Session* find_session(session::SessionId id) override { return sessions.session(id); }
  Result<host::SessionStats> session_stats(session::SessionId) override { return host::SessionStats(); }
  Status close_session(session::SessionId, Code, std::string_view) override { return {}; }
  std::optional<app::DurableBook::Owner> durable_owner(session::SessionId id) override {
    const app::Resident* resident = durable_ ? sessions.find(id) : nullptr;
    if (!resident || !sessions.session(id)->keeps_messages()) return std::nullopt;
    return app::DurableBook::Owner{resident->identity.client_id, resident->born_unix_us};
  }
  void supersede_session(session::SessionId id) override { sessions.end(id, Code::kSuperseded, "again"); }
  const session::SessionConfig& session_config() const override { return config; }
  WorkerMetrics& counts() override { return metrics; }

  VirtualTime time;
  session::SessionConfig config;
  WorkerMetrics metrics;
  QueueMailbox mailbox;

 private:
  void on_message(session::Session&, session::Incoming) override {}
  void on_turn_wanted(session::Session&) override {}
  client::QuietLog log_;

 public:
  app::WorkerServices services;
  app::SessionTable sessions;

 private:
  app::DurableBook* durable_;
};

}  // namespace godwit::testing
