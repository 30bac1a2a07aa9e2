#include "app/commands/connect_options.h"

#include <fstream>

#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "base/limits.h"
#include "client/client_id.h"
#include "io/system_entropy.h"

namespace godwit::app {
namespace {

/// Reads no further than a token can reach: the file may have no end.
Result<std::string> read_token(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string token(limits::kTokenBytesMax + 2, '\0');
  file.getline(token.data(), static_cast<std::streamsize>(token.size()));
  const size_t end_of_line = file.good() ? 1 : 0;  // it was taken as well
  token.resize(static_cast<size_t>(file.gcount()) - end_of_line);
  if (file.fail() || token.size() > limits::kTokenBytesMax)
    return fail(Code::kFileUnreadable, "--token-file " + path.string() + ": the first line must be the token");
  return token;
}

}  // namespace

void ConnectOptions::add_to(CLI::App& verb, const std::string& timeout_help) {
  add_parsed(verb, "ADDR", "the server, as HOST:PORT", client::HostAndPort::parse, address)->required();
  add_duration(verb, "--timeout", timeout_help, timeout);
  verb.add_option("--client-id", credentials.client_id, "who this client says it is (default: a random name)");
  verb.add_option("--uid", credentials.uid, "the user it belongs to");
  CLI::Option* token = verb.add_option("--token", credentials.token, "proof of that; visible to others in `ps`");
  verb.add_option("--token-file", token_file, "a file whose first line is the token")->excludes(token);
  CLI::Option* ca = verb.add_option("--ca", ca_file, "PEM file of whom to trust (default: the system's list)");
  verb.add_flag("--insecure", insecure, "believe any server: for a test server of your own only")->excludes(ca);
  CLI::Option* cert =
      verb.add_option("--cert", certificate_file, "PEM chain of this client, where the server asks for one");
  CLI::Option* key = verb.add_option("--key", key_file, "PEM key that belongs to it")->needs(cert);
  cert->needs(key);
  verb.add_flag("--verbose", verbose, "print what the connection does on stderr");
}

Status ConnectOptions::complete() {
  if (insecure) print_warning("--insecure: the server's certificate is not checked; anybody could be answering");
  io::SystemEntropy entropy;
  if (credentials.client_id.empty()) credentials.client_id = client::make_client_id("godwit-cli", entropy);
  if (token_file.empty()) return {};
  return read_token(token_file).map([&](std::string token) { credentials.token = std::move(token); });
}

quic::TlsClientConfig ConnectOptions::tls() const {
  return {.verify = !insecure, .ca_file = ca_file, .certificate_file = certificate_file, .key_file = key_file};
}

}  // namespace godwit::app
