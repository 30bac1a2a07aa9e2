#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>

#include "base/result.h"
#include "session/message_shelf.h"
#include "session/reply.h"

namespace godwit::session {

/// What this side sent and the peer has not acknowledged yet. Numbers are given out only to what was accepted, so there
/// are never holes; bounded in messages and bytes.
class Outbox {
 public:
  Outbox(size_t messages_max, size_t bytes_max, BlockPool& blocks)
      : messages_max_(messages_max), bytes_max_(bytes_max), shelf_(blocks) {}
  ~Outbox();

  /// What the peer is willing to hold: the bound may only shrink.
  void limit_messages(size_t messages_max) { messages_max_ = std::min(messages_max_, messages_max); }

  enum class Allowance : uint8_t {
    kBounded,   ///< refused at the bound, before a number is taken
    kResponse,  ///< may use twice the bound: a reply that was computed already is not refused lightly
  };
  Status admit(size_t bytes, Allowance allowance) const;

  /// The number of the next message; `admit` said yes before.
  uint64_t next_seq() const { return base_ + records_.size(); }
  void push(size_t bytes, Waiting on_acknowledged) { push(bytes, on_acknowledged, KeptMessage()); }
  /// The same, and keeps the message so that it can be sent again.
  void push(size_t bytes, Waiting on_acknowledged, const wire::Envelope& envelope, Bytes body, const SharedBody& shared,
            Timestamp now) {
    push(bytes, on_acknowledged, shelf_.put(envelope, body, shared, now));
  }

  /// Calls `send(number, kept message)` for what was not settled of all beyond `seq`, in the order of the numbers, as
  /// long as it returns true. The outbox must not change meanwhile.
  template <typename Send>
  void each_unsettled(uint64_t seq, Send&& send) {
    for (uint64_t next = std::max(seq + 1, base_); next < next_seq(); ++next) {
      const Record& record = records_[next - base_];
      if (!record.settled && !send(next, shelf_.read(record.kept), MessageShelf::shared_body(record.kept))) return;
    }
  }

  /// Everything up to `cumulative`, and the single numbers of `ranges` (bit i of word w = cumulative + 2 + 64 w + i),
  /// has arrived. SequenceInvalid when the peer acknowledges what was never sent; nothing is settled then.
  Status acknowledge(uint64_t cumulative, std::span<const uint64_t> ranges);
  /// One message was answered or refused; unknown or settled numbers are ignored. Its waiter gets the reply.
  void settle(uint64_t seq, const Reply& reply);

  /// The number of the response to this request of the peer, as long as it is not settled; 0: there is none. Responses
  /// are pushed with nobody who waits and the request as the cookie.
  uint64_t response_to(uint64_t request_id) const;

  /// Everyone who still waits for an acknowledgement is told.
  void fail_all(const Reply& reply);

  size_t messages() const { return records_.size(); }
  size_t unsettled() const { return unsettled_; }
  size_t bytes() const { return bytes_; }
  uint64_t acknowledged() const { return base_ - 1; }

 private:
  struct Record {
    Waiting waiting;
    KeptMessage kept;
    uint32_t bytes = 0;
    bool settled = false;
  };
  void push(size_t bytes, Waiting on_acknowledged, KeptMessage kept);
  Record* find(uint64_t seq);
  void settle(Record& record, const Reply& reply);
  void pop_settled();

  size_t messages_max_;
  const size_t bytes_max_;
  MessageShelf shelf_;
  std::deque<Record> records_;  ///< of base_, base_ + 1, …
  uint64_t base_ = 1;
  size_t bytes_ = 0;
  size_t unsettled_ = 0;
};

}  // namespace godwit::session
