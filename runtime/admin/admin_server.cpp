#include "admin/admin_server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <exception>
#include <vector>

#include "admin/listen_socket.h"
#include "admin/router.h"
#include "admin/wake_up.h"

namespace godwit::admin {
namespace {

struct DaemonDeleter {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseDeleter>;

/// Turns of the HTTP library in one call of `run`; what is left is done in the next, so that a busy scraper can not
/// hold up the loop.
constexpr int kPassesMax = 8;

MHD_Result note_host(void* context, MHD_ValueKind, const char* name, const char* value) {
  auto& request = *static_cast<HttpRequest*>(context);
  constexpr std::string_view kHost = "host";
  const std::string_view field(name);
  const bool is_host = std::ranges::equal(field, kHost, [](unsigned char a, char b) { return std::tolower(a) == b; });
  if (is_host && request.host_count++ == 0 && value != nullptr) request.host = value;
  return MHD_YES;
}

Response make_response(const HttpResponse& answer) {
  // The library copies and does not write, whatever its signature says.
  Response response(MHD_create_response_from_buffer(answer.body.size(), const_cast<char*>(answer.body.data()),
                                                    MHD_RESPMEM_MUST_COPY));
  if (response == nullptr) return response;
  const auto add = [&](const char* name, std::string_view value) {
    MHD_add_response_header(response.get(), name, std::string(value).c_str());
  };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type);
  add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  add(MHD_HTTP_HEADER_CONNECTION, "close");
  add("X-Content-Type-Options", "nosniff");
  if (answer.read_only) add(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return response;
}

}  // namespace

/// Owns the library's daemon and ends connections that take too long.
class AdminServer::Impl {
 public:
  Impl(const AdminSource& source, const Clock& clock, Log log, AdminLimits limits)
      : source_(source), clock_(clock), log_(log), limits_(limits) {}

  Status start(const SocketAddress& address);
  int fd() const { return wake_up_->fd(); }
  const SocketAddress& address() const { return address_; }
  void run();

 private:
  struct Visitor {
    MHD_Connection* connection;
    Timestamp deadline;
  };

  MHD_Result answer(MHD_Connection* connection, HttpRequest request);
  void on_connection(MHD_Connection* connection, MHD_ConnectionNotificationCode what);
  void end_overdue();
  std::optional<Duration> time_to_next() const;

  static MHD_Result answer_thunk(void* self, MHD_Connection* connection, const char* url, const char* method,
                                 const char* version, const char*, size_t*, void**);
  static void connection_thunk(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode what);
  static void log_thunk(void* self, const char* format, va_list arguments);

  const AdminSource& source_;
  const Clock& clock_;
  Log log_;
  const AdminLimits limits_;
  SocketAddress address_;
  std::vector<Visitor> visitors_;  // at most connections_max
  bool visitor_left_ = false;      // in this turn of the library
  std::optional<WakeUp> wake_up_;
  std::unique_ptr<MHD_Daemon, DaemonDeleter> daemon_;  // last: stopping it still calls back
};

Status AdminServer::Impl::start(const SocketAddress& address) {
  if (!address.is_loopback()) {
    return fail(Code::kConfigInvalid, fmt::format("{}: expected a loopback address, because the admin plane asks "
                                                  "nobody who he is",
                                                  address.to_string()));
  }
  auto socket = open_listen_socket(address, static_cast<int>(limits_.connections_max));
  if (!socket) return tl::unexpected(std::move(socket.error()));
  address_ = socket->address;
  daemon_.reset(MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (address.family() == AF_INET6 ? MHD_USE_IPv6 : 0),
                                 0, nullptr, nullptr, &answer_thunk, this,              //
                                 MHD_OPTION_EXTERNAL_LOGGER, &log_thunk, this,          // first: the others may report
                                 MHD_OPTION_LISTEN_SOCKET, socket->descriptor.get(),    //
                                 MHD_OPTION_CONNECTION_LIMIT, limits_.connections_max,  //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.head_bytes_max,  //
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,                             //
                                 MHD_OPTION_NOTIFY_CONNECTION, &connection_thunk, this, MHD_OPTION_END));
  if (daemon_ == nullptr) return fail(Code::kSocketFailed, "admin: the HTTP library does not start");
  socket->descriptor.release();  // the daemon closes it
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
  auto wake_up = WakeUp::watch(info->epoll_fd);
  if (!wake_up) return tl::unexpected(std::move(wake_up.error()));
  wake_up_ = std::move(*wake_up);
  return {};
}

void AdminServer::Impl::run() {
  end_overdue();
  bool again = true;
  for (int pass = 0; again && pass < kPassesMax; ++pass) {
    visitor_left_ = false;
    MHD_run(daemon_.get());
    // At its limit the library stops listening, and it listens again only in the turn after one has left.
    again = visitor_left_ || time_to_next() == Duration::zero();
  }
  wake_up_->set_after(again ? std::optional(Duration::zero()) : time_to_next());
}

MHD_Result AdminServer::Impl::answer(MHD_Connection* connection, HttpRequest request) {
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &note_host, &request);
  const HttpResponse answer = respond(request, limits_.path_bytes_max, source_, clock_);
  const Response response = make_response(answer);
  return response == nullptr ? MHD_NO : MHD_queue_response(connection, answer.status, response.get());
}

void AdminServer::Impl::on_connection(MHD_Connection* connection, MHD_ConnectionNotificationCode what) {
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    visitors_.push_back({connection, clock_.now() + limits_.request_time_max});
  } else {
    std::erase_if(visitors_, [&](const Visitor& visitor) { return visitor.connection == connection; });
    visitor_left_ = true;
  }
}

/// The library only knows how long a connection was silent, and one byte a second is not silence.
void AdminServer::Impl::end_overdue() {
  const Timestamp now = clock_.now();
  for (Visitor& visitor : visitors_) {
    if (visitor.deadline > now) continue;
    const auto* info = MHD_get_connection_info(visitor.connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    shutdown(info->connect_fd, SHUT_RDWR);
    visitor.deadline = kNever;
  }
}

std::optional<Duration> AdminServer::Impl::time_to_next() const {
  std::optional<Duration> next;
  MHD_UNSIGNED_LONG_LONG library_ms = 0;
  if (MHD_get_timeout(daemon_.get(), &library_ms) == MHD_YES) next = std::chrono::milliseconds(library_ms);
  for (const Visitor& visitor : visitors_) {
    if (visitor.deadline == kNever) continue;
    const Duration left = std::max(visitor.deadline - clock_.now(), Duration(1ms));
    next = std::min(next.value_or(left), left);
  }
  return next;
}

MHD_Result AdminServer::Impl::answer_thunk(void* self, MHD_Connection* connection, const char* url, const char* method,
                                           const char* version, const char*, size_t*, void**) {
  try {
    return static_cast<Impl*>(self)->answer(connection, {.method = method, .path = url, .version = version});
  } catch (const std::exception& error) {
    static_cast<Impl*>(self)->log_.error("an admin request could not be answered", {{"error", error.what()}});
    return MHD_NO;  // closes the connection
  }
}

void AdminServer::Impl::connection_thunk(void* self, MHD_Connection* connection, void**,
                                         MHD_ConnectionNotificationCode what) {
  static_cast<Impl*>(self)->on_connection(connection, what);
}

void AdminServer::Impl::log_thunk(void* self, const char* format, va_list arguments) {
  std::array<char, 256> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  static_cast<Impl*>(self)->log_.debug("the HTTP library reports", {{"text", text.data()}});
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

Result<std::unique_ptr<AdminServer>> AdminServer::start(const SocketAddress& address, const AdminSource& source,
                                                        const Clock& clock, Log log, AdminLimits limits) {
  auto impl = std::make_unique<Impl>(source, clock, log, limits);
  if (const Status started = impl->start(address); !started) return tl::unexpected(started.error());
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

int AdminServer::fd() const { return impl_->fd(); }
void AdminServer::run() { impl_->run(); }
const SocketAddress& AdminServer::address() const { return impl_->address(); }

}  // namespace godwit::admin
