#include "host/lua_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

// Lua errors leave these functions by unwinding: what owns memory lies in inner functions which do not raise.

namespace godwit::host {
namespace {

constexpr size_t kCommandsMax = 100;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kHelpBytesMax = 256;

std::string_view check_text(lua_State* state, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

void push_text(lua_State* state, std::string_view text) { lua_pushlstring(state, text.data(), text.size()); }

bool is_command_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '-' && std::ranges::all_of(name, allowed);
}

bool is_help(std::string_view text) { return text.size() <= kHelpBytesMax && is_printable(text); }

}  // namespace

LuaCommands::~LuaCommands() {
  for (auto& [id, call] : calls_)
    call.done(fail(Code::kScriptRetired, std::string(app_) + " ended before the command"));
}

const char* LuaCommands::declare(std::string_view name, std::string_view help, std::string_view arguments) {
  if (!is_command_name(name)) return "a command's name is made of a-z, 0-9, '.', '_' and '-', at most 64";
  if (!is_help(help) || !is_help(arguments)) return "help and args are one line of at most 256 bytes";
  if (declared_.size() == kCommandsMax) return "more than 100 commands";
  if (std::ranges::find(declared_, name, &Command::name) != declared_.end()) return "it is declared already";
  declared_.push_back({std::string(name), std::string(help), std::string(arguments)});
  return nullptr;
}

bool LuaCommands::begin(std::string_view name, std::span<const std::string> arguments, Done done) {
  if (std::ranges::find(declared_, name, &Command::name) == declared_.end()) {
    std::string known;
    for (const Command& command : declared_) known += (known.empty() ? "" : ", ") + command.name;
    done(fail(Code::kCommandUnknown,
              fmt::format("{} has no command '{}'; it has: {}", app_, name, known.empty() ? "none" : known)));
    return false;
  }
  begun_ = ++last_id_;
  calls_.emplace(last_id_, Call{std::string(name), {arguments.begin(), arguments.end()}, std::move(done)});
  return true;
}

void LuaCommands::give_up(const Error& error) {
  if (const auto id = std::exchange(begun_, std::nullopt)) finish(*id, tl::unexpected(error));
}

void LuaCommands::finish(uint64_t id, Result<std::string> result) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const Done done = std::move(found->second.done);
  calls_.erase(found);
  done(std::move(result));
}

/// The functions; a struct, so that they may be friends.
struct LuaCommandFunctions {
  static LuaCommands& self(lua_State* state) {
    return *static_cast<LuaCommands*>(lua_touserdata(state, lua_upvalueindex(1)));
  }
  static int declare(lua_State* state) {
    const char* reason = self(state).declare(check_text(state, 1), check_text(state, 2), check_text(state, 3));
    if (!reason) return 0;
    lua_pushstring(state, reason);
    return 1;
  }
  static int take(lua_State* state) {
    LuaCommands& s = self(state);
    const auto id = s.begun_;
    if (!id) return 0;
    const LuaCommands::Call& call = s.calls_.at(*id);
    lua_pushnumber(state, static_cast<lua_Number>(*id));
    push_text(state, call.name);
    lua_createtable(state, static_cast<int>(call.arguments.size()), 0);
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      push_text(state, call.arguments[i]);
      lua_rawseti(state, -2, static_cast<int>(i + 1));
    }
    s.begun_.reset();
    return 3;
  }
  static int finish(lua_State* state) {
    const auto id = static_cast<uint64_t>(luaL_checknumber(state, 1));
    if (lua_isnil(state, 2)) {
      const auto code = static_cast<Code>(static_cast<int>(luaL_checknumber(state, 3)));
      fail_call(self(state), id, code, check_text(state, 4));
    } else {
      end_call(self(state), id, check_text(state, 2));
    }
    return 0;
  }
  static void fail_call(LuaCommands& s, uint64_t id, Code code, std::string_view text) {
    s.finish(id, fail(code, std::string(text)));
  }
  static void end_call(LuaCommands& s, uint64_t id, std::string_view json) { s.finish(id, std::string(json)); }
};

void LuaCommands::add_to(lua_State* state) {
  using F = LuaCommandFunctions;
  static constexpr luaL_Reg kFunctions[] = {{"declare", F::declare}, {"take", F::take}, {"finish", F::finish}};
  lua_newtable(state);
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, this);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
  lua_setfield(state, -2, "commands");
}

}  // namespace godwit::host
