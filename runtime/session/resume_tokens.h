#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "port/clock.h"
#include "port/sealer.h"

namespace godwit::session {

/// What a client shows to get its session back. Each resume starts a new epoch of the session and brings a new proof,
/// so a proof serves once.
struct ResumeProof {
  uint64_t session = 0;
  uint32_t epoch = 0;
  int64_t born_unix_us = 0;  ///< when the session began: another process may give its id to another one
};

/// Makes and reads resume tokens: sealed text that is good for one client id, one session and one epoch, for at most
/// two days. The server's wall clock may jump by less than that without harm.
class ResumeTokens {
 public:
  static constexpr Duration kLifetime = 48h;  ///< those of a connection that lives longer are renewed every day

  ResumeTokens(Sealer& sealer, const Clock& clock) : sealer_(sealer), clock_(clock) {}

  std::string make(const ResumeProof& proof, std::string_view client_id);
  /// nullopt for whatever is not a token of this server, for this client, and young enough.
  std::optional<ResumeProof> read(std::string_view token, std::string_view client_id) const;
  uint32_t generation() const { return sealer_.generation(); }

 private:
  Sealer& sealer_;
  const Clock& clock_;
};

}  // namespace godwit::session
