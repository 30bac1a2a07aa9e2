#include "quic/stateless_reply.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic/ngtcp2_types.h"
#include "quic/transport_callbacks.h"

namespace godwit::quic {
namespace {

/// RFC 9000, section 10.3: below 21 bytes a packet is never taken for a stateless reset, and one of 43 looks like any
/// small packet.
constexpr size_t kResetBytesMin = NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN;
constexpr size_t kResetBytesMax = 43;

/// A version that nobody will ever speak (RFC 9000, section 15): keeps peers from choking on unknown ones.
uint32_t greased_version(uint8_t random) {
  const uint32_t nibble = random & 0xf0u;
  return (nibble << 24 | nibble << 16 | nibble << 8 | nibble) | 0x0a0a0a0au;
}

}  // namespace

void StatelessReply::reconfigure() {
  const AdmissionConfig& config = shared_.options.admission;
  version_negotiations_ = TokenBucket(config.version_negotiations_per_s);
  refusals_ = TokenBucket(config.version_negotiations_per_s);
  resets_ = TokenBucket(config.stateless_resets_per_s);
}

bool StatelessReply::commit(const NetworkPath& path, ngtcp2_ssize bytes) {
  if (bytes <= 0) return false;
  shared_.transmitter.commit(static_cast<size_t>(bytes), path, 0);
  return true;
}

void StatelessReply::negotiate_version(const NetworkPath& path, const ngtcp2_version_cid& ids, Timestamp now) {
  Transmitter& out = shared_.transmitter;
  if (out.full() || !version_negotiations_.take(now)) return;
  uint8_t random[2];
  shared_.world.entropy.fill(random);
  const uint32_t versions[] = {greased_version(random[1]), NGTCP2_PROTO_VER_V1, NGTCP2_PROTO_VER_V2_DRAFT};
  const size_t count = shared_.options.transport.version2 ? 3 : 2;
  const MutableBytes room = out.room();
  // The ids change places: what the client calls its own is where the answer goes.
  if (commit(path, ngtcp2_pkt_write_version_negotiation(room.data(), room.size(), random[0], ids.scid, ids.scidlen,
                                                        ids.dcid, ids.dcidlen, versions, count)))
    shared_.world.metrics.version_negotiations_sent.add();
}

void StatelessReply::retry(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now) {
  Transmitter& out = shared_.transmitter;
  if (out.full()) return;
  const ngtcp2_cid scid = to_ngtcp2(shared_.cid_source.next());
  const auto& key = shared_.options.secrets.token_key;
  uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
  const ngtcp2_ssize token_bytes =
      ngtcp2_crypto_generate_retry_token(token, key.data(), key.size(), initial.version, path.remote.raw(),
                                         path.remote.length(), &scid, &initial.dcid, to_ns(now));
  if (token_bytes < 0) return;
  const MutableBytes room = out.room();
  if (commit(path, ngtcp2_crypto_write_retry(room.data(), room.size(), initial.version, &initial.scid, &scid,
                                             &initial.dcid, token, static_cast<size_t>(token_bytes))))
    shared_.world.metrics.retries_sent.add();
}

void StatelessReply::refuse(const NetworkPath& path, const ngtcp2_pkt_hd& initial, uint64_t transport_error,
                            Timestamp now) {
  Transmitter& out = shared_.transmitter;
  if (out.full() || !refusals_.take(now)) return;
  const MutableBytes room = out.room();
  commit(path, ngtcp2_crypto_write_connection_close(room.data(), room.size(), initial.version, &initial.scid,
                                                    &initial.dcid, transport_error, nullptr, 0));
}

void StatelessReply::reset(const NetworkPath& path, const ngtcp2_version_cid& ids, size_t trigger_bytes,
                           Timestamp now) {
  Transmitter& out = shared_.transmitter;
  if (trigger_bytes <= kResetBytesMin || out.full() || !resets_.take(now)) return;
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, ids.dcid, ids.dcidlen);
  uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
  stateless_reset_token(shared_.options.secrets, cid, token);
  uint8_t random[kResetBytesMax];
  const size_t random_bytes = std::min(trigger_bytes - 1, kResetBytesMax) - sizeof token;
  shared_.world.entropy.fill(MutableBytes(random).first(random_bytes));
  const MutableBytes room = out.room();
  if (commit(path, ngtcp2_pkt_write_stateless_reset(room.data(), room.size(), token, random, random_bytes)))
    shared_.world.metrics.stateless_resets_sent.add();
}

StatelessReply::Token StatelessReply::check_token(const NetworkPath& path, const ngtcp2_pkt_hd& initial, Timestamp now,
                                                  Cid& before_retry) const {
  const ngtcp2_vec& token = initial.token;
  if (token.len == 0 || token.base[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) return Token::kNone;
  const auto& key = shared_.options.secrets.token_key;
  const auto lifetime = static_cast<ngtcp2_duration>(shared_.options.admission.retry_token_lifetime.count());
  ngtcp2_cid first;
  if (ngtcp2_crypto_verify_retry_token(&first, token.base, token.len, key.data(), key.size(), initial.version,
                                       path.remote.raw(), path.remote.length(), &initial.dcid, lifetime,
                                       to_ns(now)) != 0)
    return Token::kInvalid;
  before_retry = from_ngtcp2(first);
  return Token::kValid;
}

}  // namespace godwit::quic
