#include "app/config/consistency.h"

#include <fmt/chrono.h>

namespace godwit::app {
namespace {

std::string in_ms(Duration duration) {
  return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

}  // namespace

std::vector<Warning> check_consistency(const Config& config) {
  std::vector<Warning> warnings;
  if (config.scripts.handler_timeout < config.message.default_timeout) {
    warnings.push_back(
        {fmt::format("scripts.handler_timeout ({}) is shorter than message.default_timeout ({}): a handler "
                     "that asks somebody ends before it hears that no answer came",
                     in_ms(config.scripts.handler_timeout), in_ms(config.message.default_timeout)),
         "raise scripts.handler_timeout, or give requests a timeout of their own"});
  }
  if (config.scripts.cpu_max < config.scripts.burst_max) {
    warnings.push_back(
        {fmt::format("scripts.cpu_max ({}) is shorter than scripts.burst_max ({}): a handler that waits may "
                     "run shorter than one that does not",
                     in_ms(config.scripts.cpu_max), in_ms(config.scripts.burst_max)),
         "raise scripts.cpu_max"});
  }
  return warnings;
}

}  // namespace godwit::app
