#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace godwit::io {

/// Asks a LineServer one thing and waits for the answer. ConnectTimeout when nobody listens at `path`, Forbidden when
/// the socket is another user's, ConnectionLost when the server hangs up instead, DeadlineExceeded after `timeout`.
Result<std::string> ask_line(const std::filesystem::path& path, std::string_view line, Duration timeout);

}  // namespace godwit::io
