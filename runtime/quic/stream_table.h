#pragma once

#include <tsl/robin_map.h>

#include <memory>

#include "base/metrics.h"
#include "quic/stream.h"

namespace godwit::quic {

/// The streams of one connection by id. Addresses are stable; ngtcp2 keeps them as stream user data.
class StreamTable {
 public:
  StreamTable(Role role, BlockPool& blocks, Gauge& open) : role_(role), blocks_(blocks), open_(open) {}
  ~StreamTable() { clear(); }
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  Stream& add(StreamId id) {
    auto stream = std::make_unique<Stream>(id, rank_of(id), blocks_);
    Stream& added = *stream;
    streams_.emplace(id, std::move(stream));
    open_.add();
    latest_ = &added;
    return added;
  }

  /// Null for an id that is not, or no longer, in use. Remembers the latest, which most calls ask for again.
  Stream* find(StreamId id) const {
    if (latest_ && latest_->id == id) return latest_;
    const auto found = streams_.find(id);
    if (found == streams_.end()) return nullptr;
    return latest_ = found->second.get();
  }

  void erase(StreamId id) {
    if (streams_.erase(id) == 0) return;
    open_.add(-1);
    latest_ = nullptr;
  }

  void clear() {
    open_.add(-static_cast<int64_t>(streams_.size()));
    streams_.clear();
    latest_ = nullptr;
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [id, stream] : streams_) visit(*stream);
  }

  bool is_ours(StreamId id) const { return opener_of(id) == role_; }

  /// The first unidirectional stream of each side is what it sends most on.
  bool is_shared_lane_of_peer(StreamId id) const { return id <= 3 && !is_bidi(id) && !is_ours(id); }

 private:
  StreamRank rank_of(StreamId id) const {
    if (id == 0) return StreamRank::kControl;
    return id <= 3 && !is_bidi(id) && is_ours(id) ? StreamRank::kSharedLane : StreamRank::kOther;
  }

  Role role_;
  BlockPool& blocks_;
  Gauge& open_;
  tsl::robin_map<StreamId, std::unique_ptr<Stream>> streams_;
  mutable Stream* latest_ = nullptr;
};

}  // namespace godwit::quic
