#pragma once

#include <filesystem>
#include <string>

#include "app/commands/exit_code.h"
#include "base/time.h"
#include "client/client_loop.h"
#include "client/remote.h"

namespace CLI {
class App;
}

namespace godwit::app {

/// What every verb that talks to a server asks for: where it is, who we are, and whom to trust.
struct ConnectOptions {
  client::HostAndPort address;
  client::Credentials credentials;  ///< an empty client id: one is made up
  std::filesystem::path token_file;
  std::filesystem::path ca_file;
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  bool insecure = false;
  bool verbose = false;
  Duration timeout = 5s;

  /// Adds ADDR and the flags; `timeout_help` says what --timeout covers.
  void add_to(CLI::App& verb, const std::string& timeout_help);

  /// Reads the token file, makes up a client id, warns about --insecure.
  Status complete();
  quic::TlsClientConfig tls() const;
};

}  // namespace godwit::app
