#pragma once

#include <tl/expected.hpp>

#include "base/error.h"

namespace godwit {

/// A value, or the reason why there is none. The direct caller handles it or passes it on untouched.
template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string text = {}) {
  return tl::unexpected<Error>(Error{code, std::move(text)});
}

}  // namespace godwit
