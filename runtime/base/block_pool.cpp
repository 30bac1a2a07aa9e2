#include "base/block_pool.h"

#include "base/check.h"

namespace godwit {

void ReturnToPool::operator()(uint8_t* block) const { pool->put_back(block); }

BlockPool::~BlockPool() { GW_CHECK(taken_ == 0); }

Block BlockPool::take() {
  ++taken_;
  if (idle_.empty()) return Block(new uint8_t[block_bytes_], ReturnToPool{this});
  Block block(idle_.back().release(), ReturnToPool{this});
  idle_.pop_back();
  return block;
}

void BlockPool::put_back(uint8_t* block) {
  std::unique_ptr<uint8_t[]> owned(block);
  --taken_;
  if (idle_.size() < idle_max_) idle_.push_back(std::move(owned));
}

}  // namespace godwit
