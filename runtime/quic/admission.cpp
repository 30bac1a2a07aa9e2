#include "quic/admission.h"

namespace godwit::quic {

Admission::Verdict Admission::judge(const SocketAddress& remote, bool address_proven, size_t connections) const {
  if (stopped_ || connections >= config_.connections_max || half_open_ >= config_.half_open_max)
    return Verdict::kRefuse;
  const auto same_prefix = by_prefix_.find(prefix_of(remote));
  if (same_prefix != by_prefix_.end() && same_prefix->second >= config_.half_open_per_prefix_max)
    return Verdict::kRefuse;
  if (half_open_ >= config_.half_open_retry && !address_proven) return Verdict::kProveAddress;
  return Verdict::kAccept;
}

Admission::HalfOpen Admission::enter(const SocketAddress& remote) {
  const uint64_t prefix = prefix_of(remote);
  ++half_open_;
  if (prefix != 0) ++by_prefix_[prefix];
  return {*this, prefix};
}

void Admission::leave(uint64_t prefix) {
  --half_open_;
  const auto found = by_prefix_.find(prefix);
  if (found == by_prefix_.end()) return;
  if (--found.value() == 0) by_prefix_.erase(found);
}

}  // namespace godwit::quic
