#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/bytes.h"
#include "quic/cid.h"
#include "quic/connection.h"

namespace godwit::quic {

/// What ngtcp2 says of one connection, in qlog's JSON text sequences, for qvis and the like. Buffered; stops for good
/// before the file would grow past its bound. The name is made of the connection id in hex and the role: nothing a peer
/// could abuse.
class QlogFile {
 public:
  /// Null when the file cannot be made; an existing one is not touched.
  static std::unique_ptr<QlogFile> create(const std::filesystem::path& dir, const Cid& original_dcid, Role role,
                                          uint64_t bytes_max);

  /// One whole record.
  void write(Bytes record);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  QlogFile(std::FILE* file, uint64_t bytes_max) : file_(file), bytes_left_(bytes_max) {}

  std::unique_ptr<std::FILE, Close> file_;
  uint64_t bytes_left_;
};

}  // namespace godwit::quic
