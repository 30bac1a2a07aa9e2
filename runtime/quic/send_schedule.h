#pragma once

#include "quic/stream.h"

namespace godwit::quic {

/// Whose turn it is to write, among the streams that have something to send: the control stream, the shared lane, then
/// the others in turns, the one that waits longest first. Holds no streams; each must be taken out before it goes.
class SendSchedule {
 public:
  /// A message of this size goes out in one turn; larger bodies share the connection with what comes after them.
  static constexpr uint64_t kTurnBytes = 64 * 1024;

  bool empty() const { return !control_ && !lane_ && !first_; }

  Stream* next() const { return control_ ? control_ : lane_ ? lane_ : first_; }

  void add(Stream& stream) {
    if (stream.scheduled) return;
    stream.scheduled = true;
    stream.turn_bytes = 0;
    if (stream.rank == StreamRank::kControl)
      control_ = &stream;
    else if (stream.rank == StreamRank::kSharedLane)
      lane_ = &stream;
    else
      link_last(stream);
  }

  void remove(Stream& stream) {
    if (!stream.scheduled) return;
    stream.scheduled = false;
    if (control_ == &stream)
      control_ = nullptr;
    else if (lane_ == &stream)
      lane_ = nullptr;
    else
      unlink(stream);
  }

  /// The stream wrote `bytes` and has more: after its turn it goes to the end.
  void wrote(Stream& stream, uint64_t bytes) {
    stream.turn_bytes += bytes;
    if (stream.rank != StreamRank::kOther || stream.turn_bytes < kTurnBytes) return;
    remove(stream);
    add(stream);
  }

 private:
  void link_last(Stream& stream) {
    stream.previous = last_;
    stream.next = nullptr;
    (last_ ? last_->next : first_) = &stream;
    last_ = &stream;
  }

  void unlink(Stream& stream) {
    (stream.previous ? stream.previous->next : first_) = stream.next;
    (stream.next ? stream.next->previous : last_) = stream.previous;
    stream.next = stream.previous = nullptr;
  }

  Stream* control_ = nullptr;
  Stream* lane_ = nullptr;
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

}  // namespace godwit::quic
