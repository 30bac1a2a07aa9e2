#include "host/lua_failures.h"

#include <fmt/format.h>

#include <vector>

namespace godwit::host {
namespace {

std::string_view what_happened(Code code) {
  switch (code) {
    case Code::kScriptTimeout: return "handler ran too long";
    case Code::kScriptMemory: return "handler ran out of memory";
    case Code::kHandlerSuspended: return "handler failed too often and rests";
    default: return "handler failed";
  }
}

}  // namespace

void LuaFailures::log(const LuaVm::Failure& failure, const Delivery* delivery) {
  const auto held_back = logged_.pass(failure.text, clock_.now());
  if (!held_back) return;
  std::vector<LogField> fields{{"app", app_}, {"error", failure.text}};
  if (delivery) {
    fields.push_back({"action", delivery->action});
    fields.push_back({"message", delivery->message_id});
  }
  if (*held_back > 0) fields.push_back({"held_back", *held_back});
  fields.push_back({"traceback", failure.traceback});
  log_.write(LogLevel::kError, what_happened(failure.code), fields);
}

std::pair<Code, std::string> LuaFailures::verdict_of(const LuaVm::Failure& failure) const {
  if (failure.chosen) return {*failure.chosen, failure.text};
  const Code code = failure.code == Code::kScriptError ? Code::kHandlerFailed : failure.code;
  return {code, told(code)};
}

std::string LuaFailures::told(Code code) const { return fmt::format("{}: {}", app_, what_happened(code)); }

}  // namespace godwit::host
