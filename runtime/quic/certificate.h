#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace godwit::quic {

/// The text of a PEM file of reasonable size (1 MiB).
Result<std::string> read_pem(const std::filesystem::path& file);

/// Every certificate of the chain can be read, is inside its dates at `unix_us` (0 = dates do not matter), and is
/// issued by the one after it. `file` is named in what goes wrong.
Status check_chain(const std::string& pem, const std::filesystem::path& file, int64_t unix_us);

}  // namespace godwit::quic
