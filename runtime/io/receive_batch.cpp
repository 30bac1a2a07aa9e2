#include "io/receive_batch.h"

#include <sys/socket.h>

namespace godwit::io {

ReceiveBatch::ReceiveBatch() : buffers_(new uint8_t[kMessages * kStrideBytes]) {
  for (size_t i = 0; i < kMessages; ++i) {
    slices_[i] = {buffers_.get() + i * kStrideBytes, kBufferBytes};
    rearm(i);
  }
}

// The kernel overwrites these with what it filled in.
void ReceiveBatch::rearm(size_t index) {
  msghdr& message = messages_[index].msg_hdr;
  message.msg_name = &senders_[index];
  message.msg_namelen = sizeof(senders_[index]);
  message.msg_iov = &slices_[index];
  message.msg_iovlen = 1;
  message.msg_control = controls_[index].bytes;
  message.msg_controllen = ControlBuffer::kBytes;
}

size_t ReceiveBatch::receive(int socket) {
  for (size_t i = 0; i < used_; ++i) rearm(i);
  const int got = recvmmsg(socket, messages_.data(), kMessages, 0, nullptr);
  used_ = got > 0 ? static_cast<size_t>(got) : 0;
  return used_;
}

std::optional<ReceivedDatagrams> ReceiveBatch::at(size_t index, const SocketAddress& bound) const {
  const msghdr& message = messages_[index].msg_hdr;
  const size_t bytes = messages_[index].msg_len;
  if (bytes == 0 || (message.msg_flags & MSG_TRUNC)) return std::nullopt;

  const ReceivedControl control = read_control(message);
  ReceivedDatagrams out;
  out.path.local = control.local.is_unspecified() ? bound : control.local;
  out.path.local.set_port(bound.port());
  out.path.remote = SocketAddress::from(reinterpret_cast<const sockaddr*>(&senders_[index]));
  out.ecn = control.ecn;
  out.payload = {buffers_.get() + index * kStrideBytes, bytes};
  out.segment_bytes = control.segment_bytes ? control.segment_bytes : bytes;
  return out;
}

}  // namespace godwit::io
