#include <catch2/catch.hpp>

#include "pair.h"

namespace godwit::quic::test {
namespace {

std::shared_ptr<const std::vector<uint8_t>> shared(std::vector<uint8_t> bytes) {
  return std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
}

TEST_CASE("a stream over the peer's limit waits until one closes") {
  EndpointOptions options = server_options();
  options.transport.max_streams_bidi = 2;
  Pair pair(1, options);
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId first = connection.open_bidi().value();
  REQUIRE(connection.open_bidi());
  const auto refused = connection.open_bidi();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kStreamLimit);
  pair.network.run_for(1s);
  CHECK(pair.client.seen().streams_available == 0);

  connection.write(first, as_bytes("done"), Connection::Fin::kYes);
  pair.network.run_until([&] { return pair.server.ended[first]; });
  CHECK_FALSE(connection.open_bidi());
  pair.server.connection()->write(first, {}, Connection::Fin::kYes);
  CHECK(pair.network.run_until([&] { return pair.client.seen().streams_available > 0; }));
  CHECK(connection.open_bidi());
}

TEST_CASE("a sender waits at the flow control limit and goes on when the reader consumes") {
  EndpointOptions options = server_options();
  options.transport.stream_window_bytes = 10'000;
  options.transport.stream_window_bytes_max = 0;
  Pair pair(1, options);
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId stream = connection.open_uni().value();
  const auto body = pattern(25'000, 7);
  connection.write(stream, body);
  pair.network.run_for(1s);
  Connection& receiver = *pair.server.connection();
  CHECK(receiver.readable(stream).size() == 10'000);
  CHECK(connection.queued_bytes(stream) == 15'000);

  const StreamId other = connection.open_uni().value();
  connection.write(other, as_bytes("not held up"));
  pair.network.run_for(1s);
  CHECK(as_text(receiver.readable(other)) == "not held up");

  std::vector<uint8_t> all;
  for (int i = 0; i < 10 && all.size() < body.size(); ++i) {
    const Bytes bytes = receiver.readable(stream);
    all.insert(all.end(), bytes.begin(), bytes.end());
    receiver.consume(stream, bytes.size());
    pair.network.run_for(1s);
  }
  CHECK(all == body);
  CHECK(connection.queued_bytes() == 0);
}

TEST_CASE("a connection out of credit goes on when any stream is consumed") {
  EndpointOptions options = server_options();
  options.transport.connection_window_bytes = 20'000;
  options.transport.connection_window_bytes_max = 0;
  Pair pair(1, options);
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId a = connection.open_uni().value(), b = connection.open_uni().value();
  connection.write(a, pattern(20'000, 1));
  pair.network.run_for(1s);
  connection.write(b, as_bytes("late"));
  pair.network.run_for(1s);
  Connection& receiver = *pair.server.connection();
  CHECK(receiver.readable(a).size() == 20'000);
  CHECK(receiver.readable(b).empty());
  receiver.consume(a, 20'000);
  pair.network.run_for(1s);
  CHECK(as_text(receiver.readable(b)) == "late");
}

TEST_CASE("a reset reaches the peer with its code, and the stream is gone on both sides") {
  Pair pair;
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId stream = connection.open_bidi().value();
  connection.write(stream, pattern(5'000, 1));
  pair.network.run_for(1s);
  CHECK(pair.server.connection()->readable(stream).size() == 5'000);
  CHECK(pair.server.seen().resets.empty());

  connection.reset(stream, Code::kCancelled);
  CHECK(connection.queued_bytes() == 0);
  CHECK_FALSE(connection.write(stream, as_bytes("more")));
  pair.network.run_for(1s);
  CHECK(pair.server.seen().resets.at(stream) == to_app_error(Code::kCancelled));
  CHECK(pair.server.connection()->readable(stream).empty());
  CHECK(pair.client.seen().resets.empty());
  CHECK(pair.client.seen().streams_closed == 1);
  CHECK(pair.server.seen().streams_closed == 1);
  CHECK(pair.server.metrics().streams_open.value() == 0);
}

TEST_CASE("a receiver that stops a stream stops its sender") {
  Pair pair;
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId stream = connection.open_uni().value();
  connection.write_shared(stream, shared(pattern(4 << 20, 1)), Connection::Fin::kYes);
  pair.network.run_for(200ms);
  CHECK(connection.queued_bytes() > 0);
  pair.server.connection()->reset(stream, Code::kMessageTooLarge);
  pair.network.run_for(1s);
  CHECK(pair.client.seen().resets.at(stream) == to_app_error(Code::kMessageTooLarge));
  CHECK(connection.queued_bytes() == 0);
  CHECK(pair.client.seen().streams_closed == 1);
  CHECK(pair.client.metrics().streams_open.value() == 0);
  CHECK(pair.server.metrics().streams_open.value() == 0);
}

TEST_CASE("unread bytes of a reset stream give the connection its credit back") {
  EndpointOptions options = server_options();
  options.transport.connection_window_bytes = 30'000;
  options.transport.connection_window_bytes_max = 0;
  Pair pair(1, options);
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  for (int i = 0; i < 10; ++i) {
    const StreamId stream = connection.open_uni().value();
    connection.write(stream, pattern(25'000, 1));
    pair.network.run_for(1s);
    REQUIRE(pair.server.connection()->readable(stream).size() == 25'000);
    connection.reset(stream, Code::kCancelled);
    pair.network.run_for(1s);
  }
}

TEST_CASE("a stream that ended is not told closed before it was consumed") {
  Pair pair;
  pair.server.reads = false;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.client.connection()->write(stream, as_bytes("keep me"), Connection::Fin::kYes);
  pair.network.run_for(1s);
  Connection& receiver = *pair.server.connection();
  CHECK(pair.client.seen().streams_closed == 1);
  CHECK(pair.server.seen().streams_closed == 0);
  CHECK(receiver.finished(stream));
  CHECK(as_text(receiver.readable(stream)) == "keep me");
  receiver.consume(stream, 4);
  pair.network.run_for(1s);
  CHECK(as_text(receiver.readable(stream)) == " me");
  CHECK(pair.server.seen().streams_closed == 0);
  receiver.consume(stream, 3);
  pair.network.run_for(1s);
  CHECK(pair.server.seen().streams_closed == 1);
  CHECK_FALSE(receiver.finished(stream));
}

TEST_CASE("an empty stream is seen to end") {
  Pair pair;
  REQUIRE(pair.handshake());
  const StreamId stream = pair.client.connection()->open_uni().value();
  CHECK(pair.client.connection()->write(stream, {}, Connection::Fin::kYes));
  CHECK(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  CHECK(pair.server.received[stream].empty());
}

TEST_CASE("the control stream and the shared lane go before bodies that were queued earlier") {
  Pair pair;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  const StreamId control = connection.open_bidi().value(), lane = connection.open_uni().value();
  const StreamId body = connection.open_uni().value();
  connection.write_shared(body, shared(pattern(2 << 20, 1)), Connection::Fin::kYes);
  connection.write(lane, as_bytes("lane"), Connection::Fin::kYes);
  connection.write(control, as_bytes("control"), Connection::Fin::kYes);
  CHECK(pair.network.run_until([&] { return pair.server.ended[control] && pair.server.ended[lane]; }));
  CHECK(pair.server.received[body].size() < 100'000);
  CHECK(pair.network.run_until([&] { return pair.server.ended[body]; }));
}

TEST_CASE("bodies on streams of their own share the connection, and a short one does not wait for a long one") {
  Pair pair;
  REQUIRE(pair.handshake());
  Connection& connection = *pair.client.connection();
  REQUIRE(connection.open_uni());
  const StreamId large = connection.open_uni().value(), small = connection.open_uni().value();
  connection.write_shared(large, shared(pattern(4 << 20, 1)), Connection::Fin::kYes);
  connection.write_shared(small, shared(pattern(60'000, 2)), Connection::Fin::kYes);
  CHECK(pair.network.run_until([&] { return pair.server.ended[small]; }));
  CHECK(pair.server.received[large].size() < (1 << 20));
  CHECK(pair.network.run_until([&] { return pair.server.ended[large]; }));
  CHECK(pair.server.received[large] == pattern(4 << 20, 1));
}

TEST_CASE("acknowledgements are told as room in the send queue") {
  Pair pair;
  REQUIRE(pair.handshake());
  uint64_t left = UINT64_MAX;
  pair.client.on_event = [&](Connection&, const Event& event) {
    if (const auto* drained = std::get_if<StreamDrained>(&event)) left = drained->queued_bytes;
    return false;
  };
  const StreamId stream = pair.client.connection()->open_uni().value();
  pair.client.connection()->write(stream, pattern(3'000, 1));
  pair.network.run_for(11ms);
  CHECK(left == UINT64_MAX);
  CHECK(pair.client.connection()->queued_bytes(stream) == 3'000);
  pair.network.run_for(1s);
  CHECK(left == 0);
}

TEST_CASE("datagrams arrive whole, and one that fits no packet is refused") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  Connection& connection = *pair.client.connection();
  const auto payload = pattern(1'100, 3);
  REQUIRE(connection.send_datagram(payload));
  REQUIRE(connection.send_datagram({}));
  const Status refused = connection.send_datagram(pattern(1'440, 3));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kMessageTooLarge);
  pair.network.run_for(1s);
  REQUIRE(pair.server.seen().datagrams.size() == 2);
  CHECK(pair.server.seen().datagrams[0] == payload);
  CHECK(pair.server.seen().datagrams[1].empty());

  int accepted = 0;
  while (connection.send_datagram(payload)) ++accepted;
  CHECK(accepted == 256);
  pair.network.run_for(5s);
  CHECK(pair.server.seen().datagrams.size() == 258);
}

TEST_CASE("a peer that takes no datagrams is sent none") {
  EndpointOptions options = server_options();
  options.transport.max_datagram_frame_bytes = 0;
  Pair pair(1, options);
  REQUIRE(pair.handshake());
  const Status refused = pair.client.connection()->send_datagram(as_bytes("x"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kMessageTooLarge);
}

TEST_CASE("a sender that blocks gets the same packets again and loses nothing") {
  Pair pair;
  REQUIRE(pair.handshake());
  pair.network.run_for(1s);
  pair.client.sender_blocked = true;
  const StreamId stream = pair.client.connection()->open_uni().value();
  const auto body = pattern(1 << 20, 9);
  pair.client.connection()->write(stream, body, Connection::Fin::kYes);
  pair.network.run_for(300ms);
  CHECK(pair.client.endpoint().blocked());
  CHECK(pair.client.blocked_sends == 1);
  CHECK(pair.server.received[stream].empty());

  pair.client.sender_blocked = false;
  CHECK(pair.network.run_until([&] { return pair.server.ended[stream]; }));
  CHECK(pair.server.received[stream] == body);
  CHECK_FALSE(pair.client.endpoint().blocked());
}

TEST_CASE("a peer that opens and resets streams without end is cut off") {
  Pair pair;
  REQUIRE(pair.handshake());
  const auto churn = [&](int per_turn) {
    for (int i = 0; i < per_turn; ++i) {
      Connection* connection = pair.client.connection();
      const auto stream = connection ? connection->open_bidi() : fail(Code::kConnectionLost);
      if (!stream) return;
      connection->write(*stream, as_bytes("x"));
      pair.client.endpoint().flush();
      connection->reset(*stream, Code::kCancelled);
    }
  };
  for (int turn = 0; turn < 50; ++turn) {
    churn(10);
    pair.network.run_for(20ms);
  }
  CHECK_FALSE(pair.server.seen().closed);
  for (int turn = 0; turn < 100 && !pair.server.seen().closed; ++turn) {
    churn(100);
    pair.network.run_for(20ms);
  }
  REQUIRE(pair.server.seen().closed);
  CHECK(pair.server.seen().closed->code == Code::kExcessiveLoad);
  CHECK(pair.client.seen().closed->app_error == to_app_error(Code::kExcessiveLoad));
}

}  // namespace
}  // namespace godwit::quic::test
