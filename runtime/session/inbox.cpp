#include "session/inbox.h"

#include <algorithm>

#include "base/planted.h"
#include "session/cost.h"

namespace godwit::session {
namespace {
/// Ring bitmaps index by number modulo their size: a whole extra word keeps the oldest and the newest apart.
size_t ring_bits(size_t window) { return (window + 63) / 64 * 64 + 64; }
}  // namespace

Inbox::Inbox(size_t window, size_t held_messages_max, size_t held_bytes_max)
    : window_(window),
      held_messages_max_(held_messages_max),
      held_bytes_max_(held_bytes_max),
      arrived_bits_(ring_bits(window)),
      released_bits_(ring_bits(window)),
      handled_bits_(ring_bits(window)) {}

Result<Inbox::Arrival> Inbox::arrive(uint64_t seq, uint32_t after_delta) {
  if (seq == 0 || after_delta > seq) return fail(Code::kSequenceInvalid, "impossible sequence number");
  if (seq + planted(Fault::kDedupeOffByOne) <= handled_) return Arrival::kDuplicate;
  if (seq > handled_ + window_) return fail(Code::kSequenceInvalid, "sequence number beyond the window");
  if (arrived_bits_.test(seq)) return Arrival::kDuplicate;
  arrived_bits_.set(seq);
  const uint64_t after = after_delta == 0 ? 0 : seq - after_delta;
  if (!is_released(after) && !planted(Fault::kReleasedOutOfOrder)) return Arrival::kHold;
  released_bits_.set(seq);
  return Arrival::kRelease;
}

Status Inbox::hold(wire::StoredMessage message) {
  const size_t bytes = cost_of(message.envelope(), message.body().size());
  if (held_.size() >= held_messages_max_ || held_bytes_ + bytes > held_bytes_max_) return fail(Code::kHoldBackFull);
  const wire::Envelope& envelope = message.envelope();
  held_bytes_ += bytes;
  held_.emplace(envelope.seq - envelope.after_delta, std::move(message));
  return {};
}

std::optional<wire::StoredMessage> Inbox::next_released(uint64_t seq) {
  if (held_.empty()) return std::nullopt;
  const auto found = held_.find(seq);
  if (found == held_.end()) return std::nullopt;
  wire::StoredMessage message = std::move(found->second);
  held_.erase(found);
  const uint64_t released = message.envelope().seq;
  held_bytes_ -= cost_of(message.envelope(), message.body().size());
  if (released > handled_) released_bits_.set(released);
  return message;
}

void Inbox::handled(uint64_t seq) {
  if (seq <= handled_ || seq > handled_ + window_ || handled_bits_.test(seq)) return;
  handled_bits_.set(seq);
  highest_ = std::max(highest_, seq);
  ++unacknowledged_;
  while (handled_bits_.test(handled_ + 1)) {
    ++handled_;
    handled_bits_.clear(handled_);
    released_bits_.clear(handled_);
    arrived_bits_.clear(handled_);
  }
}

void Inbox::ranges(std::vector<uint64_t>& out, size_t words_max) const {
  out.clear();
  const uint64_t first = handled_ + 2;
  for (uint64_t seq = first; seq <= highest_ && seq < first + 64 * words_max; ++seq) {
    const uint64_t bit = seq - first;
    if (bit % 64 == 0) out.push_back(0);
    if (handled_bits_.test(seq)) out.back() |= uint64_t{1} << (bit % 64);
  }
  while (!out.empty() && out.back() == 0) out.pop_back();
}

}  // namespace godwit::session
