#include "host/stack_guard.h"

#include <pthread.h>

#include <cstdint>
#include <lua.hpp>

namespace godwit::host {
namespace {

/// For what the deepest allowed level still calls: the VM, its allocator, a trace being compiled.
constexpr uintptr_t kReserve = 512 * 1024;

uintptr_t end_of_stack() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* lowest = nullptr;
  size_t bytes = 0;
  pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uintptr_t>(lowest);
}

}  // namespace

void check_stack(lua_State* state) {
  thread_local const uintptr_t limit = end_of_stack() + kReserve;
  if (reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) < limit) luaL_error(state, "C stack overflow");
}

}  // namespace godwit::host
