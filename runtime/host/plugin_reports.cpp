#include "host/plugin_reports.h"

#include <fmt/format.h>

namespace godwit::host {

void PluginReports::failed(std::string_view what, std::string_view error) {
  ++stats_.errors;
  const auto held_back = reported_.pass(error, clock_.now());
  if (!held_back) return;
  log_.error(what, {{"plugin", name_}, {"error", error}, {"held_back", *held_back}});
}

void PluginReports::took(Duration time, std::string_view call) {
  if (time < settings_.call_warn) return;
  if (time >= settings_.call_max) ++stats_.timeouts;
  const auto held_back = reported_.pass(call, clock_.now());
  if (!held_back) return;
  log_.warn("plugin held up its worker", {{"plugin", name_},
                                          {"call", call},
                                          {"ms", std::chrono::duration<double, std::milli>(time).count()},
                                          {"held_back", *held_back}});
}

std::string name_of_status(int32_t status) {
  return status > 0 && status <= UINT16_MAX ? name_of(static_cast<Code>(status)) : fmt::format("status {}", status);
}

}  // namespace godwit::host
