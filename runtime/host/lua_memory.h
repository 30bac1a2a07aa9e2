#pragma once

#include <cstddef>
#include <cstdlib>

namespace godwit::host {

/// Counts a VM's memory and refuses growth beyond its limit, which the script sees as "not enough memory". The memory
/// itself is the process's: LuaJIT's own arena would map and unmap every string of 128 KiB and more, page by page,
/// which for bodies of a megabyte costs more than all the rest of the message.
class LuaMemory {
 public:
  /// What the host may use beyond the limit, so that it can describe the failure of a script that used it all up.
  static constexpr size_t kReserveBytes = 256 * 1024;

  void* resize(void* block, size_t old_bytes, size_t new_bytes) {
    if (new_bytes > old_bytes && used_ + (new_bytes - old_bytes) > limit_) return nullptr;
    if (new_bytes == 0) {
      std::free(block);
      used_ -= old_bytes;
      return nullptr;
    }
    void* moved = std::realloc(block, new_bytes);
    if (moved) used_ += new_bytes - old_bytes;
    return moved;
  }

  void set_limit(size_t bytes) { limit_ = bytes; }
  size_t limit() const { return limit_; }
  size_t used() const { return used_; }

 private:
  size_t used_ = 0;
  size_t limit_ = ~size_t{0};
};

}  // namespace godwit::host
