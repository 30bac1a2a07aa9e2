#include "host/lua_app.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/version.h"
#include "host/lua_secrets.h"
#include "host/lua_strings.h"
#include "host/lua_zstd.h"
#include "host/prelude.h"

namespace godwit::host {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;   ///< of string.rep: some 10 ms
constexpr size_t kConcatItemsMax = 1 << 20;  ///< table.concat of so many takes some 100 ms and cannot be interrupted

void open_library(lua_State* state, lua_CFunction open, const char* name) {
  lua_pushcfunction(state, open);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

void open_libraries(lua_State* state, AppSettings::Trust trust) {
  static constexpr luaL_Reg kLibraries[] = {{"", luaopen_base},
                                            {LUA_TABLIBNAME, luaopen_table},
                                            {LUA_STRLIBNAME, luaopen_string},
                                            {LUA_OSLIBNAME, luaopen_os},
                                            {LUA_MATHLIBNAME, luaopen_math},
                                            {LUA_BITLIBNAME, luaopen_bit},
                                            {LUA_JITLIBNAME, luaopen_jit},
                                            {LUA_DBLIBNAME, luaopen_debug}};
  for (const luaL_Reg& library : kLibraries) open_library(state, library.func, library.name);
  if (trust != AppSettings::Trust::kTrusted) return;
  open_library(state, luaopen_io, LUA_IOLIBNAME);
  open_library(state, luaopen_package, LUA_LOADLIBNAME);
}

void set_number(lua_State* state, const char* name, double value) {
  lua_pushnumber(state, value);
  lua_setfield(state, -2, name);
}

void set_text(lua_State* state, const char* name, std::string_view value) {
  lua_pushlstring(state, value.data(), value.size());
  lua_setfield(state, -2, name);
}

/// { {code=, name=, meaning=, retryable=, retry_after=}, … }
void push_codes(lua_State* state) {
  lua_newtable(state);
  int index = 0;
  for (const CodeInfo& info : all_codes()) {
    lua_newtable(state);
    set_number(state, "code", static_cast<double>(info.code));
    set_text(state, "name", info.name);
    set_text(state, "meaning", info.meaning);
    lua_pushboolean(state, info.retryable);
    lua_setfield(state, -2, "retryable");
    if (info.retry_after.count() > 0) {
      set_number(state, "retry_after", static_cast<double>(info.retry_after.count()) / 1000);
    }
    lua_rawseti(state, -2, ++index);
  }
}

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Durations in seconds.
void push_limits(lua_State* state, const AppLimits& limits) {
  lua_newtable(state);
  set_number(state, "memory_max", static_cast<double>(limits.memory_bytes_max));
  set_number(state, "burst_max", to_seconds(limits.burst_max));
  set_number(state, "cpu_max", to_seconds(limits.cpu_max));
  set_number(state, "load_timeout", to_seconds(limits.load_timeout));
  set_number(state, "handler_timeout", to_seconds(limits.handler_timeout));
  set_number(state, "coroutines_max", static_cast<double>(limits.coroutines_max));
  set_number(state, "events_max", static_cast<double>(limits.events_max));
}

/// Compiles one file of the prelude and leaves it on the stack.
void push_prelude(lua_State* state, const char* name) {
  const std::string_view text = prelude_text(name);
  lua_pushfstring(state, "@godwit/%s", name);
  if (luaL_loadbufferx(state, text.data(), text.size(), lua_tostring(state, -1), "t") != 0) lua_error(state);
  lua_remove(state, -2);
}

void run_prelude(lua_State* state, const char* name, int host) {
  push_prelude(state, name);
  lua_pushvalue(state, host);
  lua_call(state, 1, 0);
}

/// A reference to the host table's function of that name; the host table is on top of the stack.
int reference_to(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  return luaL_ref(state, LUA_REGISTRYINDEX);
}

/// What it is called in logs and errors.
std::string name_of(const AppSource& source, uint32_t generation, const std::string& spec_file) {
  return spec_file.empty() ? fmt::format("{}@{}", source.name, generation) : source.name + "/" + spec_file;
}

std::string_view what_happened(Code code) {
  switch (code) {
    case Code::kScriptTimeout: return "handler ran too long";
    case Code::kScriptMemory: return "handler ran out of memory";
    case Code::kHandlerSuspended: return "handler failed too often and rests";
    default: return "handler failed";
  }
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
      services_(world_.services, world_.kv, bridge_.waits(), source_->name),
      once_(world_.once, bridge_, source_->name),
      metrics_(world_.metrics, source_->name, world_.worker_index),
      commands_(context_.name),
      events_(limits_.events_max, world_.clock, context_.log, context_.name),
      http_(world_.http, world_.mailbox, bridge_.waits(), source_->name),
      work_(std::make_shared<LuaWork>(source_, generation_, limits_, world_)) {
  if (world_.entropy) uuids_.emplace(*world_.entropy, world_.clock);
}

Status LuaApp::load() { return open(&LuaApp::load_); }

Status LuaApp::load_for_work() { return open(&LuaApp::load_for_work_); }

/// Makes the VM and its world, and runs what begins it.
Status LuaApp::open(int LuaApp::*entry) {
  auto vm = LuaVm::create(limits_, world_.watchdog, bridge_.turn(), context_.name, world_.log);
  if (!vm) return tl::unexpected(vm.error());
  vm_ = std::move(*vm);
  auto failure = vm_->protect(set_up, this);
  if (!failure) {
    LuaVm::Outcome loaded = vm_->start(this->*entry, limits_.load_timeout);
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
  const int host = lua_gettop(state);

  push_prelude(state, "prepare.lua");
  lua_pushvalue(state, host);
  lua_pushcfunction(state, luaopen_ffi);
  lua_call(state, 0, 1);
  lua_pushlightuserdata(state, app.bridge_.plain());
  const std::string_view types = prelude_text("bridge_types.inc");
  lua_pushlstring(state, types.data(), types.size());
  lua_call(state, 4, 0);

  for (const char* name :
       {"sandbox.lua", "errors.lua",    "api.lua",      "modules.lua",    "message.lua", "codecs.lua",
        "secrets.lua", "zstd.lua",      "json.lua",     "wait.lua",       "tasks.lua",   "sync.lua",
        "timers.lua",  "lifecycle.lua", "sessions.lua", "groups.lua",     "kv.lua",      "events.lua",
        "config.lua",  "identity.lua",  "routes.lua",   "strategies.lua", "metrics.lua", "commands.lua",
        "http.lua",    "work.lua",      "once.lua",     "dispatch.lua",   "eval.lua"}) {
    run_prelude(state, name, host);
  }
  if (!app.spec_file_.empty()) {
    set_text(state, "spec_file", app.spec_file_);
    for (const char* name : {"spec_assert.lua", "spec.lua"}) run_prelude(state, name, host);
  }
  app.context_.globals = reference_to(state, "globals");
  app.load_ = reference_to(state, "load");
  app.dispatch_ = reference_to(state, "dispatch");
  app.run_tasks_ = reference_to(state, "run_tasks");
  app.task_died_ = reference_to(state, "task_died");
  app.run_events_ = reference_to(state, "run_events");
  app.authorize_ = reference_to(state, "authorize");
  app.make_plan_ = reference_to(state, "make_plan");
  app.start_ = reference_to(state, "start");
  app.retire_ = reference_to(state, "retire");
  app.selftest_ = reference_to(state, "selftest");
  app.export_ = reference_to(state, "export");
  app.import_ = reference_to(state, "import");
  app.eval_ = reference_to(state, "eval");
  app.run_command_ = reference_to(state, "run_command");
  app.load_for_work_ = reference_to(state, "load_for_work");
  app.run_work_ = reference_to(state, "work");
  app.vm_->set_adopter(reference_to(state, "adopt"));
  app.vm_->set_error_type(reference_to(state, "error_type"));
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
  push_bounded_strings(state);
  lua_setfield(state, -2, "bounded_strings");
  push_codes(state);
  lua_setfield(state, -2, "codes");
  lua_pushlightuserdata(state, LuaVm::wait_mark());
  lua_setfield(state, -2, "wait_mark");
  set_number(state, "text_bytes_max", static_cast<double>(std::min(limits_.memory_bytes_max / 4, kTextBytesMax)));
  set_number(state, "concat_items_max", kConcatItemsMax);
  set_number(state, "handler_timeout", std::chrono::duration<double>(limits_.handler_timeout).count());
  set_number(state, "coroutines_max", static_cast<double>(limits_.coroutines_max));
  set_number(state, "timers_max", static_cast<double>(limits_.timers_max));
  set_number(state, "seed", static_cast<double>(to_ns(world_.clock.now()) % 1'000'000'007 + world_.worker_index));

  set_text(state, "config", source_->settings.config);
  lua_pushboolean(state, source_->settings.trust == AppSettings::Trust::kTrusted);
  lua_setfield(state, -2, "trusted");
  push_limits(state, limits_);
  lua_setfield(state, -2, "limits");

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
    taken += run_admitted(batch.subspan(taken, std::min(batch.size() - taken, LuaBridge::kBatchMax)), sink);
  } while (taken < batch.size() && !sink.enough());
  bridge_.set_sink(nullptr);
  events_.deliver();
  return taken;
}

/// All that waits, before the message that comes after it. Taking something may fail; nothing is tried twice.
void LuaApp::run_events() {
  for (size_t left = events_.pins() + 1; events_.waiting() && events_.pins() < left;) {
    left = events_.pins();
    call(run_events_);
  }
  run_tasks();
}

/// Messages whose handler rests are answered at once; the batch goes up to the next of those.
size_t LuaApp::run_admitted(std::span<const Delivery> batch, ReplySink& sink) {
  if (breakers_open_ == 0) return run_batch(batch);
  const Timestamp now = world_.clock.now();
  size_t admitted = 0;
  while (admitted < batch.size() && breakers_[batch[admitted].handler].admit(now)) {
    // While a breaker is half open, its verdict is waited for before the next message.
    if (breakers_[batch[admitted++].handler].open()) break;
  }
  if (admitted > 0) {
    Breaker& last = breakers_[batch[admitted - 1].handler];
    const uint64_t errors_before = stats_.errors;
    const size_t taken = run_batch(batch.first(admitted));
    if (last.open() && taken == admitted && stats_.errors == errors_before) {
      last.succeeded();
      --breakers_open_;
    }
    return taken;
  }
  sink.fail(batch.front().ticket, Code::kHandlerSuspended,
            fmt::format("{}: {}", context_.name, what_happened(Code::kHandlerSuspended)));
  return 1;
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
  const LuaVm::Outcome outcome = vm_->start(dispatch_, limits_.burst_max);
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
  if (events_.waiting() && !sink.enough()) call(run_events_);
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
  const LuaVm::Outcome outcome = vm_->start(authorize_, limits_.burst_max);
  switch (outcome.how) {
    case LuaVm::Outcome::How::kDone: return context_.refusal;
    case LuaVm::Outcome::How::kWaits:
      forget_waiting(outcome.coroutine);
      context_.log.error("gw.authorize must not wait", {{"app", context_.name}, {"action", delivery.action}});
      return "it was to be waited for";
    case LuaVm::Outcome::How::kFailed: break;
  }
  stats_.errors += 1;
  log_failure(outcome.failure, &delivery);
  return "gw.authorize failed";
}

LuaApp::Answer LuaApp::make_plan(size_t range, const transfer::Question& question, transfer::Plan& plan) {
  strategies_.ask(range, question, plan);
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(make_plan_, limits_.burst_max);
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
    log_failure(outcome.failure, nullptr);
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
    const LuaVm::Outcome outcome = vm_->start(run_tasks_, limits_.burst_max);
    if (outcome.how == LuaVm::Outcome::How::kWaits) park(outcome.coroutine, 0);
    if (outcome.how == LuaVm::Outcome::How::kFailed) fail_place({0, plain.task, 0}, outcome.failure);
  }
}

/// Prelude code that only keeps its own books: it does not wait.
void LuaApp::call(int reference) {
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(reference, limits_.burst_max);
  if (outcome.how == LuaVm::Outcome::How::kFailed) log_failure(outcome.failure, nullptr);
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

Status LuaApp::selftest() { return check(selftest_, "gw.selftest"); }

Result<std::string> LuaApp::export_state() {
  if (Status exported = check(export_, "gw.export"); !exported) return tl::unexpected(std::move(exported.error()));
  return std::exchange(context_.state, {});
}

Status LuaApp::import_state(std::string_view state) {
  context_.state = state;
  const Status imported = check(import_, "gw.import");
  context_.state.clear();
  return imported;
}

void LuaApp::start() {
  metrics_.show();
  call(start_);
}

void LuaApp::retire() { call(retire_); }

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

void LuaApp::end_overdue() {
  for (const double serial : bridge_.take_overdue()) {
    stats_.timeouts += 1;
    interrupt_message(serial, Code::kScriptTimeout);
  }
}

/// Its sender hears it now; its handler, by an error out of what it waits for.
void LuaApp::interrupt_message(double serial, Code code) {
  bridge_.fail_parked(serial, code, fmt::format("{}: {}", context_.name, what_happened(code)));
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
  log_failure(failure, &bridge_.current());
  note_failure(bridge_.current().handler);
  if (registration_of(bridge_.current()).on_error == Registration::OnError::kPass) return bridge_.pass_current();
  const auto [code, text] = verdict_of(failure);
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
void LuaApp::note_failure(uint32_t handler) {
  if (!breakers_[handler].failed(world_.clock.now(), stats_.handled)) return;
  ++breakers_open_;
  context_.log.error("handler fails too often and rests",
                     {{"app", context_.name}, {"pattern", context_.registrations[handler].pattern}});
}

void LuaApp::fail_place(const Place& place, const LuaVm::Failure& failure) {
  once_.break_off(place.message, place.task);
  if (failure.chosen && place.task == 0)
    return bridge_.fail_parked(place.message, *failure.chosen, failure.text, failure.retry_after);
  stats_.errors += 1;
  stats_.timeouts += failure.code == Code::kScriptTimeout;
  const auto [code, text] = verdict_of(failure);
  if (bridge_.parked().find(place.message)) {
    const Delivery& delivery = bridge_.parked().delivery(place.message);
    log_failure(failure, &delivery);
    note_failure(delivery.handler);
    const Registration::OnError on_error = registration_of(delivery).on_error;
    if (on_error == Registration::OnError::kClose) close_sender(delivery, code, text);
    if (on_error == Registration::OnError::kPass)
      bridge_.finish_parked(place.message);
    else
      bridge_.fail_parked(place.message, code, text);
  } else {
    log_failure(failure, nullptr);
  }
  if (place.task == 0) return;
  const Wake died{.code = code, .text = failure.text, .body = {}, .headers = {}, .number = place.task};
  bridge_.show(died);
  call(task_died_);
}

/// What exactly went wrong is for the log; a peer learns whom to ask about it.
std::pair<Code, std::string> LuaApp::verdict_of(const LuaVm::Failure& failure) const {
  if (failure.chosen) return {*failure.chosen, failure.text};
  const Code code = failure.code == Code::kScriptError ? Code::kHandlerFailed : failure.code;
  return {code, fmt::format("{}: {}", context_.name, what_happened(code))};
}

void LuaApp::log_failure(const LuaVm::Failure& failure, const Delivery* delivery) {
  const auto held_back = failures_logged_.pass(failure.text, world_.clock.now());
  if (!held_back) return;
  std::vector<LogField> fields{{"app", context_.name}, {"error", failure.text}};
  if (delivery) {
    fields.push_back({"action", delivery->action});
    fields.push_back({"message", delivery->message_id});
  }
  if (*held_back > 0) fields.push_back({"held_back", *held_back});
  fields.push_back({"traceback", failure.traceback});
  context_.log.write(LogLevel::kError, what_happened(failure.code), fields);
}

Result<std::string> LuaApp::eval(std::string_view text) {
  context_.typed = text;
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(eval_, limits_.burst_max);
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
  call(run_command_);
  commands_.give_up({Code::kScriptError, context_.name + ": the command could not begin; see the server's log"});
}

/// It waits where nothing can.
void LuaApp::forget_waiting(uint32_t coroutine) {
  bridge_.waits().forget(static_cast<WaitToken>(std::exchange(bridge_.plain()->waits_for, 0)));
  vm_->drop(coroutine);
}

bool LuaApp::does_something() const {
  return !context_.registrations.empty() || !context_.rewrites.empty() || context_.authorizes || events_.wanted() ||
         !commands_.list().empty() || !strategies_.ranges().empty();
}

Result<std::string> LuaApp::work(std::string call) {
  context_.state = std::move(call);
  bridge_.begin_turn(0, 0);
  const LuaVm::Outcome outcome = vm_->start(run_work_, limits_.handler_timeout);
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

}  // namespace godwit::host
