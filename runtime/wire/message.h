#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace godwit::wire {

/// What the first byte of every stream says.
enum class StreamType : uint8_t {
  kControl = 1,   ///< first client-opened bidirectional stream; both ways
  kShared = 2,    ///< unidirectional, one each way, for the connection's life
  kOwn = 3,       ///< unidirectional, one message
  kTransfer = 4,  ///< reserved for bodies beyond the inline limit
};

enum class FrameType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kRefuse = 3,
  kPing = 4,
  kPong = 5,
  kAck = 6,
  kGoodbye = 7,
  kRenewal = 8,
  kCancel = 9,
  kMessage = 16,      ///< envelope and body in one frame, on the shared lane
  kMessageHead = 17,  ///< envelope alone; the raw body follows to the end of the stream, on an own stream
};

enum class Kind : uint8_t { kCommand = 0, kEvent = 1, kQuery = 2, kResponse = 3 };
constexpr bool is_request(Kind kind) { return kind == Kind::kCommand || kind == Kind::kQuery; }
std::string_view name_of(Kind kind);

enum class Status : uint8_t { kNone = 0, kSuccess = 1, kFailure = 2, kTimeout = 3 };
enum class Priority : uint8_t { kNormal = 0, kLow = 1, kHigh = 2, kCritical = 3 };

namespace flags {
inline constexpr uint16_t kAckSoon = 1;     ///< the sender waits: acknowledge at the end of the turn, not by the timer
inline constexpr uint16_t kUnreliable = 2;  ///< no sequence number, never re-sent
inline constexpr uint16_t kWithdrawn = 4;   ///< only the number counts: given up before it was sent again
}  // namespace flags

/// What a client offers in Hello and a server confirms in Welcome.
namespace features {
inline constexpr uint64_t kResume = 1;  ///< the session may outlive its connection
inline constexpr uint64_t kCancel = 2;  ///< reads Cancel frames
}  // namespace features

/// Of a failed response: seconds, as a decimal number, before which trying again is of no use.
inline constexpr std::string_view kRetryAfterHeader = "retry-after";

/// Of a durable event: names it, so that who gets it again after the server has died handles it once.
inline constexpr std::string_view kDurableHeader = "durable-id";

struct Header {
  std::string_view name;
  std::string_view value;
};

/// Everything about a message but its body. Views borrow: from the decoder until its next call, or from the caller
/// while encoding.
struct Envelope {
  uint64_t seq = 0;          ///< per session and direction, from 1; 0 on unreliable messages
  uint32_t after_delta = 0;  ///< seq - after; 0: not ordered
  uint64_t id = 0;           ///< message id; 0 stands for seq
  uint64_t correlates = 0;   ///< responses: id of the request
  Kind kind = Kind::kCommand;
  Priority priority = Priority::kNormal;
  Status status = Status::kNone;  ///< responses
  Code code = Code::kOk;          ///< responses that are not a success
  uint16_t flags = 0;
  uint32_t deadline_ms = 0;  ///< time the sender still waits, 0 = no limit
  uint32_t ttl_ms = 0;       ///< not worth handling after so long, 0 = always worth it
  uint64_t body_bytes = 0;   ///< exact length of the raw body; encode_message fills it in by itself
  std::string_view action;   ///< empty on responses
  std::string_view text;     ///< responses that are not a success: for a person
  std::span<const Header> headers;

  uint64_t message_id() const { return id ? id : seq; }
};

struct Hello {
  std::string_view client_id;
  std::string_view uid;
  std::string_view token;
  std::string_view agent;  ///< name and version of the client program
  uint64_t last_seq = 0;   ///< highest sequence number handled of the session to be resumed
  std::string_view resume_token;
  uint64_t features = 0;   ///< bit set; unknown bits are ignored
  uint64_t known_seq = 0;  ///< up to there the outcome of its own messages is known
  uint64_t program = 0;    ///< the client program's own random number; 0: none
  uint32_t attempt = 0;    ///< which of its greetings this is, from 1
};

struct Welcome {
  uint64_t session = 0;
  std::string_view resume_token;
  uint64_t last_seq = 0;
  uint64_t features = 0;
  uint64_t inline_bytes_max = 0;
  uint32_t outbox_messages_max = 0;
  uint32_t heartbeat_ms = 0;
  std::string_view server;  ///< name and version
  bool resumed = false;
  Code lost = Code::kOk;  ///< why the session that was to be resumed is a new one
  uint64_t known_seq = 0;
  uint32_t resume_window_ms = 0;
  uint16_t steer = 0;
};

/// The first byte of a destination connection id, as `steer` fields say it: 0 is nothing, 256 + byte is one.
constexpr uint16_t to_steer(uint8_t first_byte) { return static_cast<uint16_t>(256 + first_byte); }

struct Refuse {
  Code code = Code::kOk;
  std::string_view text;
  uint32_t retry_after_ms = 0;
  uint16_t steer = 0;
};

struct Ping {
  uint64_t nonce = 0;
};
struct Pong {
  uint64_t nonce = 0;
};

/// One message that arrived but was not handled.
struct Nack {
  uint64_t seq = 0;
  Code code = Code::kOk;
  std::string_view text;
};

inline constexpr size_t kAckRangeWordsMax = 256;  ///< 16,384 numbers beyond the cumulative one
inline constexpr size_t kNacksMax = 512;          ///< of one Ack; with both full it still is one control frame

struct Ack {
  uint64_t cumulative = 0;  ///< every sequence number up to this one was handed to its handler (or refused in `nacks`)
  std::span<const uint64_t> ranges;  ///< bitmap words: bit i of word w stands for cumulative + 2 + 64 w + i
  std::span<const Nack> nacks;
};

struct Goodbye {
  Code code = Code::kOk;
  std::string_view text;
  uint32_t retry_after_ms = 0;
};

struct Renewal {
  std::string_view resume_token;
};

struct Cancel {
  uint64_t id = 0;  ///< of the request that nobody waits for any more
};

}  // namespace godwit::wire
