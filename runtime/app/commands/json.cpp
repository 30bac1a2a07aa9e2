#include "app/commands/json.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "base/text.h"

namespace godwit::app {

void print_json(const Json& json) {
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::puts(line.c_str());
  std::fflush(stdout);
}

void put_body(Json& json, std::string_view body) {
  if (is_valid_utf8(body)) {
    json["body"] = body;
    return;
  }
  std::string hex;
  for (const char byte : body) fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(byte));
  json["body"] = nullptr;
  json["body_hex"] = hex;
}

}  // namespace godwit::app
