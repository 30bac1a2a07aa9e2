#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "host/value.h"
#include "session/order.h"
#include "session/reply.h"
#include "wire/message.h"

namespace godwit::host {

/// A live session of this process, on whichever worker. Never used again for another one; stale is an ordinary error.
using SessionKey = uint64_t;

/// What code sends to a client. Views are copied by the call.
struct Outgoing {
  std::string_view action;
  std::span<const wire::Header> headers;
  Bytes body;
  Duration timeout{};  ///< how long a reply, or the acknowledgement of an event, is waited for; 0 = the default
  Duration ttl{};      ///< 0 = none
  wire::Priority priority = wire::Priority::kNormal;
  session::Order order = session::Order::kOrdered;
};

/// Hears how something ended that was begun on this worker: on the same thread, once, and never from within the call
/// that began it.
using Completion = std::function<void(const session::Reply&)>;

/// What became of a broadcast. Each session that it was for counts once.
struct Fanout {
  static constexpr size_t kRefusalsMax = 1000;
  struct Refusal {
    SessionKey session = 0;
    Code code = Code::kOk;
  };
  size_t sent = 0;                ///< taken by the session: it arrives unless the session ends before
  size_t refused = 0;             ///< not taken: a full queue, or gone meanwhile
  std::vector<Refusal> refusals;  ///< which, and why; the first kRefusalsMax
};

/// A copy: what it says was true a moment ago.
struct SessionInfo {
  SessionKey key = 0;
  std::string client_id;
  std::string uid;
  std::string address;
  uint32_t worker = 0;
  int64_t connected_unix_us = 0;
};

/// Names a request that was sent from this worker and has not ended; 0 and those that have ended name nothing.
using RequestId = uint64_t;

struct SessionStats {
  Duration rtt{};
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  uint64_t messages_sent = 0;
  uint64_t messages_received = 0;
  size_t pending_replies = 0;
  size_t outbox_messages = 0;
};

struct SessionFilter {
  std::string_view group;  ///< empty: all
  SessionKey after = 0;    ///< the cursor: sessions in the order of their keys, beyond this one
  size_t limit = 100;      ///< at most 1,000
};

/// What handlers may ask of the server beyond answering: the one interface below the Lua API and the plugins' host
/// tables. One per worker, called on its thread. Sessions of other workers are reached by their mailboxes, in the order
/// of the calls; an error that can be known at once is returned, one that cannot comes by the completion.
class Services {
 public:
  virtual ~Services() = default;

  // Who is there.
  virtual std::optional<SessionInfo> session(SessionKey key) const = 0;
  /// All sessions of one uid, oldest first.
  virtual std::vector<SessionKey> sessions_of(std::string_view uid) const = 0;
  virtual std::vector<SessionInfo> sessions(const SessionFilter& filter) const = 0;
  /// `done` hears them, later; StaleHandle when the session is gone.
  virtual Status stats(SessionKey key, std::function<void(Result<SessionStats>)> done) = 0;

  // Messages to clients. `done` may be empty.
  /// An event; `done` hears that the client's handler has it, or why not.
  virtual Status send(SessionKey key, const Outgoing& message, Completion done) = 0;
  /// An event that outlives this process: `kept` hears that it is on the disk, or why it was not taken. It arrives
  /// once, behind what was sent before it in this way, also when the server dies and comes back within the session's
  /// window.
  virtual Status send_durable(SessionKey, const Outgoing&, Completion) {
    return fail(Code::kNotSupported, "nothing outlives this server");
  }
  /// An event for a user who is away, by name: it is kept until they are here again, for `ttl` at most (0: as long as
  /// the server keeps any). TargetNotFound when nobody of this name was here of late, QueueFull when there is no room.
  virtual Status keep(std::string_view uid, const Outgoing& message, Duration ttl) = 0;
  /// A command or query; `done`, which is not empty, hears the reply.
  virtual Result<RequestId> request(SessionKey key, wire::Kind kind, const Outgoing& message, Completion done) = 0;
  /// How long a reply is waited for where nothing else is said.
  virtual Duration request_timeout() const = 0;
  /// Nobody waits for the reply any more: `done` hears Cancelled, and the client may stop.
  virtual void cancel(RequestId request) = 0;
  /// An event to those who are in the group at this moment (or in the process, when it is empty), except one. Returns
  /// how many they are; `done`, which may be empty, hears what became of it. On error nothing was sent to anybody.
  virtual Result<size_t> broadcast(std::string_view group, SessionKey except, const Outgoing& message,
                                   std::function<void(const Fanout&)> done) = 0;
  /// In good order: what is queued for the client goes first.
  virtual Status close(SessionKey key, Code code, std::string_view text) = 0;

  // Attributes of a session: at most 64 of 256-byte names and 16 KiB values; gone with the session.
  virtual std::optional<Value> attribute(SessionKey key, std::string_view name) const = 0;
  /// nullopt removes. A ttl of 0 is for as long as the session lives.
  virtual Status set_attribute(SessionKey key, std::string_view name, const std::optional<Value>& value,
                               Duration ttl) = 0;
  /// True when it was `expected` (nullopt: absent) and is `value` now.
  virtual Result<bool> cas_attribute(SessionKey key, std::string_view name, const std::optional<Value>& expected,
                                     const std::optional<Value>& value) = 0;

  // Groups: made by the first that joins, gone with the last that leaves. A session leaves all when it ends. Names have
  // 1 to 256 bytes; a session is in at most 1,000 groups.
  virtual Status join(SessionKey key, std::string_view group) = 0;
  virtual Status leave(SessionKey key, std::string_view group) = 0;
  virtual std::vector<std::string> groups_of(SessionKey key) const = 0;
  virtual size_t group_size(std::string_view group) const = 0;
};

}  // namespace godwit::host
