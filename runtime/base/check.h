#pragma once

#include <cstdio>
#include <cstdlib>

namespace godwit {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "godwit: internal check failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace godwit

/// Always on. Guards our own mistakes only: nothing a peer, script or operator sends may reach one.
#define GW_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::godwit::check_failed(#condition, __FILE__, __LINE__))
