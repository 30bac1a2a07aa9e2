#include "io/system_entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace godwit::io {

void SystemEntropy::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    GW_CHECK(got > 0);  // keys made without entropy would be worse than no server
    out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace godwit::io
