#include "seeded_system.h"

#include <sys/types.h>

#include <cstdarg>
#include <cstddef>
#include <cstring>

#include "base/prng.h"

namespace {

/// No descriptor that the kernel gives out.
constexpr int kSeededDescriptor = 1 << 28;

godwit::Prng& system_random() {
  static godwit::Prng random(0);
  return random;
}

}  // namespace

namespace godwit::sim {

void seed_system(uint64_t seed) { system_random() = Prng(seed); }

}  // namespace godwit::sim

// Names that the linker gives: -Wl,--wrap=open sends callers of open to __wrap_open, and open itself is __real_open.
extern "C" {

int __real_open(const char* path, int flags, ...);
ssize_t __real_read(int descriptor, void* out, size_t bytes);
int __real_close(int descriptor);

int __wrap_open(const char* path, int flags, ...) {
  if (std::strcmp(path, "/dev/urandom") == 0) return kSeededDescriptor;
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return __real_open(path, flags, mode);
}

ssize_t __wrap_read(int descriptor, void* out, size_t bytes) {
  if (descriptor != kSeededDescriptor) return __real_read(descriptor, out, bytes);
  system_random().fill({static_cast<uint8_t*>(out), bytes});
  return static_cast<ssize_t>(bytes);
}

int __wrap_close(int descriptor) { return descriptor == kSeededDescriptor ? 0 : __real_close(descriptor); }
}
