#include "io/line_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "io/file_descriptor.h"
#include "io/os_error.h"
#include "io/system_clock.h"

namespace godwit::io {
namespace {

constexpr size_t kAnswerBytesMax = 4 << 20;

Status connect(const FileDescriptor& socket, const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) return fail(Code::kAddressInvalid, path.string() + ": too long");
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
  const std::string reason =
      fmt::format("{}: {}", path.string(), nobody ? "no server runs with this data folder" : std::strerror(errno));
  return fail(errno == EACCES || errno == EPERM ? Code::kForbidden : Code::kConnectTimeout, reason);
}

/// No single wait takes longer than until the deadline.
bool limit_waits(const FileDescriptor& socket, Duration left) {
  if (left <= Duration::zero()) return false;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(left).count() + 1;
  const timeval limit{static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return true;
}

Status send(const FileDescriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return fail(Code::kConnectionLost, "the server does not take the request");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

}  // namespace

Result<std::string> ask_line(const std::filesystem::path& path, std::string_view line, Duration timeout) {
  const Timestamp deadline = monotonic_now() + timeout;
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return os_error("socket", errno);
  limit_waits(socket, timeout);
  if (Status connected = connect(socket, path); !connected) return tl::unexpected(std::move(connected.error()));
  if (Status sent = send(socket, std::string(line) + "\n"); !sent) return tl::unexpected(std::move(sent.error()));
  std::string answer;
  while (answer.size() < kAnswerBytesMax && limit_waits(socket, deadline - monotonic_now())) {
    char piece[16 << 10];
    const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
      return fail(Code::kConnectionLost, "the server closed the connection without an answer; its log says why");
    }
    if (got < 0) continue;
    answer.append(piece, static_cast<size_t>(got));
    if (answer.ends_with('\n')) return answer.substr(0, answer.size() - 1);
  }
  return fail(Code::kDeadlineExceeded, "no answer in time; what was asked for may still happen");
}

}  // namespace godwit::io
