#pragma once

#include <string>

namespace godwit::app {

/// Something that works, and not as well as it should.
struct Warning {
  std::string text;    ///< what, with the figures
  std::string advice;  ///< what mends it
};

}  // namespace godwit::app
