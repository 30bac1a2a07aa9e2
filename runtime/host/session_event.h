#pragma once

#include <string>
#include <vector>

#include "host/services.h"

namespace godwit::host {

/// Something happened to a session, or to a message of one. A copy.
struct SessionEvent {
  enum class What : uint8_t {
    kCreated,
    kClosed,
    kParted,            ///< its connection was lost, and it waits for another
    kResumed,           ///< that came; `count` says how often that happened
    kHeartbeatTimeout,  ///< nothing was heard of the client; kParted or kClosed follows
    kReceived,          ///< a message, before its handler
    kSent,              ///< a message, or with a code: it was refused here
    kBroadcast,         ///< to `count` sessions, of the group that `reason` names; there is no session
    kPromiseTimeout,    ///< nobody answered or acknowledged a message in time
    kError,             ///< its connection ended by a mistake of either side; kParted or kClosed follows
  } what{};
  SessionInfo session;
  Code code = Code::kOk;            ///< of one that closed or parted, of what failed: why
  std::string reason;               ///< the same in words
  std::vector<std::string> groups;  ///< that it is in, or was until its end
  std::string action = {};          ///< of the message
  uint64_t message_id = 0;
  uint64_t count = 0;
};
inline constexpr size_t kSessionEvents = 10;

/// Hears of the sessions of its worker, on its thread: that one was created before its first message is handled, that
/// it closed after the last one was.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  /// Whether anybody wants to know: what nobody hears is not described.
  virtual bool hears(SessionEvent::What what) const = 0;
  virtual void on_session(const SessionEvent& event) = 0;
};

}  // namespace godwit::host
