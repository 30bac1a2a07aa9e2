#include "host/lua_app.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/version.h"
#include "host/key_relay.h"
#include "host/lua_secrets.h"
#include "host/lua_values.h"
#include "host/lua_world.h"
#include "host/lua_zstd.h"

namespace godwit::host {
namespace {

/// What it is called in logs and errors.
std::string name_of(const AppSource& source, uint32_t generation, const std::string& spec_file) {
  return spec_file.empty() ? fmt::format("{}@{}", source.name, generation) : source.name + "/" + spec_file;
}

}  // namespace

LuaApp::LuaApp(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits, AppWorld world,
               std::string spec_file)
    : source_(std::move(source)),
      generation_(generation),
      limits_(limits),
      world_(std::move(world)),
      spec_file_(std::move(spec_file)),
      context_{*source_, name_of(*source_, generation, spec_file_), world_.log.named("script"), LUA_NOREF, {}},
      bridge_(world_, limits_, context_.registrations),
      services_(world_.services, world_.kv, bridge_, source_->name),
      once_(world_.once, bridge_, source_->name),
      metrics_(world_.metrics, source_->name, world_.worker_index),
      commands_(context_.name),
      failures_(context_.name, context_.log, world_.clock),
      events_(limits_.events_max, world_.clock, context_.log, context_.name),
      http_(world_.http, world_.mailbox, bridge_.waits(), source_->name),
      work_(std::make_shared<LuaWork>(source_, generation_, limits_, world_)) {
  if (world_.entropy) uuids_.emplace(*world_.entropy, world_.clock);
}

Status LuaApp::load() { return open(&LuaEntries::load); }

Status LuaApp::load_for_work() { return open(&LuaEntries::load_for_work); }

/// Makes the VM and its world, and runs what begins it.
Status LuaApp::open(int LuaEntries::*entry) {
  auto vm = LuaVm::create(limits_, world_.watchdog, bridge_.turn(), context_.name, world_.log);
  if (!vm) return tl::unexpected(vm.error());
  vm_ = std::move(*vm);
  auto failure = vm_->protect(set_up, this);
  if (!failure) {
    LuaVm::Outcome loaded = vm_->start(entries_.*entry, limits_.load_timeout);
    breakers_.resize(context_.registrations.size());
    std::stable_sort(context_.rewrites.begin(), context_.rewrites.end(),
                     [](const auto& a, const auto& b) { return a.pattern().compare_specificity(b.pattern()) < 0; });
    if (loaded.how == LuaVm::Outcome::How::kDone) return {};
    failure = std::move(loaded.failure);
  }
  const bool has_place = failure->text.starts_with(source_->name + "/");
  return fail(Code::kScriptLoadFailed, has_place ? failure->text : source_->name + "/main.lua: " + failure->text);
}

/// Builds the world of the app's code. Protected; the argument is the LuaApp.
int LuaApp::set_up(lua_State* state) {
  auto& app = *static_cast<LuaApp*>(lua_touserdata(state, 1));
  open_libraries(state, app.source_->settings.trust);
  app.push_host(state);
  app.entries_ = run_prelude(state, app.bridge_.plain(), app.spec_file_);
  app.context_.globals = app.entries_.globals;
  app.vm_->set_adopter(app.entries_.adopt);
  app.vm_->set_error_type(app.entries_.error_type);
  return 0;
}

void LuaApp::push_host(lua_State* state) {
  lua_newtable(state);
  add_lua_functions(state, context_);
  add_secret_functions(state, uuids_ ? &*uuids_ : nullptr);
  add_zstd_functions(state);
  services_.add_to(state);
  once_.add_to(state);
  metrics_.add_to(state);
  commands_.add_to(state);
  events_.add_to(state);
  strategies_.add_to(state);
  http_.add_to(state);
  work_->add_to(state);
  add_bounds(state, limits_);
  lua_pushlightuserdata(state, LuaVm::wait_mark());
  lua_setfield(state, -2, "wait_mark");
  set_number(state, "seed", static_cast<double>(to_ns(world_.clock.now()) % 1'000'000'007 + world_.worker_index));

  set_text(state, "config", source_->settings.config);
  lua_pushboolean(state, source_->settings.trust == AppSettings::Trust::kTrusted);
  lua_setfield(state, -2, "trusted");

  lua_newtable(state);
  set_text(state, "app", source_->name);
  set_number(state, "generation", generation_);
  set_number(state, "worker", world_.worker_index);
  set_text(state, "version", kVersion);
  lua_setfield(state, -2, "info");
}

size_t LuaApp::handle(std::span<const Delivery> batch, ReplySink& sink) {
  bridge_.set_sink(&sink);
  if (events_.waiting()) run_events();
  size_t taken = 0;
  do {
    taken += run_next(batch.subspan(taken, std::min(batch.size() - taken, LuaBridge::kBatchMax)), sink);
  } while (taken < batch.size() && !sink.enough());
  bridge_.set_sink(nullptr);
  events_.deliver();
  return taken;
}

/// All that waits, before the message that comes after it. Taking something may fail; nothing is tried twice.
void LuaApp::run_events() {
  for (size_t left = events_.pins() + 1; events_.waiting() && events_.pins() < left;) {
    left = events_.pins();
    call(entries_.run_events);
  }
  run_tasks();
}

/// A message with a key is taken to the worker of its key; the batch goes up to the next of those.
size_t LuaApp::run_next(std::span<const Delivery> batch, ReplySink& sink) {
  if (!context_.has_keys || !world_.relay) return run_admitted(batch, sink);
  if (const auto key = key_elsewhere(batch.front())) {
    world_.relay->carry(*key, batch.front(), sink);
    return 1;
  }
  const auto next =
      std::find_if(batch.begin(), batch.end(), [this](const Delivery& one) { return key_elsewhere(one); });
  return run_admitted(batch.first(static_cast<size_t>(next - batch.begin())), sink);
}

std::optional<std::string_view> LuaApp::key_elsewhere(const Delivery& delivery) const {
  const std::string& name = context_.registrations[delivery.handler].key;
  if (name.empty() || world_.relay->has_carried(delivery.ticket)) return std::nullopt;
  for (const wire::Header& header : delivery.headers) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

/// Messages whose handler rests are answered at once; the batch goes up to the next of those.
size_t LuaApp::run_admitted(std::span<const Delivery> batch, ReplySink& sink) {
  const size_t admitted = breakers_.admitted(batch, world_.clock.now());
  if (admitted == 0) {
    sink.fail(batch.front().ticket, Code::kHandlerSuspended, failures_.told(Code::kHandlerSuspended));
    return 1;
  }
  const uint32_t last = batch[admitted - 1].handler;
  const uint64_t errors_before = stats_.errors;
  const size_t taken = run_batch(batch.first(admitted));
  if (breakers_.open(last) && taken == admitted && stats_.errors == errors_before) breakers_.succeeded(last);
  return taken;
}

size_t LuaApp::run_batch(std::span<const Delivery> batch) {
  bridge_.begin(batch);
  while (bridge_.has_next()) run_dispatch();
  const size_t taken = bridge_.end();
  stats_.handled += taken;
  return taken;
}

void LuaApp::run_dispatch() {
  bridge_.plain()->current = 0;
  bridge_.plain()->task = 0;
  const LuaVm::Outcome outcome = vm_->start(entries_.dispatch, limits_.burst_max);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return;
    case LuaVm::Outcome::How::kWaits: return park(outcome.coroutine, bridge_.park_current());
    case LuaVm::Outcome::How::kFailed: return take_failure(outcome.failure);
  }
}

void LuaApp::park(uint32_t coroutine, double message) {
  if (places_.size() <= coroutine) places_.resize(coroutine + 1);
  gw_bridge& plain = *bridge_.plain();
  const auto token = static_cast<WaitToken>(std::exchange(plain.waits_for, 0));
  places_[coroutine] = {message, plain.task, token};
  bridge_.waits().park(token, coroutine);
}

bool LuaApp::run_ready(ReplySink& sink) {
  bridge_.set_sink(&sink);
  http_.deliver();
  work_->deliver(bridge_.waits());
  end_overdue();
  // What becomes ready meanwhile has its turn next time round: two tasks that wake each other must not keep the loop.
  size_t turns = bridge_.waits().ready();
  while (turns-- > 0 && !sink.enough()) resume(*bridge_.waits().next_ready());
  if (events_.waiting() && !sink.enough()) call(entries_.run_events);
  if (bridge_.plain()->tasks_waiting > 0 && !sink.enough()) run_tasks();
  bridge_.set_sink(nullptr);
  events_.deliver();
  return bridge_.waits().ready() > 0 || bridge_.plain()->tasks_waiting > 0 || events_.waiting();
}

/// The most specific of the app's own routes, once: what comes out is not looked up among them again.
std::string_view LuaApp::reroute(wire::Kind kind, std::string_view action) {
  for (const routing::Rewrite& rewrite : context_.rewrites) {
    if (!rewrite.matches(kind, action)) continue;
    rewrite.apply(action, rerouted_);
    return rerouted_;
  }
  return action;
}

void LuaApp::authorize(std::span<const Delivery> batch, const Destination& destination, ReplySink& sink,
                       std::vector<std::string>& refusals) {
  bridge_.set_sink(&sink);
  if (events_.waiting()) run_events();
  context_.destination_app = destination.app;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!refusals[i].empty()) continue;
    context_.destination_pattern = destination.registrations[batch[i].handler].pattern;
    bridge_.begin(batch.subspan(i, 1));
    refusals[i] = refusal_of(batch[i]);
    bridge_.end();
  }
  bridge_.set_sink(nullptr);
  events_.deliver();
}

/// Empty when the app allows the message, which the bridge holds.
std::string LuaApp::refusal_of(const Delivery& delivery) {
  context_.refusal = "not decided";
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(entries_.authorize, limits_.burst_max);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return context_.refusal;
    case LuaVm::Outcome::How::kWaits:
      forget_waiting(outcome.coroutine);
      context_.log.error("gw.authorize must not wait", {{"app", context_.name}, {"action", delivery.action}});
      return "it was to be waited for";
    case LuaVm::Outcome::How::kFailed: break;
  }
  stats_.errors += 1;
  failures_.log(outcome.failure, &delivery);
  return "gw.authorize failed";
}

LuaApp::Answer LuaApp::make_plan(size_t range, const transfer::Question& question, transfer::Plan& plan) {
  strategies_.ask(range, question, plan);
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(entries_.make_plan, limits_.burst_max);
  if (outcome.how == LuaVm::Outcome::How::kDone) {
    const std::optional<transfer::Plan> answer = strategies_.take_answer();
    if (answer) plan = *answer;
    return answer ? Answer::kPlanned : Answer::kLeftToDefault;
  }
  stats_.errors += 1;
  if (outcome.how == LuaVm::Outcome::How::kWaits) {
    forget_waiting(outcome.coroutine);
    context_.log.error("gw.strategy must not wait", {{"app", context_.name}});
  } else {
    failures_.log(outcome.failure, nullptr);
  }
  return Answer::kFailed;
}

void LuaApp::on_plan_refused(const transfer::Question& question, const Error& why) {
  stats_.errors += 1;
  context_.log.error("a plan of gw.strategy makes no sense",
                     {{"app", context_.name},
                      {"size_class", name_of(transfer::size_class(question.sizes.bytes_min))},
                      {"error", why.text}});
}

void LuaApp::resume(const LuaWaits::Ready& ready) {
  const Place place = places_[ready.coroutine];
  gw_bridge& plain = *bridge_.plain();
  bridge_.begin_turn(place.message, place.task);
  bridge_.show(ready.wake);
  const LuaVm::Outcome outcome = vm_->resume(ready.coroutine);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return;
    case LuaVm::Outcome::How::kWaits: return park(outcome.coroutine, place.message);
    case LuaVm::Outcome::How::kFailed: return fail_place({plain.current, plain.task, 0}, outcome.failure);
  }
}

/// One run begins tasks until none is left or one waits; that one keeps the coroutine.
void LuaApp::run_tasks() {
  gw_bridge& plain = *bridge_.plain();
  for (uint32_t begun = plain.tasks_waiting; begun > 0 && plain.tasks_waiting > 0; --begun) {
    bridge_.begin_turn(0, 0);
    const LuaVm::Outcome outcome = vm_->start(entries_.run_tasks, limits_.burst_max);
    if (outcome.how == LuaVm::Outcome::How::kWaits) park(outcome.coroutine, 0);
    if (outcome.how == LuaVm::Outcome::How::kFailed) fail_place({0, plain.task, 0}, outcome.failure);
  }
}

/// Prelude code that only keeps its own books: it does not wait.
void LuaApp::call(int reference) {
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(reference, limits_.burst_max);
  if (outcome.how == LuaVm::Outcome::How::kFailed) failures_.log(outcome.failure, nullptr);
}

/// Code of the app that decides whether it may go live. It does not wait.
Status LuaApp::check(int reference, std::string_view what) {
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(reference, limits_.load_timeout);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return {};
    case LuaVm::Outcome::How::kWaits:
      vm_->drop(outcome.coroutine);
      return fail(Code::kScriptLoadFailed, fmt::format("{}: {} must not wait", context_.name, what));
    case LuaVm::Outcome::How::kFailed: break;
  }
  return fail(Code::kScriptLoadFailed, fmt::format("{}: {}: {}", context_.name, what, outcome.failure.text));
}

Status LuaApp::selftest() { return check(entries_.selftest, "gw.selftest"); }

Result<std::string> LuaApp::export_state() {
  if (Status exported = check(entries_.export_state, "gw.export"); !exported)
    return tl::unexpected(std::move(exported.error()));
  return std::exchange(context_.state, {});
}

Status LuaApp::import_state(std::string_view state) {
  context_.state = state;
  const Status imported = check(entries_.import_state, "gw.import");
  context_.state.clear();
  return imported;
}

void LuaApp::start() {
  metrics_.show();
  call(entries_.start);
}

void LuaApp::retire() { call(entries_.retire); }

void LuaApp::cancel(Code code, ReplySink& sink) {
  bridge_.set_sink(&sink);
  for (const double serial : bridge_.parked().serials()) {
    bridge_.fail_parked(serial, code,
                        fmt::format("{}: it was replaced, and its time to finish is over", context_.name));
  }
  bridge_.waits().complete_all(code);
  bridge_.set_sink(nullptr);
  events_.refuse_all();
}

void LuaApp::withdraw(Ticket ticket, ReplySink& sink) {
  const double serial = bridge_.parked().serial_of(ticket);
  if (serial == 0) return;
  bridge_.set_sink(&sink);
  interrupt_message(serial, Code::kCancelled);
  bridge_.set_sink(nullptr);
}

void LuaApp::end_overdue() {
  for (const double serial : bridge_.take_overdue()) {
    stats_.timeouts += 1;
    interrupt_message(serial, Code::kScriptTimeout);
  }
}

/// Its sender hears it now; its handler, by an error out of what it waits for.
void LuaApp::interrupt_message(double serial, Code code) {
  bridge_.fail_parked(serial, code, failures_.told(code));
  for (const Place& place : places_) {
    if (place.message == serial && place.token != 0) bridge_.waits().complete(place.token, {.code = code});
  }
}

void LuaApp::take_failure(const LuaVm::Failure& failure) {
  if (failure.chosen) {
    if (bridge_.has_failed()) bridge_.fail_current(*failure.chosen, failure.text, failure.retry_after);
    return;
  }
  stats_.errors += 1;
  stats_.timeouts += failure.code == Code::kScriptTimeout;
  if (!bridge_.has_failed()) return;
  failures_.log(failure, &bridge_.current());
  note_failure(bridge_.current().handler, failure.code);
  if (registration_of(bridge_.current()).on_error == Registration::OnError::kPass) return bridge_.pass_current();
  const auto [code, text] = failures_.verdict_of(failure);
  const Delivery& delivery = bridge_.current();
  bridge_.fail_current(code, text);
  if (registration_of(delivery).on_error == Registration::OnError::kClose) close_sender(delivery, code, text);
}

/// Behind what it was sent.
void LuaApp::close_sender(const Delivery& delivery, Code code, std::string_view text) {
  if (world_.services && delivery.session) (void)world_.services->close(delivery.session->id, code, text);
}

const Registration& LuaApp::registration_of(const Delivery& delivery) const {
  return context_.registrations[delivery.handler];
}

/// What a script raises as an error value of its own is an answer, no breakdown, and opens nothing.
void LuaApp::note_failure(uint32_t handler, Code code) {
  const bool overran = code == Code::kScriptTimeout || code == Code::kScriptMemory;
  const auto failure = overran ? Breaker::Failure::kOverrun : Breaker::Failure::kError;
  if (!breakers_.failed(handler, world_.clock.now(), stats_.handled, failure)) return;
  context_.log.error("handler fails too often and rests",
                     {{"app", context_.name}, {"pattern", context_.registrations[handler].pattern}});
}

void LuaApp::fail_place(const Place& place, const LuaVm::Failure& failure) {
  once_.break_off(place.message, place.task);
  if (failure.chosen && place.task == 0)
    return bridge_.fail_parked(place.message, *failure.chosen, failure.text, failure.retry_after);
  stats_.errors += 1;
  stats_.timeouts += failure.code == Code::kScriptTimeout;
  const auto [code, text] = failures_.verdict_of(failure);
  if (bridge_.parked().find(place.message)) {
    const Delivery& delivery = bridge_.parked().delivery(place.message);
    failures_.log(failure, &delivery);
    note_failure(delivery.handler, failure.code);
    const Registration::OnError on_error = registration_of(delivery).on_error;
    if (on_error == Registration::OnError::kClose) close_sender(delivery, code, text);
    if (on_error == Registration::OnError::kPass)
      bridge_.finish_parked(place.message);
    else
      bridge_.fail_parked(place.message, code, text);
  } else {
    failures_.log(failure, nullptr);
  }
  if (place.task == 0) return;
  const Wake died{.code = code, .text = failure.text, .body = {}, .headers = {}, .number = place.task};
  bridge_.show(died);
  call(entries_.task_died);
}

Result<std::string> LuaApp::eval(std::string_view text) {
  context_.typed = text;
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(entries_.eval, limits_.burst_max);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return std::exchange(context_.typed, {});
    case LuaVm::Outcome::How::kFailed: return fail(outcome.failure.code, context_.name + ": " + outcome.failure.text);
    case LuaVm::Outcome::How::kWaits: break;
  }
  forget_waiting(outcome.coroutine);
  return fail(Code::kScriptError, context_.name + ": what is typed in cannot wait; gw.spawn runs a function that does");
}

void LuaApp::run_command(std::string_view name, std::span<const std::string> arguments, LuaCommands::Done done) {
  if (!commands_.begin(name, arguments, std::move(done))) return;
  call(entries_.run_command);
  commands_.give_up({Code::kScriptError, context_.name + ": the command could not begin; see the server's log"});
}

/// It waits where nothing can.
void LuaApp::forget_waiting(uint32_t coroutine) {
  bridge_.waits().forget(static_cast<WaitToken>(std::exchange(bridge_.plain()->waits_for, 0)));
  vm_->drop(coroutine);
}

bool LuaApp::does_something() const {
  return !context_.registrations.empty() || !context_.rewrites.empty() || context_.authorizes || events_.wanted() ||
         !commands_.list().empty() || !strategies_.ranges().empty() || bridge_.plain()->timers > 0 || pins() > 0;
}

Result<std::string> LuaApp::work(std::string call) {
  context_.state = std::move(call);
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(entries_.work, limits_.handler_timeout);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return std::exchange(context_.state, {});
    case LuaVm::Outcome::How::kFailed:
      return fail(outcome.failure.chosen.value_or(outcome.failure.code), outcome.failure.text);
    case LuaVm::Outcome::How::kWaits: break;
  }
  forget_waiting(outcome.coroutine);
  return fail(Code::kScriptError, context_.name + ": what runs in the pool cannot wait");
}

size_t LuaApp::pins() const {
  return vm_->waiting() + bridge_.parked().size() + bridge_.plain()->tasks_waiting + events_.pins();
}

AppStats LuaApp::stats() const {
  AppStats stats = stats_;
  stats.memory_bytes = vm_->memory_bytes();
  return stats;
}

Result<std::unique_ptr<App>> load_app(std::shared_ptr<const AppSource> source, uint32_t generation,
                                      const AppLimits& limits, AppWorld world) {
  const Log log = world.log;
  const bool first = world.worker_index == 0;
  auto app = std::make_unique<LuaApp>(std::move(source), generation, limits, std::move(world));
  if (Status loaded = app->load(); !loaded) return tl::unexpected(loaded.error());
  if (app->trusted() && first) {
    log.warn("app is trusted: it has the rights of the server", {{"app", app->name()}});
  }
  if (!app->does_something()) {
    log.warn("app handles nothing: call gw.handle while it loads", {{"app", app->name()}});
  }
  return app;
}

bool does_something(const App& app) {
  const auto* script = dynamic_cast<const LuaApp*>(&app);
  return !script || script->does_something();
}

}  // namespace godwit::host
