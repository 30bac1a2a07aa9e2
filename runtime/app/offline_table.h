#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/worker_metrics.h"
#include "port/clock.h"
#include "wire/stored_message.h"

namespace godwit::app {

struct OfflineLimits {
  Duration ttl = 3min;                ///< that an event is kept for at most; 0: none is
  size_t messages_max = 100;          ///< of one user
  size_t bytes_max = 1 << 20;         ///< of one user
  size_t total_bytes_max = 64 << 20;  ///< of all
  static constexpr size_t kUsersMax = 100'000;
};

/// Events for users who are away: who was here until a moment ago is known, and what comes for them is kept until they
/// are here again, at most for a time. Bounded for each user, where the oldest make room, and in all, where new ones
/// are refused. Shared by all workers; from any thread.
class OfflineTable {
 public:
  OfflineTable(const Clock& clock, const OfflineLimits& limits) : clock_(clock), limits_(limits) {}

  /// What happened to events, for whoever counts.
  struct Tally {
    uint64_t kept = 0, delivered = 0, dropped = 0, expired = 0;
    int64_t bytes = 0;
    void add_to(WorkerMetrics& metrics) const;
  };
  struct Kept {
    wire::StoredMessage message;
    Timestamp since;
  };

  /// The user's last session has ended.
  Tally leave(const std::string& uid);
  /// TargetNotFound when nobody of this name was here of late; QueueFull when there is no room. A ttl of 0 is the
  /// longest.
  Status keep(const std::string& uid, wire::StoredMessage message, Duration ttl, Tally& tally);
  /// The user is here: what was kept, oldest first.
  std::vector<Kept> enter(const std::string& uid, Tally& tally);

 private:
  struct Event {
    Kept kept;
    Timestamp expires;
  };
  struct Box {
    std::deque<Event> events;
    size_t bytes = 0;
    Timestamp closes;  ///< nobody comes any more, and nothing is left
  };
  void close_late(Timestamp now, Tally& tally);
  void set_closing(const std::string& uid, Box& box, Timestamp closes);
  void pop(Box& box, Tally& tally);
  void expire(Box& box, Timestamp now, Tally& tally);

  const Clock& clock_;
  const OfflineLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Box> boxes_;
  std::set<std::pair<Timestamp, std::string>> closing_;
  size_t bytes_ = 0;
};

}  // namespace godwit::app
