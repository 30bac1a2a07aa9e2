#pragma once

#include <tsl/robin_map.h>

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/worker_metrics.h"
#include "quic/connection.h"
#include "session/config.h"
#include "wire/codec.h"
#include "wire/stored_message.h"

namespace godwit::client {

/// The messages that arrive on own streams of one connection, and the room for their bodies. A stream may send its head
/// and as much as the transport's window for new streams holds; credit for the rest of its body it gets once, when all
/// of that body has room (SessionConfig::arriving_bytes_max). The others wait, first come first served: flow control
/// holds their senders, and neither the shared lane nor the bodies that have room notice.
class OwnStreams {
 public:
  OwnStreams(quic::Connection& connection, const session::SessionConfig& config, wire::Codec& codec,
             WorkerMetrics& metrics)
      : connection_(connection), config_(config), codec_(codec), metrics_(metrics) {}
  ~OwnStreams();
  OwnStreams(const OwnStreams&) = delete;
  OwnStreams& operator=(const OwnStreams&) = delete;

  struct Unfinished {};
  /// The message will never be whole. Without a head nobody knows which number it had.
  struct Broken {
    std::optional<wire::StoredMessage> head;
    Error error;
  };
  using Progress = std::variant<Unfinished, wire::StoredMessage, Broken>;

  /// Takes what can be read. A stream whose message is whole or broken is forgotten.
  Progress read(quic::StreamId stream);
  /// Nothing more comes: forgets the stream.
  Broken give_up(quic::StreamId stream, Error why);

  /// Bytes of bodies that have room, whether they arrived or not.
  uint64_t reserved_bytes() const { return reserved_bytes_; }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Arriving {
    std::optional<wire::StoredMessage> head;
    std::vector<uint8_t> body;
    bool has_room = false;
  };
  std::optional<Error> read_head(quic::StreamId stream, Arriving& arriving);
  std::optional<Error> read_body(quic::StreamId stream, Arriving& arriving);
  bool fits(const Arriving& arriving) const;
  void ask_for_room(quic::StreamId stream, Arriving& arriving);
  void give_room(quic::StreamId stream, Arriving& arriving);
  std::unique_ptr<Arriving> forget(quic::StreamId stream);

  quic::Connection& connection_;
  const session::SessionConfig& config_;
  wire::Codec& codec_;
  WorkerMetrics& metrics_;
  tsl::robin_map<quic::StreamId, std::unique_ptr<Arriving>> arriving_;
  std::deque<quic::StreamId> waiting_;  ///< for room; at most as many as the peer may have open
  uint64_t reserved_bytes_ = 0;
};

}  // namespace godwit::client
