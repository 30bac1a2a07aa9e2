#pragma once

#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/unit_files.h"
#include "base/error.h"

namespace godwit::app {

struct ScriptCheck {
  size_t handlers = 0;  ///< that all apps bind together
  std::vector<Error> errors;
  std::vector<std::string> warnings;  ///< handlers that no message reaches, sections about nobody
};

/// A sentence for each [app.NAME] and [plugins.NAME] that is about none of these.
std::vector<std::string> sections_of_nobody(const Config& config, const std::vector<UnitRead>& units);

/// Loads every app of scripts.paths once, as the server would.
ScriptCheck check_scripts(const Config& config);

}  // namespace godwit::app
