#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/udp_socket.h"
#include "kept_log.h"
#include "running_loop.h"

namespace godwit::io {

inline SocketAddress address(const char* text) { return SocketAddress::parse(text).value(); }

/// Keeps everything that a socket says.
struct Inbox final : UdpListener {
  struct Message {
    NetworkPath path;
    uint8_t ecn;
    std::string payload;
    size_t segment_bytes;
  };

  void on_datagrams(const ReceivedDatagrams& datagrams) override {
    bytes += datagrams.payload.size();
    messages.push_back(
        {datagrams.path, datagrams.ecn, std::string(as_text(datagrams.payload)), datagrams.segment_bytes});
  }
  void on_writable() override { ++writable; }

  std::vector<Message> messages;
  size_t bytes = 0;
  int writable = 0;
};

/// One end of a conversation over loopback.
struct Peer {
  Peer(RunningLoop& loop, const char* bind, UdpOptions options = {}) {
    options.bind = address(bind);
    socket = UdpSocket::open(*loop, options, inbox, Log(log, "udp")).value();
  }

  SendOutcome send(const SocketAddress& to, std::string_view text, size_t segment_bytes = 0, uint8_t ecn = 0) {
    return send_from({}, to, text, segment_bytes, ecn);
  }
  SendOutcome send_from(const SocketAddress& from, const SocketAddress& to, std::string_view text,
                        size_t segment_bytes = 0, uint8_t ecn = 0) {
    return socket->send({{from, to}, ecn, as_bytes(text), segment_bytes ? segment_bytes : text.size()});
  }

  KeptLog log;
  Inbox inbox;
  std::unique_ptr<UdpSocket> socket;
};

/// Bytes of which each place can be told from the others.
inline std::string pattern_of(size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

inline std::string joined(const Inbox& inbox) {
  std::string out;
  for (const auto& message : inbox.messages) out += message.payload;
  return out;
}

}  // namespace godwit::io
