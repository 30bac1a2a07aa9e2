#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "wire/stored_message.h"

namespace godwit::session {

/// The receiving side of a session's numbering: each number is released once, ordered messages in order, and
/// acknowledged only after it was handled. A message travels arrive → (hold) → release → handled.
class Inbox {
 public:
  /// `window` is how far a number may run ahead of the first that was not handled; it is what the peer's outbox can
  /// hold.
  Inbox(size_t window, size_t held_messages_max, size_t held_bytes_max);

  enum class Arrival : uint8_t {
    kRelease,    ///< hand it on now, then ask `next_released`
    kHold,       ///< give it to `hold`
    kDuplicate,  ///< seen before
  };
  /// SequenceInvalid for numbers that a correct peer cannot send.
  Result<Arrival> arrive(uint64_t seq, uint32_t after_delta);

  /// Keeps an early message. HoldBackFull when the bound is reached: the peer ignores its limits.
  Status hold(wire::StoredMessage message);

  /// After the release of `seq`: the message that waited for it, if one did.
  std::optional<wire::StoredMessage> next_released(uint64_t seq);

  /// `seq` was handed to its handler (or refused for good): it may be acknowledged. A message that is refused while it
  /// is held keeps its place in the order: those that follow it still wait for those before it.
  void handled(uint64_t seq);
  /// It was handed on, whether it is handled already or not.
  bool was_released(uint64_t seq) const { return seq <= handled_ + window_ && is_released(seq); }
  bool is_handled(uint64_t seq) const { return seq <= handled_ || handled_bits_.test(seq); }

  uint64_t cumulative() const { return handled_; }
  /// Handled numbers beyond cumulative + 1 as a bitmap of at most `words_max` words, without trailing zero words.
  void ranges(std::vector<uint64_t>& out, size_t words_max) const;
  uint32_t unacknowledged() const { return unacknowledged_; }
  void acknowledged() { unacknowledged_ = 0; }

  size_t held() const { return held_.size(); }

 private:
  struct Bits {
    explicit Bits(size_t count) : words((count + 63) / 64) {}
    bool test(uint64_t seq) const { return words[index(seq)] >> (seq % 64) & 1; }
    void set(uint64_t seq) { words[index(seq)] |= uint64_t{1} << (seq % 64); }
    void clear(uint64_t seq) { words[index(seq)] &= ~(uint64_t{1} << (seq % 64)); }
    size_t index(uint64_t seq) const { return seq / 64 % words.size(); }
    std::vector<uint64_t> words;
  };
  bool is_released(uint64_t seq) const { return seq <= handled_ || released_bits_.test(seq); }

  const size_t window_;
  const size_t held_messages_max_;
  const size_t held_bytes_max_;
  uint64_t handled_ = 0;  ///< all numbers up to here were handled
  uint64_t highest_ = 0;  ///< highest number handled
  uint32_t unacknowledged_ = 0;
  Bits arrived_bits_, released_bits_, handled_bits_;   ///< of handled_ + 1 … handled_ + window
  std::multimap<uint64_t, wire::StoredMessage> held_;  ///< by the number they wait for
  size_t held_bytes_ = 0;
};

}  // namespace godwit::session
