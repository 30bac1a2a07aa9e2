#include "quic/qlog_file.h"

#include <fmt/format.h>

namespace godwit::quic {

std::unique_ptr<QlogFile> QlogFile::create(const std::filesystem::path& dir, const Cid& original_dcid, Role role,
                                           uint64_t bytes_max) {
  std::string name;
  for (const uint8_t byte : original_dcid.bytes()) name += fmt::format("{:02x}", byte);
  name += role == Role::kServer ? "-server.sqlog" : "-client.sqlog";
  std::FILE* file = std::fopen((dir / name).c_str(), "wxe");
  return file ? std::unique_ptr<QlogFile>(new QlogFile(file, bytes_max)) : nullptr;
}

void QlogFile::write(Bytes record) {
  if (record.size() > bytes_left_) {
    bytes_left_ = 0;
    return;
  }
  bytes_left_ -= record.size();
  std::fwrite(record.data(), 1, record.size(), file_.get());
}

}  // namespace godwit::quic
