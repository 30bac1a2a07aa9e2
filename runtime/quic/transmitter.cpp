#include "quic/transmitter.h"

namespace godwit::quic {

Transmitter::Transmitter(DatagramSender& sender, WorkerMetrics& metrics)
    : sender_(sender), metrics_(metrics), buffer_(new uint8_t[kBufferBytes]) {}

bool Transmitter::extends(const Run& run, size_t bytes, const NetworkPath& path, uint8_t ecn) const {
  return run.open && bytes <= run.segment_bytes && run.packets < kRunPacketsMax && run.bytes + bytes <= kRunBytesMax &&
         run.ecn == ecn && run.path == path;
}

void Transmitter::commit(size_t bytes, const NetworkPath& path, uint8_t ecn) {
  metrics_.packets_sent.add();
  metrics_.packet_bytes_sent.add(bytes);
  if (runs_.empty() || !extends(runs_.back(), bytes, path, ecn)) {
    runs_.push_back({path, ecn, used_, bytes, bytes, 1, true});
  } else {
    Run& run = runs_.back();
    run.bytes += bytes;
    ++run.packets;
    run.open = bytes == run.segment_bytes;
  }
  used_ += bytes;
}

bool Transmitter::send() {
  for (; sent_runs_ < runs_.size(); ++sent_runs_) {
    const Run& run = runs_[sent_runs_];
    const OutgoingDatagrams out{run.path, run.ecn, {buffer_.get() + run.offset, run.bytes}, run.segment_bytes};
    blocked_ = sender_.send(out) == SendOutcome::kBlocked;
    if (blocked_) return false;
  }
  runs_.clear();
  sent_runs_ = used_ = 0;
  return true;
}

}  // namespace godwit::quic
