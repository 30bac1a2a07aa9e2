#include "host/plugin_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace godwit::host {
namespace {

namespace fs = std::filesystem;

constexpr off_t kFileBytesMax = 256 << 20;  ///< a plugin with all its libraries and debug information inside

/// Closes at the end of the scope.
struct Descriptor {
  explicit Descriptor(int fd) : number(fd) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int number;
};

tl::unexpected<Error> about(const fs::path& path, Code code, std::string_view text) {
  return fail(code, fmt::format("{}: {}", path.string(), text));
}

/// The owner and mode of a file or folder.
Status check_owner(const fs::path& path, const struct stat& facts) {
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) {
    return about(path, Code::kPluginUntrusted,
                 fmt::format("belongs to user {}, expected root or {}; chown it", facts.st_uid, ::geteuid()));
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return about(
        path, Code::kPluginUntrusted,
        fmt::format("may be written to by {} (mode {:04o}); run: chmod go-w {}",
                    facts.st_mode & S_IWOTH ? "everybody" : "its group", facts.st_mode & 07777, path.string()));
  }
  return {};
}

Status check_folder(const fs::path& folder) {
  struct stat facts;
  if (::stat(folder.c_str(), &facts) != 0) return about(folder, Code::kFileUnreadable, std::strerror(errno));
  return check_owner(folder, facts);
}

Result<std::string> read_whole(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts;
  if (file.number < 0 || ::fstat(file.number, &facts) != 0)
    return about(path, Code::kFileUnreadable, std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return about(path, Code::kPluginLoadFailed, "is no file");
  if (const Status owned = check_owner(path, facts); !owned) return tl::unexpected(owned.error());
  if (facts.st_size > kFileBytesMax)
    return about(path, Code::kPluginLoadFailed, fmt::format("is larger than {} bytes", kFileBytesMax));
  std::string bytes(static_cast<size_t>(facts.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(file.number, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return about(path, Code::kFileUnreadable, std::strerror(errno));
    if (got == 0) break;  // it became shorter; what is missing shows when the image is looked at
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

Result<PluginFile> read_plugin(const fs::path& path, HostAbi host) {
  std::error_code error;
  PluginFile file{.path = fs::canonical(path, error)};
  if (error) return about(path, Code::kFileUnreadable, error.message());
  if (const Status owned = check_folder(file.path.parent_path()); !owned) return tl::unexpected(owned.error());
  auto bytes = read_whole(file.path);
  if (!bytes) return tl::unexpected(std::move(bytes.error()));
  file.bytes = std::move(*bytes);
  auto info = inspect_plugin(as_bytes(file.bytes), host);
  if (!info) return about(path, info.error().code, info.error().text);
  file.info = std::move(*info);
  file.digest = sha256(as_bytes(file.bytes));
  return file;
}

Result<std::vector<fs::path>> find_plugins(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return std::vector{path};
  std::vector<fs::path> found;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().extension() == ".so" && fs::is_regular_file(entry->path(), ignored))
      found.push_back(entry->path());
  }
  if (error) return about(path, Code::kFileUnreadable, error.message());
  std::sort(found.begin(), found.end());
  return found;
}

Status check_pin(const PluginFile& file, const std::optional<Sha256>& pinned) {
  if (!pinned || *pinned == file.digest) return {};
  return about(file.path, Code::kPluginUntrusted,
               fmt::format("has sha256 {}, plugins.{}.sha256 says {}; if the new file is the right one, put its digest "
                           "there",
                           to_hex(file.digest), file.info.name, to_hex(*pinned)));
}

}  // namespace godwit::host
