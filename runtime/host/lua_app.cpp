#include "host/lua_app.h"

#include <fmt/format.h>

#include "base/version.h"
#include "host/lua_strings.h"
#include "host/prelude.h"

namespace godwit::host {
namespace {

constexpr size_t kTextBytesMax = 64 << 20;   ///< of string.rep: some 10 ms
constexpr size_t kConcatItemsMax = 1 << 20;  ///< table.concat of so many takes some 100 ms and cannot be interrupted

void open_libraries(lua_State* state) {
  static constexpr luaL_Reg kLibraries[] = {{"", luaopen_base},
                                            {LUA_TABLIBNAME, luaopen_table},
                                            {LUA_STRLIBNAME, luaopen_string},
                                            {LUA_OSLIBNAME, luaopen_os},
                                            {LUA_MATHLIBNAME, luaopen_math},
                                            {LUA_BITLIBNAME, luaopen_bit},
                                            {LUA_JITLIBNAME, luaopen_jit},
                                            {LUA_DBLIBNAME, luaopen_debug}};
  for (const luaL_Reg& library : kLibraries) {
    lua_pushcfunction(state, library.func);
    lua_pushstring(state, library.name);
    lua_call(state, 1, 0);
  }
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

/// Compiles one file of the prelude and leaves it on the stack.
void push_prelude(lua_State* state, const char* name) {
  const std::string_view text = prelude_text(name);
  lua_pushfstring(state, "@godwit/%s", name);
  if (luaL_loadbufferx(state, text.data(), text.size(), lua_tostring(state, -1), "t") != 0) lua_error(state);
  lua_remove(state, -2);
}

/// A reference to the host table's function of that name; the host table is on top of the stack.
int reference_to(lua_State* state, const char* name) {
  lua_getfield(state, -1, name);
  return luaL_ref(state, LUA_REGISTRYINDEX);
}

std::string_view what_happened(Code code) {
  switch (code) {
    case Code::kScriptTimeout: return "handler ran too long";
    case Code::kScriptMemory: return "handler ran out of memory";
    default: return "handler failed";
  }
}

}  // namespace

LuaApp::LuaApp(std::shared_ptr<const AppSource> source, uint32_t generation, const AppLimits& limits, AppWorld world)
    : source_(std::move(source)),
      generation_(generation),
      limits_(limits),
      world_(std::move(world)),
      context_{*source_, fmt::format("{}@{}", source_->name, generation), world_.log.named("script"), LUA_NOREF, {}},
      bridge_(world_.clock) {}

Status LuaApp::load() {
  auto vm = LuaVm::create(limits_, world_.watchdog, bridge_.turn());
  if (!vm) return tl::unexpected(vm.error());
  vm_ = std::move(*vm);
  auto failure = vm_->protect(set_up, this);
  if (!failure) failure = vm_->run(load_, limits_.load_timeout);
  if (!failure) return {};
  const bool has_place = failure->text.starts_with(source_->name + "/");
  return fail(Code::kScriptLoadFailed, has_place ? failure->text : source_->name + "/main.lua: " + failure->text);
}

/// Builds the world of the app's code. Protected; the argument is the LuaApp.
int LuaApp::set_up(lua_State* state) {
  auto& app = *static_cast<LuaApp*>(lua_touserdata(state, 1));
  open_libraries(state);
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

  for (const char* name : {"sandbox.lua", "errors.lua", "api.lua", "modules.lua", "message.lua", "dispatch.lua"}) {
    push_prelude(state, name);
    lua_pushvalue(state, host);
    lua_call(state, 1, 0);
  }
  app.context_.globals = reference_to(state, "globals");
  app.load_ = reference_to(state, "load");
  app.dispatch_ = reference_to(state, "dispatch");
  app.vm_->set_adopter(reference_to(state, "adopt"));
  return 0;
}

void LuaApp::push_host(lua_State* state) {
  lua_newtable(state);
  add_lua_functions(state, context_);
  push_bounded_strings(state);
  lua_setfield(state, -2, "bounded_strings");
  push_codes(state);
  lua_setfield(state, -2, "codes");
  set_number(state, "text_bytes_max", static_cast<double>(std::min(limits_.memory_bytes_max / 4, kTextBytesMax)));
  set_number(state, "concat_items_max", kConcatItemsMax);
  set_number(state, "seed", static_cast<double>(to_ns(world_.clock.now()) % 1'000'000'007 + world_.worker_index));

  lua_newtable(state);
  set_text(state, "app", source_->name);
  set_number(state, "generation", generation_);
  set_number(state, "worker", world_.worker_index);
  set_text(state, "version", kVersion);
  lua_setfield(state, -2, "info");
}

size_t LuaApp::handle(std::span<const Delivery> batch, ReplySink& sink) {
  size_t taken = 0;
  do {
    taken += run_batch(batch.subspan(taken, std::min(batch.size() - taken, LuaBridge::kBatchMax)), sink);
  } while (taken < batch.size() && !sink.enough());
  return taken;
}

size_t LuaApp::run_batch(std::span<const Delivery> batch, ReplySink& sink) {
  bridge_.begin(batch, sink);
  while (bridge_.has_next()) {
    if (const auto failure = vm_->run(dispatch_, limits_.burst_max)) take_failure(*failure);
  }
  const size_t taken = bridge_.end();
  stats_.handled += taken;
  return taken;
}

void LuaApp::take_failure(const LuaVm::Failure& failure) {
  stats_.errors += 1;
  stats_.timeouts += failure.code == Code::kScriptTimeout;
  if (!bridge_.has_failed()) return;
  log_failure(failure);
  // What exactly went wrong is for the log; a peer learns whom to ask about it.
  const Code code = failure.code == Code::kScriptError ? Code::kHandlerFailed : failure.code;
  bridge_.fail_current(code, fmt::format("{}: {}", context_.name, what_happened(code)));
}

void LuaApp::log_failure(const LuaVm::Failure& failure) {
  const auto held_back = failures_logged_.pass(failure.text, world_.clock.now());
  if (!held_back) return;
  const Delivery& delivery = bridge_.current();
  std::vector<LogField> fields{
      {"app", context_.name}, {"error", failure.text}, {"action", delivery.action}, {"message", delivery.message_id}};
  if (*held_back > 0) fields.push_back({"held_back", *held_back});
  fields.push_back({"traceback", failure.traceback});
  context_.log.write(LogLevel::kError, what_happened(failure.code), fields);
}

AppStats LuaApp::stats() const {
  AppStats stats = stats_;
  stats.memory_bytes = vm_->memory_bytes();
  return stats;
}

Result<std::unique_ptr<App>> load_app(std::shared_ptr<const AppSource> source, uint32_t generation,
                                      const AppLimits& limits, AppWorld world) {
  const Log log = world.log;
  auto app = std::make_unique<LuaApp>(std::move(source), generation, limits, std::move(world));
  if (Status loaded = app->load(); !loaded) return tl::unexpected(loaded.error());
  if (app->registrations().empty()) {
    log.warn("app handles nothing: call gw.handle while it loads", {{"app", app->name()}});
  }
  return app;
}

}  // namespace godwit::host
