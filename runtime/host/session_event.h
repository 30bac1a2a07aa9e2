#pragma once

#include <string>
#include <vector>

#include "host/services.h"

namespace godwit::host {

/// Somebody came or went. A copy.
struct SessionEvent {
  /// kParted: its connection was lost, and it waits for another; kResumed: that came.
  enum class What : uint8_t { kCreated, kClosed, kParted, kResumed } what{};
  SessionInfo session;
  Code code = Code::kOk;            ///< of one that closed or parted: why
  std::string reason;               ///< the same in words
  std::vector<std::string> groups;  ///< that it is in, or was until its end
};
inline constexpr size_t kSessionEvents = 4;

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
