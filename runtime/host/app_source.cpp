#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "host/spec.h"

namespace godwit::host {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFilesMax = 256;      ///< more is not an app, but a folder given by mistake
constexpr size_t kNameBytesMax = 64;   ///< of an app: it stands in every log line and metric label
constexpr size_t kPathBytesMax = 180;  ///< of a file: it stands in every error message

tl::unexpected<Error> unreadable(const std::string& where, std::string_view what) {
  return fail(Code::kScriptLoadFailed, fmt::format("{}: {}", where, what));
}

/// FNV-1a: two texts that a person could write one after the other do not collide, and nobody gains by making them.
uint64_t hash_on(uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return (hash ^ 0xff) * 0x100000001b3u;
}

Status check_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= kNameBytesMax && std::all_of(name.begin(), name.end(), allowed)) return {};
  return unreadable(std::string(name), "an app's folder is named with 1 to 64 letters, digits, _ and -");
}

/// An open file that goes with its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string last_error() { return std::system_category().message(errno); }

/// Of a regular file alone: a pipe would make the server wait, and a device has no end.
Result<std::string> read_bytes(const fs::path& path, const std::string& where, size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return unreadable(where, last_error());
  if (!S_ISREG(facts.st_mode)) return unreadable(where, "is not a regular file");
  std::string bytes(bytes_max, '\0');
  size_t count = 0;
  while (count < bytes.size()) {
    const ssize_t more = ::read(file.get(), bytes.data() + count, bytes.size() - count);
    if (more < 0) return unreadable(where, last_error());
    if (more == 0) break;
    count += static_cast<size_t>(more);
  }
  bytes.resize(count);
  return bytes;
}

Result<std::string> read_text(const fs::path& path, const std::string& where, size_t bytes_max) {
  auto text = read_bytes(path, where, bytes_max + 1);
  if (!text) return text;
  if (text->size() > bytes_max) return unreadable(where, fmt::format("is larger than {} bytes", bytes_max));
  if (text->starts_with('\x1b')) return unreadable(where, "is bytecode; only Lua source is loaded");
  return text;
}

enum class Specs : uint8_t { kLeftOut, kRead };

Result<std::vector<std::string>> list_files(const fs::path& folder, const std::string& name, Specs specs) {
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const bool hidden = entry->path().filename().native().starts_with('.');
    const bool left_out =
        hidden || (specs == Specs::kLeftOut && entry.depth() == 0 && entry->path().filename() == "spec");
    std::error_code ignored;  // links may lead nowhere, or in circles
    if (left_out && entry->is_directory(ignored)) entry.disable_recursion_pending();
    if (hidden || entry->path().extension() != ".lua" || !entry->is_regular_file(ignored)) continue;
    paths.push_back(entry->path().lexically_relative(folder).generic_string());
    if (paths.back().size() > kPathBytesMax) return unreadable(name + "/" + paths.back(), "has too long a path");
    if (paths.size() > kFilesMax) return unreadable(name, fmt::format("has more than {} files", kFilesMax));
  }
  if (error) return unreadable(name, error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// What bears the name of a main file; `none` where nobody can tell.
fs::file_type main_of(const fs::path& folder) {
  std::error_code ignored;
  return fs::symlink_status(folder / "main.lua", ignored).type();
}

Result<AppSource> read_files(const fs::path& folder, const AppLimits& limits, Specs specs) {
  AppSource source;
  source.folder = fs::absolute(folder).lexically_normal();
  if (!source.folder.has_filename()) source.folder = source.folder.parent_path();
  source.name = source.folder.filename().string();
  if (const Status named = check_name(source.name); !named) return tl::unexpected(named.error());
  auto paths = list_files(source.folder, source.name, specs);
  if (!paths) return tl::unexpected(paths.error());
  if (!std::binary_search(paths->begin(), paths->end(), "main.lua")) {
    return unreadable(source.name + "/main.lua",
                      main_of(source.folder) == fs::file_type::not_found ? "does not exist" : "is not a regular file");
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::string& path : *paths) {
    auto text = read_text(source.folder / path, source.name + "/" + path, limits.source_bytes_max);
    if (!text) return tl::unexpected(text.error());
    // An editor that saves by truncating first shows an empty file for a moment.
    if (path == "main.lua" && text->find_first_not_of(" \t\r\n") == text->npos) {
      return unreadable(source.name + "/main.lua", "is empty");
    }
    hash = hash_on(hash_on(hash, path), *text);
    source.files.push_back({std::move(path), std::move(*text)});
  }
  source.hash = hash;
  return source;
}

}  // namespace

Result<AppSource> read_app(const fs::path& folder, const AppLimits& limits) {
  return read_files(folder, limits, Specs::kLeftOut);
}

Result<AppSource> read_app_with_specs(const fs::path& folder, const AppLimits& limits) {
  return read_files(folder, limits, Specs::kRead);
}

Result<std::vector<fs::path>> find_apps(const fs::path& path) {
  std::error_code error;
  const fs::file_type own = main_of(path);
  if (own != fs::file_type::not_found && own != fs::file_type::none) return std::vector{path};
  std::vector<fs::path> apps;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    // Also where nobody can tell: what is damaged is an app that cannot be read, and not one that was removed.
    if (main_of(entry->path()) != fs::file_type::not_found) apps.push_back(entry->path());
  }
  if (error) return fail(Code::kFileUnreadable, fmt::format("{}: {}", path.string(), error.message()));
  std::sort(apps.begin(), apps.end());
  return apps;
}

}  // namespace godwit::host
