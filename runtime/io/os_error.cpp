#include "io/os_error.h"

#include <fmt/format.h>

#include <cstdlib>
#include <system_error>

namespace godwit::io {

tl::unexpected<Error> os_error(std::string_view what, int error) {
  const std::string reason = std::error_code(std::abs(error), std::generic_category()).message();
  return fail(Code::kSocketFailed, fmt::format("{}: {}", what, reason));
}

}  // namespace godwit::io
