#pragma once

#include <godwit/plugin.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "host/deferred_messages.h"
#include "host/plugin_logins.h"
#include "host/plugin_metrics.h"
#include "host/plugin_tasks.h"
#include "host/plugin_unit.h"
#include "host/repeat_filter.h"
#include "host/running_plugin.h"

namespace godwit::host {

class PluginStore;

/// What one instance of a plugin sees of its server: the tables of <godwit/plugin.h>, and what lies behind them. Calls
/// that come from a wrong place are answered WrongThread and counted; apart from those marked [any thread] it belongs
/// to its worker.
class PluginHost {
 public:
  enum class Stage : uint8_t { kCreating, kRunning, kSaving };

  PluginHost(const PluginSource& source, std::shared_ptr<const PluginLibrary> library, uint32_t generation,
             const AppLimits& limits, AppWorld world);
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  const gw_host* face() const { return &face_.host; }
  const PluginLabel& label() const { return *label_; }
  const std::vector<Registration>& registrations() const { return registrations_; }
  uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }
  /// Of a plugin's call that came to nothing.
  void count_failure() { failures_.fetch_add(1, std::memory_order_relaxed); }
  std::string take_state() { return std::exchange(state_, {}); }
  const PluginMetrics& metrics() const { return metrics_; }
  PluginTasks& tasks() { return tasks_; }
  const PluginTasks& tasks() const { return tasks_; }
  DeferredMessages& deferred() { return deferred_; }
  const DeferredMessages& deferred() const { return deferred_; }
  PluginLogins& logins() { return logins_; }
  const PluginLogins& logins() const { return logins_; }

  /// Null: it keeps none.
  PluginStore* store() { return store_; }
  void set_store(PluginStore* store) { store_ = store; }

  /// What a client hears that a plugin does not let in, by what the plugin says: NotFound asks others; a failure of the
  /// plugin itself, which is logged and counted, is none of the client's business.
  Error refusal_of(gw_status status);

  void begin_message(const Delivery& delivery) {
    current_ = delivery.ticket;
    deadline_ = delivery.deadline;
    handled_ = &delivery;
  }
  /// False: the message that was begun has its verdict, or gets it later.
  bool end_message() {
    handled_ = nullptr;
    return std::exchange(current_, {}).bits != 0;
  }

  /// The plugin's code runs for as long as this lives; verdicts go to `sink`, which may be null.
  class Entry {
   public:
    Entry(PluginHost& host, Stage stage, ReplySink* sink);
    ~Entry();

   private:
    PluginHost& host_;
    const Stage outer_stage_;
    ReplySink* const outer_sink_;
    RunningPlugin running_;
  };

 private:
  /// The table begins what `of` finds the owner by.
  struct Face {
    gw_host host;
    PluginHost* owner;
  };
  friend struct PluginThunks;
  friend struct PluginServiceThunks;
  friend struct PluginLoginThunks;

  static PluginHost& of(const gw_host* host);
  bool entered();
  void log(int level, std::string_view message, std::span<const gw_log_field> fields) const;
  const PluginValue* value(std::string_view key) const;
  gw_status bind(std::string_view pattern, uint32_t flags, uint32_t& handler);
  gw_status settle(Ticket ticket, ReplyOutcome outcome);
  gw_status defer(Ticket ticket, uint32_t flags);
  gw_status declare(int type, std::string_view name, std::string_view help, uint32_t& metric);
  gw_status write(Bytes bytes);

  const PluginSource& source_;
  const Duration wait_max_;
  AppWorld world_;
  Log log_;
  const std::shared_ptr<const PluginLabel> label_;
  Face face_;
  Stage stage_ = Stage::kCreating;
  ReplySink* sink_ = nullptr;
  Ticket current_;  ///< the message that is being handled and has no verdict yet
  Timestamp deadline_ = kNever;
  const Delivery* handled_ = nullptr;  ///< while on_message runs, with its verdict or without
  std::vector<Registration> registrations_;
  std::string state_;
  PluginMetrics metrics_;
  DeferredMessages deferred_;
  PluginLogins logins_;
  PluginTasks tasks_;
  PluginStore* store_ = nullptr;
  // What was handed out last.
  SessionInfo info_;
  std::string attribute_;
  std::string kv_value_;
  std::atomic<uint64_t> failures_{0};
  RepeatFilter failed_logins_logged_;
};

/// The tables that this version offers; the same for all instances.
struct PluginTables {
  gw_core_table core;
  gw_config_table config;
  gw_handlers_table handlers;
  gw_messages_table messages;
  gw_timers_table timers;
  gw_threads_table threads;
  gw_metrics_table metrics;
  gw_state_table state;
};
const PluginTables& plugin_tables();

/// Decisions about clients.
const gw_logins_table& plugin_logins_table();

/// Those that ask the server about others than who sent the message in hand.
struct PluginServiceTables {
  gw_sessions_table sessions;
  gw_groups_table groups;
  gw_kv_table kv;
};
const PluginServiceTables& plugin_service_tables();

}  // namespace godwit::host
