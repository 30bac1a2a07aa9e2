#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace godwit {

class BlockPool;

struct ReturnToPool {
  BlockPool* pool = nullptr;
  void operator()(uint8_t* block) const;
};

/// One block of BlockPool::block_bytes() uninitialised bytes; goes back to its pool by itself.
using Block = std::unique_ptr<uint8_t[], ReturnToPool>;

/// Memory in blocks of one size, for queues that fill and empty all the time. Keeps up to `idle_max` returned blocks
/// for the next taker; beyond that they go back to the allocator, so a burst does not stay on the books. It does not
/// bound how many are out: the queues that take blocks have their own bounds. One worker's thread only; outlives its
/// blocks.
class BlockPool {
 public:
  /// 16 KiB: a dozen packets' worth per block, and a page-aligned size class of the allocator.
  static constexpr size_t kBlockBytes = 16 * 1024;

  explicit BlockPool(size_t idle_max, size_t block_bytes = kBlockBytes)
      : idle_max_(idle_max), block_bytes_(block_bytes) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  Block take();

  size_t block_bytes() const { return block_bytes_; }
  size_t idle() const { return idle_.size(); }
  /// Blocks that somebody holds.
  size_t taken() const { return taken_; }

 private:
  friend struct ReturnToPool;
  void put_back(uint8_t* block);

  size_t idle_max_;
  size_t block_bytes_;
  size_t taken_ = 0;
  std::vector<std::unique_ptr<uint8_t[]>> idle_;
};

}  // namespace godwit
