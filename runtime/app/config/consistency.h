#pragma once

#include <vector>

#include "app/config/config.h"
#include "app/config/warning.h"

namespace godwit::app {

/// Settings that are valid, each by itself, and contradict each other.
std::vector<Warning> check_consistency(const Config& config);

}  // namespace godwit::app
