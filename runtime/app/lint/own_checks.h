#pragma once

#include <vector>

#include "app/lint/finding.h"
#include "app/lint/known_names.h"
#include "host/app.h"

namespace godwit::app {

/// What can be said about an app's files without running them: what does not parse; globals that nobody declares or
/// that are assigned by accident, according to the real compiler; names of `gw` that do not exist.
std::vector<Finding> own_checks(const host::AppSource& source, const KnownNames& names);

/// Lua with all comments and texts blanked out; every other byte stays where it is.
std::string code_only(std::string_view text);

}  // namespace godwit::app
