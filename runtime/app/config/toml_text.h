#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::app {

/// Something wrong at a place of a text; lines and columns count from 1.
struct Complaint {
  uint32_t line = 0;
  uint32_t column = 0;
  std::string text;
};

/// A text as far as it is TOML. toml++ gives up at the first mistake; here a line `key = value` that it cannot read is
/// complained about and left out, so that the mistakes after it are found as well.
struct TomlText {
  toml::table table;
  std::vector<Complaint> complaints;
};
TomlText parse_toml(std::string text);

/// One value, as it stands after the `=`: nothing when it is not exactly that.
std::unique_ptr<toml::node> parse_toml_value(std::string_view text);

}  // namespace godwit::app
