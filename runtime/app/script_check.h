#pragma once

#include <vector>

#include "app/config/config.h"
#include "base/error.h"

namespace godwit::app {

/// Loads every app of scripts.paths once, as the server would, and adds what is wrong to `errors`. Returns how many
/// handlers they bind together.
size_t check_scripts(const Config& config, std::vector<Error>& errors);

}  // namespace godwit::app
