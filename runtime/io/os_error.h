#pragma once

#include <string_view>

#include "base/result.h"

namespace godwit::io {

/// SocketFailed with what was tried and the system's own words: "bind 127.0.0.1:80: Permission denied". Takes errno
/// values and, as libuv uses them negated, those as well.
tl::unexpected<Error> os_error(std::string_view what, int error);

}  // namespace godwit::io
