#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/block_pool.h"
#include "base/time.h"
#include "session/link.h"
#include "wire/message.h"

namespace godwit::session {

/// Where a message lies on its shelf. Given back by `MessageShelf::drop`.
class KeptMessage {
 public:
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class MessageShelf;
  const uint8_t* data_ = nullptr;
  std::unique_ptr<uint8_t[]> alone_;  ///< holds what no block has room for, or
  uint64_t block_ = 0;                ///< does, counted from 1
  SharedBody body_;                   ///< a large body, which the connection may be sending too
};

/// Messages that were sent and may have to be sent again: small ones packed behind each other in pooled blocks, so that
/// keeping them costs a copy and no allocation. Empty, it holds no memory.
class MessageShelf {
 public:
  explicit MessageShelf(BlockPool& blocks) : pool_(&blocks) {}

  /// `body` is copied unless it is what `shared` holds.
  KeptMessage put(const wire::Envelope& envelope, Bytes body, const SharedBody& shared, Timestamp now);
  void drop(KeptMessage& message);

  /// The views are valid until the message is dropped, its headers until the next call. Its number is not kept.
  struct View {
    wire::Envelope envelope;
    Bytes body;
    Timestamp kept_at;
  };
  View read(const KeptMessage& message);
  static const SharedBody& shared_body(const KeptMessage& message) { return message.body_; }

  size_t blocks() const { return blocks_.size(); }

 private:
  struct Shared {
    Block block;
    size_t messages = 0;
  };
  uint8_t* room(size_t bytes, KeptMessage& message);

  BlockPool* pool_;
  std::deque<Shared> blocks_;  ///< numbers first_, first_ + 1, …; in the middle some may be gone
  uint64_t first_ = 1;
  size_t used_ = 0;  ///< of the newest
  std::vector<wire::Header> headers_;
};

}  // namespace godwit::session
