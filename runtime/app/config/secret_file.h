#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace godwit::app {

/// The text of a file of secrets, of at most 4 MiB. Refuses one that the group may write or others may read.
Result<std::string> read_secret_file(const std::filesystem::path& path);

}  // namespace godwit::app
