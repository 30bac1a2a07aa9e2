#pragma once

#include <lua.hpp>

#include <cstddef>

namespace godwit::host {

/// Counts a VM's memory and refuses growth beyond its limit, which the script sees as "not enough memory". The memory
/// itself comes from the allocator that LuaJIT made for this VM, so that closing gives all of it back at once.
class LuaMemory {
 public:
  /// What the host may use beyond the limit, so that it can describe the failure of a script that used it all up.
  static constexpr size_t kReserveBytes = 256 * 1024;

  void* resize(void* block, size_t old_bytes, size_t new_bytes) {
    if (new_bytes > old_bytes && used_ + (new_bytes - old_bytes) > limit_) return nullptr;
    void* moved = inner_(inner_self_, block, old_bytes, new_bytes);
    if (moved || new_bytes == 0) used_ += new_bytes - old_bytes;
    return moved;
  }

  void set_inner(lua_Alloc inner, void* self, size_t used_bytes) {
    inner_ = inner;
    inner_self_ = self;
    used_ = used_bytes;
  }
  void restore_inner(lua_State* vm) const { lua_setallocf(vm, inner_, inner_self_); }

  void set_limit(size_t bytes) { limit_ = bytes; }
  size_t limit() const { return limit_; }
  size_t used() const { return used_; }

 private:
  lua_Alloc inner_ = nullptr;
  void* inner_self_ = nullptr;
  size_t used_ = 0;
  size_t limit_ = ~size_t{0};
};

}  // namespace godwit::host
