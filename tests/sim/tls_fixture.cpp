#include "tls_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace godwit::sim {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "godwit-sim-XXXXXX").string();
    if (const char* made = mkdtemp(pattern.data())) path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

Result<TlsFixture> TlsFixture::make(int64_t unix_us) {
  const TemporaryFolder folder;
  const auto certificate = folder.path() / "certificate.pem", key = folder.path() / "key.pem";
  if (const Status written = quic::write_self_signed(certificate, key, unix_us); !written) {
    return tl::unexpected(written.error());
  }
  auto server = quic::load_tls_server({.certificate_file = certificate, .key_file = key}, unix_us);
  if (!server) return tl::unexpected(server.error());
  // The library compares dates with the machine's clock, which is not the virtual one.
  auto client = quic::load_tls_client({.verify = false});
  if (!client) return tl::unexpected(client.error());
  return TlsFixture{std::move(*server), std::move(*client)};
}

}  // namespace godwit::sim
