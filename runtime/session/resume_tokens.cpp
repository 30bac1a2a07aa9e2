#include "session/resume_tokens.h"

#include <array>
#include <cstring>

#include "base/hex.h"
#include "base/planted.h"

namespace godwit::session {
namespace {

struct Content {
  uint64_t session;
  int64_t expires_unix_us;
  uint32_t epoch;
  int64_t born_unix_us;
};
constexpr size_t kContentBytes = 28;  // without padding

std::array<uint8_t, kContentBytes> pack(const Content& content) {
  std::array<uint8_t, kContentBytes> bytes;
  std::memcpy(bytes.data(), &content.session, 8);
  std::memcpy(bytes.data() + 8, &content.expires_unix_us, 8);
  std::memcpy(bytes.data() + 16, &content.epoch, 4);
  std::memcpy(bytes.data() + 20, &content.born_unix_us, 8);
  return bytes;
}

std::optional<Content> unpack(Bytes bytes) {
  if (bytes.size() != kContentBytes) return std::nullopt;
  Content content;
  std::memcpy(&content.session, bytes.data(), 8);
  std::memcpy(&content.expires_unix_us, bytes.data() + 8, 8);
  std::memcpy(&content.epoch, bytes.data() + 16, 4);
  std::memcpy(&content.born_unix_us, bytes.data() + 20, 8);
  return content;
}

/// So that no other kind of token of the same keys, and none of another client, is taken for this.
std::string about(std::string_view client_id) {
  return "resume " + (planted(Fault::kTokenOfAnybody) ? std::string() : std::string(client_id));
}

}  // namespace

std::string ResumeTokens::make(const ResumeProof& proof, std::string_view client_id) {
  const int64_t lifetime_us = std::chrono::duration_cast<std::chrono::microseconds>(kLifetime).count();
  const auto content = pack({proof.session, clock_.unix_us() + lifetime_us, proof.epoch, proof.born_unix_us});
  return to_hex(sealer_.seal(content, as_bytes(about(client_id))));
}

std::optional<ResumeProof> ResumeTokens::read(std::string_view token, std::string_view client_id) const {
  const auto sealed = from_hex(token);
  if (!sealed) return std::nullopt;
  const auto opened = sealer_.open(*sealed, as_bytes(about(client_id)));
  const auto content = opened ? unpack(*opened) : std::nullopt;
  if (!content || clock_.unix_us() >= content->expires_unix_us) return std::nullopt;
  return ResumeProof{content->session, content->epoch, content->born_unix_us};
}

}  // namespace godwit::session
