#include "io/line_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/os_error.h"

namespace godwit::io {
namespace {

constexpr Duration kIdleCheck = 1s;
constexpr size_t kReadBytes = 16 << 10;
constexpr int kBacklog = 16;

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    return fail(Code::kAddressInvalid, path.string() + ": a socket's path has at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

FileDescriptor make_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// A socket file outlives a server that was killed.
Status remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(Code::kSocketFailed, path.string() + ": exists and is no socket");
  const FileDescriptor probe = make_socket();
  const bool answered = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (answered || errno == EAGAIN) return fail(Code::kSocketFailed, path.string() + ": another server listens here");
  if (errno != ECONNREFUSED) return os_error("connect " + path.string(), errno);
  if (::unlink(path.c_str()) != 0) return os_error("remove " + path.string(), errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<LineServer>> LineServer::listen(Loop& loop, const std::filesystem::path& path,
                                                       const LineServerOptions& options, Log log, OnLine on_line) {
  auto server = std::unique_ptr<LineServer>(new LineServer(loop, options, log, std::move(on_line)));
  if (Status opened = server->open(path); !opened) return tl::unexpected(std::move(opened.error()));
  return server;
}

LineServer::LineServer(Loop& loop, const LineServerOptions& options, Log log, OnLine on_line)
    : loop_(loop),
      options_(options),
      log_(log),
      on_line_(std::move(on_line)),
      idle_timer_([this](Timestamp now) { close_idle(now); }),
      turn_hook_(loop, [this] { end_turn(); }) {}

LineServer::~LineServer() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status LineServer::open(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  if (Status removed = remove_stale(path, *address); !removed) return removed;
  socket_ = make_socket();
  if (!socket_) return os_error("socket", errno);
  // Before anybody can connect, so that the file is never open to others: the mode of a socket is that of its file.
  if (::fchmod(socket_.get(), S_IRUSR | S_IWUSR) != 0) return os_error("chmod " + path.string(), errno);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return os_error("bind " + path.string(), errno);
  }
  path_ = path;
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) return os_error("chmod " + path.string(), errno);
  if (::listen(socket_.get(), kBacklog) != 0) return os_error("listen " + path.string(), errno);
  auto watcher = PollWatcher::watch(loop_, socket_.get(), [this] { accept(); });
  if (!watcher) return tl::unexpected(watcher.error());
  watcher_ = std::move(*watcher);
  loop_.timers().arm(idle_timer_, loop_.now() + kIdleCheck);
  return {};
}

void LineServer::accept() {
  while (true) {
    FileDescriptor socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    admit(std::move(socket));
  }
}

void LineServer::admit(FileDescriptor socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  if (peer.uid != ::geteuid() && peer.uid != 0) {
    return log_.warn("a process of another user was turned away", {{"uid", peer.uid}, {"pid", peer.pid}});
  }
  if (connections_.size() >= options_.connections_max) {
    return log_.warn("too many connections", {{"uid", peer.uid}, {"pid", peer.pid}});
  }
  // So large that an answer goes in one piece: one that does not fit is not being read.
  const int bytes = static_cast<int>(options_.answer_bytes_max);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  const uint64_t key = ++last_key_;
  Connection& connection = connections_[key];
  connection.socket = std::move(socket);
  connection.peer = {peer.uid, peer.pid};
  connection.idle_since = loop_.now();
  watch(key, connection);
}

void LineServer::watch(uint64_t key, Connection& connection) {
  auto watcher = PollWatcher::watch(loop_, connection.socket.get(), [this, key] { read(key); });
  if (!watcher) return close(connection, watcher.error().text);
  connection.watcher = std::move(*watcher);
}

void LineServer::read(uint64_t key) {
  Connection& connection = connections_.at(key);
  if (connection.answering || connection.closed) return;
  std::string piece(kReadBytes, '\0');
  const ssize_t got = ::read(connection.socket.get(), piece.data(), piece.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    connection.closed = true;
    return;
  }
  connection.input.append(piece, 0, static_cast<size_t>(got));
}

/// Between the callbacks of a turn: watchers may go, and answers may come at once.
void LineServer::end_turn() {
  for (auto& [key, connection] : connections_) {
    if (!connection.answering && !connection.closed) go_on(key, connection);
  }
  std::erase_if(connections_, [](const auto& entry) { return entry.second.closed; });
  for (auto& [key, connection] : connections_) {
    if (connection.answering) connection.watcher.reset();
    if (!connection.answering && !connection.watcher) watch(key, connection);
  }
}

void LineServer::go_on(uint64_t key, Connection& connection) {
  const size_t end = connection.input.find('\n');
  if (std::min(end, connection.input.size()) >= options_.line_bytes_max) {
    return close(connection, "a request has too many bytes");
  }
  if (end == std::string::npos) return;
  const std::string line = connection.input.substr(0, end);
  connection.input.erase(0, end + 1);
  connection.answering = true;
  on_line_(key, connection.peer, line);
}

void LineServer::answer(uint64_t key, std::string_view line) {
  const auto found = connections_.find(key);
  if (found == connections_.end() || !found->second.answering) return;
  Connection& connection = found->second;
  connection.answering = false;
  connection.idle_since = loop_.now();
  const std::string bytes = std::string(line) + "\n";
  const ssize_t sent = ::send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) close(connection, "an answer is not being read");
}

void LineServer::close(Connection& connection, std::string_view why) {
  connection.closed = true;
  log_.warn("a connection was closed", {{"why", why}, {"uid", connection.peer.uid}, {"pid", connection.peer.pid}});
}

void LineServer::close_idle(Timestamp now) {
  for (auto& [key, connection] : connections_) {
    if (!connection.answering && now - connection.idle_since >= options_.idle_max) connection.closed = true;
  }
  loop_.timers().arm(idle_timer_, now + kIdleCheck);
}

}  // namespace godwit::io
