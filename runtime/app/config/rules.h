#pragma once

#include <string>
#include <vector>

#include "app/config/key.h"

namespace godwit::app {

/// Keys that are each in range and still do not fit together.
struct Violation {
  std::vector<const Key*> keys;  ///< the one to change first, then those it contradicts
  std::string text;
};
std::vector<Violation> check_rules_of(const Config& config);

}  // namespace godwit::app
