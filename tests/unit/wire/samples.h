#pragma once

#include "wire/message.h"

/// One value of every frame. The first five are the exchange that schema/README.md walks through.
namespace godwit::wire::samples {

inline Hello hello() { return {.client_id = "sensor-7", .agent = "example/1.0"}; }

inline Welcome welcome() {
  return {.session = 0x1'0000'0000,
          .inline_bytes_max = 1 << 20,
          .outbox_messages_max = 1000,
          .heartbeat_ms = 15'000,
          .server = "godwit/0.1.0"};
}

inline constexpr std::string_view kBody = "hello";

inline Envelope request() {
  Envelope envelope;
  envelope.seq = 1;
  envelope.after_delta = 1;
  envelope.kind = Kind::kQuery;
  envelope.deadline_ms = 5000;
  envelope.body_bytes = kBody.size();
  envelope.action = "echo";
  return envelope;
}

inline Envelope response() {
  Envelope envelope;
  envelope.seq = 1;
  envelope.kind = Kind::kResponse;
  envelope.correlates = 1;
  envelope.status = Status::kSuccess;
  envelope.body_bytes = kBody.size();
  return envelope;
}

inline Ack ack() { return {.cumulative = 1}; }

inline Envelope failure() {
  Envelope envelope;
  envelope.seq = 2;
  envelope.kind = Kind::kResponse;
  envelope.correlates = 2;
  envelope.status = Status::kFailure;
  envelope.code = Code::kHandlerNotFound;
  envelope.text = "no handler for query/ech";
  return envelope;
}

inline constexpr Header kHeaders[] = {{"content-type", "text/plain"}, {"empty", ""}};

/// Every field that an event can have.
inline Envelope event() {
  Envelope envelope;
  envelope.seq = 70'000;
  envelope.id = 0x1122334455667788;
  envelope.kind = Kind::kEvent;
  envelope.priority = Priority::kHigh;
  envelope.flags = flags::kAckSoon;
  envelope.ttl_ms = 60'000;
  envelope.body_bytes = 100'000;
  envelope.action = "chat.room-1.say";
  envelope.headers = kHeaders;
  return envelope;
}

inline Refuse refuse() { return {Code::kUnauthenticated, "credentials are missing or wrong", 0}; }
inline Ping ping() { return {0x0102030405060708}; }
inline Pong pong() { return {0x0102030405060708}; }
inline Renewal renewal() { return {"0123456789abcdef"}; }
inline Cancel cancel() { return {7}; }
inline Goodbye goodbye() { return {Code::kServerDraining, "maintenance", 5000}; }

inline constexpr uint64_t kRanges[] = {0b1011, 1};
inline constexpr Nack kNacks[] = {{.seq = 40, .code = Code::kHandlerNotFound, .text = "no handler for event/x"},
                                  {.seq = 41, .code = Code::kDispatcherFull, .text = ""}};
inline Ack full_ack() { return {.cumulative = 41, .ranges = kRanges, .nacks = kNacks}; }

}  // namespace godwit::wire::samples
