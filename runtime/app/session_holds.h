#pragma once

#include <tsl/robin_map.h>

#include <deque>
#include <optional>
#include <vector>

#include "app/queued_message.h"

namespace godwit::app {

/// What waits for earlier messages of its session: those that are suspended, or are for a unit that rests. What nobody
/// waits for any longer is given back in its order, for the front of the queue.
class SessionHolds {
 public:
  /// Later ordered messages of this session wait until as many calls of `let_go`.
  void suspend(session::SessionId session) { ++holds_[session].suspended; }
  std::deque<QueuedMessage> let_go(session::SessionId session);

  bool holds(session::SessionId session) const { return holds_.contains(session); }
  /// Behind what waits already, or before it. The session is one that `holds`.
  void push_back(QueuedMessage message);
  void push_front(QueuedMessage message);

  /// The request with this id, if it waits here.
  std::optional<QueuedMessage> take(session::SessionId session, uint64_t message_id);

  /// For a unit that rests: it waits for `end_rest`, and with it what its session sends after it, whoever that is for.
  void rest(QueuedMessage message);
  bool rests() const { return !resting_.empty(); }
  /// One list for each session whose messages wait for nothing else.
  std::vector<std::deque<QueuedMessage>> end_rest();

  bool empty() const { return holds_.empty(); }
  size_t size() const { return size_; }  ///< messages

 private:
  struct Hold {
    size_t suspended = 0;
    bool rests = false;  ///< counts as one of them
    std::deque<QueuedMessage> waiting;
  };

  tsl::robin_map<session::SessionId, Hold> holds_;
  std::vector<session::SessionId> resting_;
  size_t size_ = 0;
};

}  // namespace godwit::app
