#pragma once

#include <cstddef>
#include <cstdlib>

namespace godwit::host {

/// Counts a VM's memory and refuses growth beyond its limit, which the script sees as "not enough memory". The memory
/// itself is the process's: LuaJIT's own arena would map and unmap every string of 128 KiB and more, page by page,
/// which for bodies of a megabyte costs more than all the rest of the message.
///
/// Only large requests are refused on the spot. Small ones are granted for a while beyond the limit, and the VM ends
/// the script at its next instruction: LuaJIT itself needs memory to leave compiled code, and crashes when that is
/// refused.
class LuaMemory {
 public:
  /// Larger than all that LuaJIT needs to get out of compiled code, a deep stack included.
  static constexpr size_t kRefusedFromBytes = 256 * 1024;
  /// What small requests may take together beyond the limit: more than compiled code can ask for between two looks at
  /// the hook.
  static constexpr size_t kOverdraftBytesMax = 64 << 20;

  explicit LuaMemory(size_t limit_bytes) : limit_(limit_bytes) {}

  void* resize(void* block, size_t old_bytes, size_t new_bytes) {
    if (new_bytes > old_bytes && !may_grow(new_bytes - old_bytes)) return nullptr;
    if (new_bytes == 0) {
      std::free(block);
      used_ -= old_bytes;
      return nullptr;
    }
    void* moved = std::realloc(block, new_bytes);
    if (moved) used_ += new_bytes - old_bytes;
    return moved;
  }

  size_t limit() const { return limit_; }
  size_t used() const { return used_; }
  bool overdrawn() const { return used_ > limit_; }

 private:
  bool may_grow(size_t bytes) const {
    const size_t after = used_ + bytes;
    return after <= limit_ || (bytes < kRefusedFromBytes && after <= limit_ + kOverdraftBytesMax);
  }

  const size_t limit_;
  size_t used_ = 0;
};

}  // namespace godwit::host
