#include "io/udp_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/limits.h"
#include "io/udp_control.h"
#include "io/uv_start.h"

namespace godwit::io {
namespace {

constexpr size_t kSegmentsMax = 64;              // UDP_MAX_SEGMENTS of all kernels that have GSO
constexpr size_t kBytesPerWakeUp = 1024 * 1024;  // then the turn ends, so that answers and timers get their chance
constexpr Duration kRetryAfter = 1ms;  // when the kernel is out of buffers, which it does not announce the end of

bool is_v4(const SocketAddress& address) {
  if (address.family() == AF_INET) return true;
  return IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr);
}

// How much of a payload one system call may take.
size_t part_bytes(size_t segment_bytes, bool segmentation) {
  if (!segmentation) return segment_bytes;
  const size_t fitting = limits::kDatagramBytesMax / segment_bytes;
  return segment_bytes * std::clamp<size_t>(fitting, 1, kSegmentsMax);
}

}  // namespace

Result<std::unique_ptr<UdpSocket>> UdpSocket::open(Loop& loop, const UdpOptions& options, UdpListener& listener,
                                                   Log log) {
  std::unique_ptr<UdpSocket> socket(new UdpSocket(loop, options, listener, log));
  if (Status started = socket->start(options); !started) return tl::unexpected(started.error());
  return socket;
}

UdpSocket::UdpSocket(Loop& loop, const UdpOptions& options, UdpListener& listener, Log log)
    : loop_(loop), listener_(listener), log_(log), segmentation_(options.segmentation), retry_([this](Timestamp) {
        unblock();
      }) {
  loop_.add_pollable(*this);
}

UdpSocket::~UdpSocket() { loop_.remove_pollable(*this); }

Status UdpSocket::start(const UdpOptions& options) {
  Result<FileDescriptor> fd = open_udp(options);
  if (!fd) return tl::unexpected(fd.error());
  fd_ = std::move(*fd);
  Result<SocketAddress> local = local_address_of(fd_);
  if (!local) return tl::unexpected(local.error());
  local_ = *local;
  wildcard_ = local_.is_unspecified();
  if (segmentation_ && !kernel_segments(fd_)) give_up_segmentation(ENOPROTOOPT);
  return make_uv_handle(poll_, this, [&](uv_poll_t* handle) { return uv_poll_init(loop_.raw(), handle, fd_.get()); })
      .map([this] { watch(UV_READABLE); });
}

size_t UdpSocket::receive_buffer_bytes() const { return kernel_buffer_bytes(fd_, SO_RCVBUF); }

size_t UdpSocket::send_buffer_bytes() const { return kernel_buffer_bytes(fd_, SO_SNDBUF); }

void UdpSocket::watch(int events) {
  uv_poll_start(poll_.get(), events, [](uv_poll_t* handle, int status, int happened) {
    owner_of<UdpSocket>(handle).on_poll(status, happened);
  });
}

void UdpSocket::on_poll(int status, int events) {
  loop_.begin_turn();
  if (status < 0) return on_poll_error();
  if (events & UV_READABLE) receive();
  if (events & UV_WRITABLE) unblock();
}

// libuv stops watching a descriptor that reports an error. On a datagram socket that is news about one packet.
void UdpSocket::on_poll_error() {
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) return log_.error("the socket failed and is not read any more", {{"local", local_.to_string()}});
  watch(blocked_ ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

bool UdpSocket::poll_now() { return receive(); }

bool UdpSocket::receive() {
  size_t bytes = 0;
  size_t messages = 0;
  do {
    messages = batch_.receive(fd_.get());
    if (messages) bytes += deliver(messages);
  } while (messages == ReceiveBatch::kMessages && bytes < kBytesPerWakeUp);
  return bytes > 0;
}

size_t UdpSocket::deliver(size_t messages) {
  loop_.begin_turn();
  loop_.saw_traffic();
  size_t bytes = 0;
  for (size_t i = 0; i < messages; ++i) {
    const auto datagrams = batch_.at(i, local_);
    if (!datagrams) {
      counts_.datagrams_bad.add();
      continue;
    }
    bytes += datagrams->payload.size();
    listener_.on_datagrams(*datagrams);
  }
  return bytes;
}

SendOutcome UdpSocket::send(const OutgoingDatagrams& datagrams) {
  GW_CHECK(datagrams.segment_bytes > 0);
  if (blocked_) return SendOutcome::kBlocked;
  size_t taken = 0;
  const Verdict verdict = send_parts(datagrams, taken).verdict;
  if (verdict != Verdict::kFull && verdict != Verdict::kNoBuffers) return SendOutcome::kSent;
  block(verdict);
  if (taken == 0) return SendOutcome::kBlocked;
  hold(datagrams, datagrams.payload.subspan(taken));
  return SendOutcome::kSent;
}

// Usually one part. When a part of several segments is refused and its first segment alone is not, then it was
// segmentation that the system refused.
UdpSocket::Attempt UdpSocket::send_parts(const OutgoingDatagrams& datagrams, size_t& taken) {
  size_t part = part_bytes(datagrams.segment_bytes, segmentation_);
  int batch_error = 0;
  while (taken < datagrams.payload.size()) {
    const Bytes bytes = datagrams.payload.subspan(taken, std::min(part, datagrams.payload.size() - taken));
    const Attempt attempt = transmit(datagrams, bytes);
    if (attempt.verdict == Verdict::kFull || attempt.verdict == Verdict::kNoBuffers) return attempt;
    const bool batch = bytes.size() > datagrams.segment_bytes;
    if (attempt.verdict == Verdict::kLost && batch && (attempt.error == EIO || attempt.error == EINVAL)) {
      batch_error = attempt.error;
      part = datagrams.segment_bytes;
      continue;
    }
    if (attempt.verdict == Verdict::kLost) counts_.datagrams_lost.add();
    if (batch_error && attempt.verdict == Verdict::kSent) give_up_segmentation(batch_error);
    batch_error = 0;
    taken += bytes.size();
  }
  return {Verdict::kSent, 0};
}

UdpSocket::Attempt UdpSocket::transmit(const OutgoingDatagrams& datagrams, Bytes part) {
  iovec slice{const_cast<uint8_t*>(part.data()), part.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(datagrams.path.remote.raw());
  message.msg_namelen = datagrams.path.remote.length();
  message.msg_iov = &slice;
  message.msg_iovlen = 1;

  ControlBuffer buffer;
  OutgoingControl control;
  if (wildcard_ && !datagrams.path.local.is_unspecified()) control.source = &datagrams.path.local;
  control.ecn = datagrams.ecn;
  control.to_v4 = is_v4(datagrams.path.remote);
  if (part.size() > datagrams.segment_bytes) control.segment_bytes = static_cast<uint16_t>(datagrams.segment_bytes);
  write_control(message, buffer, control);

  if (sendmsg(fd_.get(), &message, 0) >= 0) return {Verdict::kSent, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Verdict::kFull, errno};
  if (errno == ENOBUFS || errno == ENOMEM) return {Verdict::kNoBuffers, errno};
  return {Verdict::kLost, errno};
}

void UdpSocket::give_up_segmentation(int error) {
  if (!segmentation_) return;
  segmentation_ = false;
  log_.warn("the system can not segment datagrams; sending one by one, which costs throughput",
            {{"local", local_.to_string()}, {"errno", error}});
}

void UdpSocket::hold(const OutgoingDatagrams& datagrams, Bytes rest) {
  held_bytes_.assign(rest.begin(), rest.end());
  held_ = datagrams;
  held_.payload = held_bytes_;
}

void UdpSocket::block(Verdict reason) {
  blocked_ = true;
  counts_.blocked.add();
  if (reason == Verdict::kFull)
    watch(UV_READABLE | UV_WRITABLE);
  else
    loop_.timers().arm(retry_, loop_.now() + kRetryAfter);
}

void UdpSocket::unblock() {
  watch(UV_READABLE);
  blocked_ = false;
  send_held();
  if (!blocked_) listener_.on_writable();
}

void UdpSocket::send_held() {
  if (held_bytes_.empty()) return;
  const std::vector<uint8_t> bytes = std::exchange(held_bytes_, {});
  OutgoingDatagrams rest = held_;
  rest.payload = bytes;
  if (send(rest) == SendOutcome::kBlocked) hold(rest, rest.payload);
}

}  // namespace godwit::io
