#pragma once

#include <cstdlib>
#include <filesystem>

namespace godwit::testing {

/// The checkout, for tests that read files of it: what GODWIT_SOURCE_ROOT names, or the folder one stands in. It is not
/// compiled in, so that checkouts share the compiler cache.
inline std::filesystem::path source_root() {
  const char* root = std::getenv("GODWIT_SOURCE_ROOT");
  return root ? root : ".";
}

}  // namespace godwit::testing
