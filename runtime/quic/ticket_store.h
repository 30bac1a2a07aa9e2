#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

struct WOLFSSL;
struct WOLFSSL_SESSION;

namespace godwit::quic {

/// What a client needs to begin its next handshake with a server by a ticket instead of a certificate.
struct KeptTicket {
  struct Free {
    void operator()(WOLFSSL_SESSION* session) const;
  };
  std::unique_ptr<WOLFSSL_SESSION, Free> session;
  std::string peer_name;  ///< from the certificate that was verified when it was given
};

/// The tickets of a client, by the name under which it verified the server: one each, used once, in memory only. From
/// any thread.
class TicketStore {
 public:
  static constexpr size_t kServersMax = 64;  ///< another one takes the place of one of them

  void put(const std::string& server_name, KeptTicket ticket);
  std::optional<KeptTicket> take(const std::string& server_name);

 private:
  std::mutex mutex_;
  std::map<std::string, KeptTicket> tickets_;
};

}  // namespace godwit::quic
