#pragma once

#include "port/entropy.h"
#include "quic/cid.h"

namespace godwit::quic {

/// Makes our connection ids. All have one length, because a short header does not say it. The first byte names the
/// worker (value % workers), so that the kernel can steer; the rest is unpredictable.
class CidSource {
 public:
  /// 16 bytes where peers come to us; 8 suffice on a client's own socket, and every packet to it carries them.
  static constexpr size_t kServerBytes = 16;
  static constexpr size_t kClientBytes = 8;

  CidSource(Entropy& entropy, size_t bytes, uint32_t worker_index, uint32_t worker_count)
      : entropy_(entropy), bytes_(bytes), worker_index_(worker_index), worker_count_(worker_count) {
    GW_CHECK(worker_count >= 1 && worker_count <= 256 && worker_index < worker_count);
  }

  size_t bytes() const { return bytes_; }

  void fill(MutableBytes out) {
    entropy_.fill(out);
    out[0] = steered(out[0]);
  }

  Cid next() {
    std::array<uint8_t, kServerBytes> raw;
    const MutableBytes out = MutableBytes(raw).first(bytes_);
    fill(out);
    return Cid(out);
  }

 private:
  uint8_t steered(uint8_t random) const {
    const uint32_t value = random - random % worker_count_ + worker_index_;
    return static_cast<uint8_t>(value > 255 ? value - worker_count_ : value);
  }

  Entropy& entropy_;
  size_t bytes_;
  uint32_t worker_index_;
  uint32_t worker_count_;
};

}  // namespace godwit::quic
