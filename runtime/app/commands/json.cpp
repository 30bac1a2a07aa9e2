#include "app/commands/json.h"

#include <cstdio>

namespace godwit::app {

void print_json(const Json& json) {
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::puts(line.c_str());
  std::fflush(stdout);
}

}  // namespace godwit::app
