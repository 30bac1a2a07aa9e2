#pragma once

#include <compare>
#include <string>

namespace godwit::app {

/// Something in a script that is, or very likely is, a mistake.
struct Finding {
  std::string file;  ///< within the app's folder
  int line = 0;
  int column = 0;  ///< from 1
  std::string text;

  auto operator<=>(const Finding&) const = default;
};

}  // namespace godwit::app
