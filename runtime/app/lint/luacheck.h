#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "app/lint/finding.h"
#include "base/result.h"

namespace godwit::app {

/// What the program luacheck finds in an app's files; globals are left to own_checks, which asks the real compiler. A
/// .luacheckrc in the folder or above is honoured, else `config` is used. nullopt: it is not installed.
Result<std::optional<std::vector<Finding>>> run_luacheck(const std::filesystem::path& folder,
                                                         const std::vector<std::string>& files,
                                                         const std::string& config);

}  // namespace godwit::app
