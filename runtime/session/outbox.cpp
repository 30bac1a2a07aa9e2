#include "session/outbox.h"

#include <bit>

#include "base/planted.h"

namespace godwit::session {
namespace {
constexpr Reply kAcknowledged{wire::Status::kSuccess, Code::kOk, {}, {}, {}};

uint64_t first_of_word(uint64_t cumulative, size_t word) { return cumulative + 2 + 64 * word; }

uint64_t highest_of(uint64_t cumulative, std::span<const uint64_t> ranges) {
  for (size_t word = ranges.size(); word-- > 0;) {
    if (ranges[word] != 0) {
      return first_of_word(cumulative, word) + static_cast<unsigned>(std::bit_width(ranges[word]) - 1);
    }
  }
  return cumulative;
}
}  // namespace

Status Outbox::admit(size_t bytes, Allowance allowance) const {
  const size_t share = allowance == Allowance::kResponse ? 2 : 1;
  if (records_.size() >= messages_max_ * share + planted(Fault::kBoundOffByOne))
    return fail(Code::kQueueFull, "too many messages are not acknowledged");
  if (bytes_ + bytes > bytes_max_ * share) return fail(Code::kQueueFull, "too many bytes are not acknowledged");
  return {};
}

Outbox::~Outbox() {
  for (Record& record : records_) shelf_.drop(record.kept);
}

void Outbox::push(size_t bytes, Waiting on_acknowledged, KeptMessage kept) {
  records_.push_back({on_acknowledged, std::move(kept), static_cast<uint32_t>(bytes), false});
  bytes_ += bytes;
  ++unsettled_;
}

Status Outbox::acknowledge(uint64_t cumulative, std::span<const uint64_t> ranges) {
  if (cumulative >= next_seq() || highest_of(cumulative, ranges) >= next_seq()) {
    return fail(Code::kSequenceInvalid, "acknowledgement of a message that was never sent");
  }
  while (base_ <= cumulative) {
    Record record = std::move(records_.front());
    records_.pop_front();
    ++base_;
    settle(record, kAcknowledged);
  }
  for (size_t word = 0; word < ranges.size(); ++word) {
    for (uint64_t bits = ranges[word]; bits != 0; bits &= bits - 1) {
      const uint64_t seq = first_of_word(cumulative, word) + static_cast<unsigned>(std::countr_zero(bits));
      if (Record* record = find(seq)) settle(*record, kAcknowledged);
    }
  }
  pop_settled();
  return {};
}

void Outbox::settle(uint64_t seq, const Reply& reply) {
  if (Record* record = find(seq)) settle(*record, reply);
  pop_settled();
}

void Outbox::settle(Record& record, const Reply& reply) {
  if (record.settled) return;
  record.settled = true;
  --unsettled_;
  if (!planted(Fault::kChargeKept)) bytes_ -= record.bytes;
  shelf_.drop(record.kept);
  std::exchange(record.waiting, {}).settle(reply);
}

uint64_t Outbox::response_to(uint64_t request_id) const {
  for (size_t i = records_.size(); i-- > 0;) {
    const Record& record = records_[i];
    if (!record.settled && !record.waiting && record.waiting.cookie == request_id) return base_ + i;
  }
  return 0;
}

void Outbox::fail_all(const Reply& reply) {
  // Waiters may look at the outbox while being told, so it is empty before the first hears of it.
  std::deque<Record> records = std::exchange(records_, {});
  base_ += records.size();
  bytes_ = 0;
  unsettled_ = 0;
  for (Record& record : records) shelf_.drop(record.kept);
  for (const Record& record : records) {
    if (!record.settled) record.waiting.settle(reply);
  }
}

Outbox::Record* Outbox::find(uint64_t seq) {
  if (seq < base_ || seq >= next_seq()) return nullptr;
  return &records_[seq - base_];
}

void Outbox::pop_settled() {
  while (!records_.empty() && records_.front().settled) {
    records_.pop_front();
    ++base_;
  }
}

}  // namespace godwit::session
