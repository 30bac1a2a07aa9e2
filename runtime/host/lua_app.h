#pragma once

#include "host/app.h"
#include "host/authorizer.h"
#include "host/handler_breakers.h"
#include "host/lua_bridge.h"
#include "host/lua_commands.h"
#include "host/lua_events.h"
#include "host/lua_failures.h"
#include "host/lua_functions.h"
#include "host/lua_http.h"
#include "host/lua_metrics.h"
#include "host/lua_once.h"
#include "host/lua_services.h"
#include "host/lua_strategies.h"
#include "host/lua_vm.h"
#include "host/lua_work.h"
#include "host/lua_world.h"
#include "host/router.h"
#include "host/uuid_source.h"
#include "transfer/strategy.h"

namespace godwit::host {

/// An app in LuaJIT: main.lua ran in its VM and bound its handlers; batches go through one loop on the Lua side.
class LuaApp final : public App,
                     private Router,
                     private Authorizer,
                     private SessionListener,
                     private session::Authenticator,
                     private transfer::Strategy {
 public:
  /// `spec_file`: the file of the source that is run instead of main.lua, with what specs are written with.
  LuaApp(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits, AppWorld world,
         std::string spec_file = {});

  /// Makes the VM and runs main.lua. After an error the object is only good for being destroyed.
  Status load();

  bool trusted() const { return source_->settings.trust == AppSettings::Trust::kTrusted; }
  /// It has bound or begun something while it was loaded.
  bool does_something() const;
  /// Makes the VM for work in the pool: main.lua is not run, and nothing registered.
  Status load_for_work();
  /// Runs what gw.work has encoded; the value as JSON. Any one thread.
  Result<std::string> work(std::string call);

  void start() override;
  void retire() override;
  size_t pins() const override;
  Status selftest() override;
  bool has_state() const override { return context_.has_export; }
  Result<std::string> export_state() override;
  Status import_state(std::string_view state) override;
  void cancel(Code code, ReplySink& sink) override;
  bool run_ready(ReplySink& sink) override;
  bool ordered(uint32_t handler) const override { return context_.registrations[handler].ordered; }
  std::optional<OnceOptions::BrokenOff> once(uint32_t handler) const override {
    return context_.registrations[handler].once;
  }

  size_t handle(std::span<const Delivery> batch, ReplySink& sink) override;
  void withdraw(Ticket ticket, ReplySink& sink) override;
  std::string_view name() const override { return context_.name; }
  uint32_t generation() const override { return generation_; }
  const std::vector<Registration>& registrations() const override { return context_.registrations; }
  AppStats stats() const override;
  Result<std::string> eval(std::string_view text) override;
  std::span<const Command> commands() const override { return commands_.list(); }
  void run_command(std::string_view name, std::span<const std::string> arguments, LuaCommands::Done done) override;

  Router* router() override { return context_.rewrites.empty() ? nullptr : this; }
  Authorizer* authorizer() override { return context_.authorizes ? this : nullptr; }
  SessionListener* session_listener() override { return this; }
  session::Authenticator* authenticator() override { return events_.authenticates() ? this : nullptr; }
  transfer::Strategy* strategy() override { return strategies_.ranges().empty() ? nullptr : this; }

 private:
  std::string_view reroute(wire::Kind kind, std::string_view action) override;
  void authorize(std::span<const Delivery> batch, const Destination& destination, ReplySink& sink,
                 std::vector<std::string>& refusals) override;
  bool hears(SessionEvent::What what) const override { return events_.hears(what); }
  void on_session(const SessionEvent& event) override { events_.on_session(event); }
  void authenticate(const session::Credentials& credentials, Decided done) override {
    events_.ask(credentials, std::move(done));
  }
  std::string_view strategy_name() const override { return source_->name; }
  std::vector<transfer::SizeRange> ranges() const override { return strategies_.ranges(); }
  Answer make_plan(size_t range, const transfer::Question& question, transfer::Plan& plan) override;
  void on_plan_refused(const transfer::Question& question, const Error& why) override;

  /// What a coroutine that waits was doing.
  struct Place {
    double message = 0;  ///< its serial
    double task = 0;
    WaitToken token = 0;
  };

  Status open(int LuaEntries::*entry);
  static int set_up(lua_State* state);
  void push_host(lua_State* state);
  size_t run_batch(std::span<const Delivery> batch);
  void run_events();
  std::string refusal_of(const Delivery& delivery);
  void forget_waiting(uint32_t coroutine);
  void close_sender(const Delivery& delivery, Code code, std::string_view text);
  void run_dispatch();
  void run_tasks();
  void resume(const LuaWaits::Ready& ready);
  void park(uint32_t coroutine, double message);
  void take_failure(const LuaVm::Failure& failure);
  void fail_place(const Place& place, const LuaVm::Failure& failure);
  void call(int reference);
  Status check(int reference, std::string_view what);
  size_t run_next(std::span<const Delivery> batch, ReplySink& sink);
  std::optional<std::string_view> key_elsewhere(const Delivery& delivery) const;
  size_t run_admitted(std::span<const Delivery> batch, ReplySink& sink);
  const Registration& registration_of(const Delivery& delivery) const;
  void note_failure(uint32_t handler, Code code);
  void end_overdue();
  void interrupt_message(double serial, Code code);

  std::shared_ptr<const AppSource> source_;
  const uint32_t generation_;
  const AppLimits limits_;
  AppWorld world_;
  const std::string spec_file_;
  LuaContext context_;
  LuaBridge bridge_;
  LuaServices services_;
  LuaOnce once_;
  LuaMetrics metrics_;
  LuaCommands commands_;
  std::optional<UuidSource> uuids_;
  LuaFailures failures_;
  LuaEvents events_;
  LuaStrategies strategies_;
  LuaHttp http_;
  std::shared_ptr<LuaWork> work_;
  std::string rerouted_;
  AppStats stats_;
  LuaEntries entries_;
  HandlerBreakers breakers_;
  std::vector<Place> places_;  ///< by coroutine
  std::unique_ptr<LuaVm> vm_;  // goes first: its Lua code refers to the others
};

}  // namespace godwit::host
