#include "app/errand_lane.h"

namespace godwit::app {
namespace {

struct Bytes {
  size_t operator()(const DeliverErrand& errand) const { return errand.message.bytes(); }
  size_t operator()(const CancelErrand&) const { return 0; }
  // The message counts for each worker that it goes to: a little too much is on the safe side.
  size_t operator()(const SpreadErrand& errand) const {
    return errand.message->bytes() + errand.to.size() * sizeof(host::SessionKey);
  }
  size_t operator()(const KeepErrand& errand) const { return errand.message.bytes(); }
  size_t operator()(const CloseErrand& errand) const { return errand.text.size(); }
  size_t operator()(const SupersedeErrand&) const { return 0; }
  size_t operator()(const StatsErrand&) const { return 0; }
  size_t operator()(const ReplyErrand& errand) const { return errand.reply.bytes(); }
  size_t operator()(const FanoutErrand& errand) const {
    return errand.outcome.refusals.size() * sizeof(host::Fanout::Refusal);
  }
  size_t operator()(const StatsReplyErrand&) const { return 0; }
  size_t operator()(const CarryErrand& errand) const { return errand.message.bytes(); }
  size_t operator()(const VerdictErrand& errand) const { return errand.reply.bytes(); }
};

}  // namespace

size_t bytes_of(const Errand& errand) { return sizeof(Errand) + std::visit(Bytes(), errand); }

bool ErrandLane::has_room() const {
  return errands_.load(std::memory_order_relaxed) < kErrandsMax && bytes_.load(std::memory_order_relaxed) < kBytesMax;
}

void ErrandLane::push(Errand errand) {
  const size_t bytes = bytes_of(errand);
  gathered_.push_back(std::move(errand));
  gathered_bytes_ += bytes;
  errands_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

bool ErrandLane::flush() {
  if (gathered_.empty()) return true;
  const auto batch = std::make_shared<std::vector<Errand>>(std::move(gathered_));
  const bool posted = mailbox_.post([this, batch, bytes = gathered_bytes_] {
    run_(*batch);
    errands_.fetch_sub(batch->size(), std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  });
  if (!posted) {
    gathered_ = std::move(*batch);
    return false;
  }
  gathered_.clear();
  gathered_bytes_ = 0;
  return true;
}

}  // namespace godwit::app
