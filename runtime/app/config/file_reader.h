#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace godwit::app {

/// The whole text of a file, or pipe, of at most `bytes_max`. FileUnreadable names the path and the system's reason.
Result<std::string> read_text_file(const std::filesystem::path& path, uint64_t bytes_max);

}  // namespace godwit::app
