#include "counted_memory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GODWIT_COUNTS_MEMORY 0
#else
#define GODWIT_COUNTS_MEMORY 1
#endif

namespace godwit::wire {

namespace {
Allocations total;
}  // namespace

Allocations allocations() { return total; }
bool is_counting() { return GODWIT_COUNTS_MEMORY; }

}  // namespace godwit::wire

#if GODWIT_COUNTS_MEMORY
// The C library lets a program put its own functions in front; operator new ends in malloc as well.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);

static void count(size_t bytes) {
  ++godwit::wire::total.count;
  godwit::wire::total.bytes += bytes;
}

void* malloc(size_t bytes) {
  count(bytes);
  return __libc_malloc(bytes);
}
void* calloc(size_t number, size_t bytes) {
  count(number * bytes);
  return __libc_calloc(number, bytes);
}
void* realloc(void* memory, size_t bytes) {
  count(bytes);
  return __libc_realloc(memory, bytes);
}
}
#endif
