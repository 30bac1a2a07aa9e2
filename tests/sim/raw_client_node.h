#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "node.h"
#include "wire/codec.h"

namespace godwit::sim {

/// A client that speaks QUIC correctly and godwit/1 as badly as it is told to: no session, no channel.
class RawClientNode final : public Node, private quic::ConnectionOwner {
 public:
  explicit RawClientNode(World& world);

  enum class Behaviour : uint8_t {
    kSilent,         ///< shakes hands and says nothing
    kByteASecond,    ///< sends its greeting one byte a second
    kGreetsTwice,    ///< sends two greetings in one breath: one with a wrong token, then one with the right token
    kBreaksBodies,   ///< sends events 1, 2 and 3 on streams that end early, too late, or are reset, and then event 4 in
                     ///< order
    kResetsHead,     ///< sends event 2, then resets the stream of event 1 before its head
    kCutsHead,       ///< sends event 2, then ends the stream of event 1 inside its head
    kOpensUnknown,   ///< opens a stream each way of a type that nobody knows, then sends event 1
    kHoardsBodies,   ///< begins the largest events on as many streams as it may, and ends none of them until told to;
                     ///< then one small event
    kSendsDatagram,  ///< greets, and sends `datagram`
    kNeverReads,     ///< greets, and from the Welcome on pings without end and reads nothing
  };
  void connect(Behaviour behaviour);
  std::vector<uint8_t> datagram;
  wire::Codec& codec() { return codec_; }
  static constexpr uint64_t kHoards = 90;
  /// Ends what it hoards.
  void finish_bodies();

  bool handshake_done() const { return handshake_done_; }
  const std::optional<quic::Closed>& closed() const { return closed_; }
  /// What the server acknowledged, and what it refused.
  uint64_t acknowledged() const { return acknowledged_; }
  const std::map<uint64_t, Code>& refused() const { return refused_; }
  uint64_t pings() const { return pings_; }
  /// The streams that the server reset, and the code that says why.
  const std::map<quic::StreamId, uint64_t>& resets() const { return resets_; }
  /// Streams that are over: none is ended from here.
  size_t streams_closed() const { return streams_closed_; }

  void receive(const ReceivedDatagrams& datagrams) override { endpoint_->receive(datagrams); }
  bool end_turn() override;

 private:
  void on_events(quic::Connection& connection, std::span<const quic::Event> events) override;
  void greet(quic::Connection& connection);
  void append_hello(std::string_view token);
  void drip(size_t at);
  void read_control(quic::Connection& connection);
  void on_frame(quic::Connection& connection, const wire::Frame& frame);
  void on_welcome(quic::Connection& connection);
  quic::StreamId open_shared(quic::Connection& connection);
  void break_bodies(quic::Connection& connection);
  void open_unknown(quic::Connection& connection);
  void lose_head(quic::Connection& connection);
  void hoard_bodies(quic::Connection& connection);
  void ping_on();
  /// Opens a stream for one message and writes its head; the ledger knows of it.
  quic::StreamId open_message(quic::Connection& connection, uint64_t seq, uint64_t body_bytes);
  void write_type(quic::Connection& connection, quic::StreamId stream, wire::StreamType type);
  wire::Envelope next_event(uint64_t seq, Bytes body = {}, uint32_t after_delta = 1);

  std::unique_ptr<quic::Endpoint> endpoint_;
  wire::Codec codec_;
  quic::ConnectionId connection_;
  quic::StreamId control_ = -1;
  std::vector<quic::StreamId> hoarded_;
  std::vector<uint8_t> greeting_;
  Behaviour behaviour_ = Behaviour::kSilent;
  bool handshake_done_ = false;
  bool pinging_ = false;
  std::optional<quic::Closed> closed_;
  uint64_t acknowledged_ = 0;
  uint64_t pings_ = 0;
  std::map<uint64_t, Code> refused_;
  std::map<quic::StreamId, uint64_t> resets_;
  size_t streams_closed_ = 0;
};

}  // namespace godwit::sim
