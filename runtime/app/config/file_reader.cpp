#include "app/config/file_reader.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace godwit::app {
namespace {

tl::unexpected<Error> unreadable(const std::filesystem::path& path, std::string_view reason) {
  return fail(Code::kFileUnreadable, fmt::format("{}: {}", path.string(), reason));
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, uint64_t bytes_max) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return unreadable(path, error ? error.message() : std::strerror(ENOENT));
  // A pipe such as /dev/stdin is welcome; opening a folder would succeed and reading it say nothing.
  if (std::filesystem::is_directory(status)) return unreadable(path, std::strerror(EISDIR));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(path, std::strerror(errno));
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return unreadable(path, std::strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > bytes_max) return unreadable(path, fmt::format("larger than {} bytes", bytes_max));
  return text;
}

}  // namespace godwit::app
