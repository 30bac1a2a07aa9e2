#include "app/kept_keys.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "app/config/secret_file.h"

namespace godwit::app {
namespace {

constexpr int64_t kRotationUs = std::chrono::duration_cast<std::chrono::microseconds>(KeptKeys::kRotation).count();

Status write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0) return fail(Code::kFileUnreadable, std::strerror(errno));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return ::fsync(file) == 0 ? Status() : fail(Code::kFileUnreadable, std::strerror(errno));
}

}  // namespace

/// The first line is when the newest key was made, in microseconds since 1970.
Result<Duration> KeptKeys::open(int64_t unix_us) {
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) {
    return save(unix_us).map([] { return kRotation; });
  }
  const auto text = read_secret_file(file_);
  if (!text) return tl::unexpected(text.error());
  int64_t made = 0;
  const auto [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), made);
  const size_t line = static_cast<size_t>(end - text->data()) + 1;
  const Status restored = wrong == std::errc() && line <= text->size()
                              ? ring_.restore(std::string_view(*text).substr(line))
                              : fail(Code::kFileUnreadable, "no time");
  if (!restored) return fail(Code::kFileUnreadable, file_.string() + ": " + restored.error().text);
  const int64_t late = std::min<int64_t>((unix_us - made) / kRotationUs, quic::KeyRing::kKeysMax);
  for (int64_t i = 0; i < late; ++i) {
    if (const Status rotated = rotate(unix_us); !rotated) return tl::unexpected(rotated.error());
  }
  return late > 0 ? kRotation : std::chrono::microseconds(kRotationUs - std::max<int64_t>(unix_us - made, 0));
}

Status KeptKeys::rotate(int64_t unix_us) {
  ring_.rotate();
  return save(unix_us);
}

/// A new file takes the place of the old one whole.
Status KeptKeys::save(int64_t made_unix_us) const {
  const std::filesystem::path fresh = file_.string() + ".new";
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(Code::kFileUnreadable, fresh.string() + ": " + std::strerror(errno));
  const Status written = write_all(file, fmt::format("{}\n{}", made_unix_us, ring_.text()));
  ::close(file);
  if (written) std::filesystem::rename(fresh, file_, error);
  if (written && !error) return {};
  return fail(Code::kFileUnreadable, file_.string() + ": " + (written ? error.message() : written.error().text));
}

}  // namespace godwit::app
