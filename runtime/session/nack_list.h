#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "wire/message.h"

namespace godwit::session {

/// Refusals on their way to the peer. Those that were sent stay until the peer must have read them: when the connection
/// is lost nobody knows which arrived, and a number that is acknowledged without its refusal would count as handled.
class NackList {
 public:
  /// `window` is how many numbers the peer may have in flight: what is older has an outcome there.
  explicit NackList(uint64_t window) : window_(window) {}

  void add(uint64_t seq, Code code, std::string_view text) {
    nacks_.push_back({seq, code, std::string(text.substr(0, limits::kTextBytesMax))});
  }
  bool any_unsent() const { return sent_ < nacks_.size(); }

  /// Those that were not sent yet, at most `count`, oldest first; they count as sent.
  std::vector<wire::Nack> take(size_t count);

  /// What was sent is kept with a short text, or not at all where the session cannot be resumed.
  void shorten_sent(bool keep);

  /// A number of the peer arrived: it has the outcome of all that is a window older.
  void arrived(uint64_t seq) {
    while (sent_ > 0 && nacks_.front().seq + window_ < seq) pop();
  }
  /// The peer came back on another connection and knows the outcome of its messages up to `seq`; all others are sent
  /// again.
  void resend_beyond(uint64_t seq);

 private:
  struct Nack {
    uint64_t seq;
    Code code;
    std::string text;
  };
  void pop() {
    nacks_.pop_front();
    --sent_;
  }

  static constexpr size_t kKeptTextBytesMax = 64;

  const uint64_t window_;
  std::deque<Nack> nacks_;
  size_t sent_ = 0;  ///< from the front
};

}  // namespace godwit::session
