#include "app/config/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "app/config/file_reader.h"

namespace godwit::app {
namespace {

constexpr uint64_t kFileBytesMax = 4 << 20;

/// Owner and group may read, the owner may write.
constexpr mode_t kModeAllowed = 0640;

}  // namespace

Result<std::string> read_secret_file(const std::filesystem::path& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return fail(Code::kFileUnreadable, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  }
  const mode_t mode = facts.st_mode & 0777;
  if ((mode & ~kModeAllowed) != 0) {
    return fail(Code::kConfigInvalid,
                fmt::format("{0}: mode {1:04o} lets others at the tokens, expected 0600 or 0640: chmod 0600 {0}",
                            path.string(), static_cast<unsigned>(mode)));
  }
  return read_text_file(path, kFileBytesMax);
}

}  // namespace godwit::app
