#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/id.h"
#include "host/services.h"
#include "wire/stored_message.h"

namespace godwit::app {

struct Operation;
using OperationId = Id<Operation>;  ///< of the worker that began it; names nothing when nobody waits

// What a worker asks of another one, or answers: values, which may cross threads.

/// An event or request for one session of yours. Answered by ReplyErrand.
struct DeliverErrand {
  host::SessionKey to;
  wire::StoredMessage message;
  OperationId operation;
};
/// One and the same event for many sessions of yours. Answered by FanoutErrand.
struct SpreadErrand {
  std::vector<host::SessionKey> to;
  std::shared_ptr<const wire::StoredMessage> message;  ///< shared by all workers, changed by none
  OperationId operation;
};
/// An event for one session of yours, to be kept first. Answered by ReplyErrand.
struct KeepErrand {
  host::SessionKey to;
  wire::StoredMessage message;
  OperationId operation;
};
struct CloseErrand {
  host::SessionKey session;
  Code code;
  std::string text;
};
/// Its client came in anew, on another worker.
struct SupersedeErrand {
  host::SessionKey session;
};
/// Answered by StatsReplyErrand.
struct StatsErrand {
  host::SessionKey session;
  OperationId operation;
};

/// Nobody waits for the reply to this request any more.
struct CancelErrand {
  OperationId operation;
};

struct ReplyErrand {
  OperationId operation;
  wire::StoredMessage reply;  ///< its envelope has status, code, text and headers
};
struct FanoutErrand {
  OperationId operation;
  host::Fanout outcome;
};
struct StatsReplyErrand {
  OperationId operation;
  Result<host::SessionStats> stats;
};

/// A message whose key belongs to you. Answered by VerdictErrand.
struct CarryErrand {
  uint64_t key = 0;
  uint64_t ticket = 0;  ///< of the worker that it came in by
  wire::StoredMessage message;
  host::SessionKey session = 0;
  std::string client_id, uid, address;
  Timestamp deadline = kNever;
};
/// What its handler said to it.
struct VerdictErrand {
  uint64_t ticket = 0;
  enum class What : uint8_t { kReply, kFailure, kDone } what = What::kDone;
  wire::StoredMessage reply;
  Duration retry_after{};
};

using Errand = std::variant<DeliverErrand, CancelErrand, SpreadErrand, KeepErrand, CloseErrand, SupersedeErrand,
                            StatsErrand, ReplyErrand, FanoutErrand, StatsReplyErrand, CarryErrand, VerdictErrand>;

/// What it costs while it waits.
size_t bytes_of(const Errand& errand);

}  // namespace godwit::app
