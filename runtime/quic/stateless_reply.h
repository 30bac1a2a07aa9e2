#pragma once

#include <ngtcp2/ngtcp2.h>

#include "quic/cid.h"
#include "quic/endpoint_shared.h"
#include "quic/token_bucket.h"

namespace godwit::quic {

/// Answers that need no connection: version negotiation, Retry, refusal, stateless reset. Each is bounded in rate or by
/// the size of what it answers, so that a forged source address gains nothing. What finds no room in the transmitter is
/// dropped.
class StatelessReply {
 public:
  explicit StatelessReply(EndpointShared& shared) : shared_(shared) { reconfigure(); }

  /// Takes over the rates of the options.
  void reconfigure();

  void negotiate_version(const NetworkPath& path, const ngtcp2_version_cid& ids, Timestamp now);
  void retry(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now);
  void refuse(const NetworkPath& path, const ngtcp2_pkt_hd& initial, uint64_t transport_error, Timestamp now);
  /// Always shorter than the packet it answers, so that two endpoints cannot play ball (RFC 9000, section 10.3.3).
  void reset(const NetworkPath& path, const ngtcp2_version_cid& ids, size_t trigger_bytes, Timestamp now);

  enum class Token : uint8_t { kNone, kValid, kInvalid };
  /// The token of an Initial packet. Valid: `before_retry` is the first destination id. Tokens that are not from a
  /// Retry count as none.
  Token check_token(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now, Cid& before_retry) const;

 private:
  bool commit(const NetworkPath& path, ngtcp2_ssize bytes);

  EndpointShared& shared_;
  TokenBucket version_negotiations_{0};
  TokenBucket refusals_{0};
  TokenBucket resets_{0};
};

}  // namespace godwit::quic
