#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pair.h"

namespace godwit::quic::test {

/// Seconds around now, for dates of certificates: TLS reads the real clock.
inline constexpr int64_t kDay = 24 * 3600;
int64_t real_unix_us();

struct Identity {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// A certificate authority for one test.
class Authority {
 public:
  explicit Authority(const ScratchDir& dir, std::string_view name = "test authority");
  ~Authority();

  const std::filesystem::path& file() const { return file_; }

  struct Wish {
    std::string common_name = "localhost";
    std::vector<std::string> dns = {"localhost"};
    int64_t not_before_s = -kDay;  ///< from now
    int64_t not_after_s = kDay;
  };
  Identity issue(std::string_view file_name, const Wish& wish);
  Identity issue(std::string_view file_name) { return issue(file_name, Wish()); }

 private:
  struct Keys;
  const ScratchDir& dir_;
  std::filesystem::path file_;
  std::unique_ptr<Keys> keys_;
};

}  // namespace godwit::quic::test
