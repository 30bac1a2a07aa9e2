#include "quic/transport.h"

#include "quic/ngtcp2_types.h"

namespace godwit::quic {

Transport::Transport(EndpointShared& shared, ConnectionId id, Role role)
    : shared_(shared),
      id_(id),
      role_(role),
      streams_(role, shared.blocks, shared.world.metrics.streams_open),
      timer_([this](Timestamp now) { on_timer(now); }) {}

Transport::~Transport() {
  forget_cids();
  enter(Stage::kNone);
  // Before the streams: ngtcp2 still points into their queues.
  connection_.reset();
}

void Transport::read(const NetworkPath& path, uint8_t ecn, Bytes packet, Timestamp now) {
  if (auto* closing = std::get_if<Closing>(&life_)) {
    if (++closing->heard < closing->answer_at) return;
    closing->answer_at *= 2;
    closing->due = true;
    mark_dirty();
    return;
  }
  if (!is_open()) return;
  const ngtcp2_path on = to_ngtcp2(path);
  const ngtcp2_pkt_info info{ecn};
  const int result = ngtcp2_conn_read_pkt(connection_.get(), &on, &info, packet.data(), packet.size(), to_ns(now));
  heard_ = true;
  bytes_received_ += packet.size();
  if (result != 0) fail_read(result, now);
}

void Transport::after_read() {
  if (!is_open()) return;
  if (abusive_) return abort(Code::kExcessiveLoad, "streams are opened and reset too fast", shared_.world.clock.now());
  // Here no frame of wolfSSL is on the stack, and after the handshake the peer has nothing more to say to it.
  if (handshake_completed_) tls_->shed();
  mark_dirty();
  const NetworkPath current = from_ngtcp2(*ngtcp2_conn_get_path(connection_.get()));
  if (current == path_) return;
  path_ = current;
  if (!handshake_completed_) return;
  shared_.world.metrics.migrations.add();
  record(PathChanged{current});
}

NetworkPath Transport::as_known(const NetworkPath& path) const {
  if (!any_local_host_ || path.local.port() != path_.local.port()) return path;
  return {path_.local, path.remote};
}

Status Transport::migrate(const NetworkPath& path, Timestamp now) {
  if (!is_open() || !handshake_completed_) return fail(Code::kUnexpectedFrame, "the connection is not open");
  const ngtcp2_path to = to_ngtcp2(path);
  const int result = ngtcp2_conn_initiate_migration(connection_.get(), &to, to_ns(now));
  if (result != 0) return fail(Code::kConnectionLost, ngtcp2_strerror(result));
  any_local_host_ = path.local.is_unspecified();
  mark_dirty();
  return {};
}

void Transport::update_keys() {
  if (!is_open() || !handshake_completed_) return;
  keys_expired_ = true;
  mark_dirty();
}

ConnectionStats Transport::stats() const {
  ConnectionStats out;
  if (!connection_) return out;
  ngtcp2_conn_stat stat;
  ngtcp2_conn_get_conn_stat(connection_.get(), &stat);
  out.smoothed_rtt = Duration(stat.smoothed_rtt);
  out.min_rtt = Duration(stat.min_rtt == UINT64_MAX ? 0 : stat.min_rtt);
  out.congestion_window_bytes = stat.cwnd;
  out.bytes_in_flight = stat.bytes_in_flight;
  out.packets_sent = packets_sent_;
  out.packets_lost = packets_lost_;
  streams_.for_each([&](const Stream& stream) {
    if (!stream.over) out.packets_lost += ngtcp2_conn_get_stream_loss_count(connection_.get(), stream.id);
  });
  out.key_updates = key_updates_;
  out.bytes_sent = bytes_sent_;
  out.bytes_received = bytes_received_;
  return out;
}

// --- events ---------------------------------------------------------------------------------------------------------

void Transport::record(Event event) {
  events_.push_back(std::move(event));
  mark_eventful();
}

std::vector<Event> Transport::take_events() {
  eventful_ = false;
  for (Event& event : events_) {
    if (const auto* readable = std::get_if<StreamReadable>(&event)) {
      if (Stream* stream = streams_.find(readable->stream)) stream->readable_told = false;
    } else if (auto* drained = std::get_if<StreamDrained>(&event)) {
      Stream* stream = streams_.find(drained->stream);
      if (!stream) continue;
      stream->drained_told = false;
      drained->queued_bytes = stream->out.unacked();
    }
  }
  return std::exchange(events_, std::move(spare_events_));
}

void Transport::delivered(std::vector<Event>&& events) {
  for (const Event& event : events) {
    const auto* closed = std::get_if<StreamClosed>(&event);
    if (!closed) continue;
    streams_.erase(closed->stream);
    if (!is_open() || streams_.is_ours(closed->stream)) continue;
    if (is_bidi(closed->stream))
      ngtcp2_conn_extend_max_streams_bidi(connection_.get(), 1);
    else
      ngtcp2_conn_extend_max_streams_uni(connection_.get(), 1);
    mark_dirty();
  }
  events.clear();
  spare_events_ = std::move(events);
  if (ended_ && events_.empty()) release_transport();
}

/// What is left of an ended connection only answers stray packets: that takes no keys and no streams.
void Transport::release_transport() {
  connection_.reset();
  streams_.clear();
  schedule_ = {};
  datagrams_.clear();
}

void Transport::mark_dirty() {
  if (std::exchange(dirty_, true)) return;
  shared_.dirty.push_back(id_);
}

void Transport::mark_eventful() {
  if (std::exchange(eventful_, true)) return;
  shared_.eventful.push_back(id_);
}

void Transport::enter(Stage stage) {
  WorkerMetrics& metrics = shared_.world.metrics;
  const auto gauge = [&](Stage of) -> Gauge* {
    switch (of) {
      case Stage::kNone: return nullptr;
      case Stage::kHandshaking: return &metrics.connections_handshaking;
      case Stage::kOpen: return &metrics.connections_open;
      case Stage::kDraining: return &metrics.connections_draining;
    }
    return nullptr;
  };
  if (Gauge* left = gauge(stage_)) left->add(-1);
  if (Gauge* entered = gauge(stage)) entered->add();
  shared_.open_count += size_t{stage == Stage::kOpen} - size_t{stage_ == Stage::kOpen};
  stage_ = stage;
}

// --- connection ids -------------------------------------------------------------------------------------------------

void Transport::register_cid(const Cid& cid) {
  shared_.cids[cid] = id_;
  cids_.push_back(cid);
}

void Transport::retire_cid(const ngtcp2_cid& cid) {
  const Cid retired = from_ngtcp2(cid);
  shared_.cids.erase(retired);
  std::erase(cids_, retired);
}

void Transport::register_reset_token(const Cid& token) {
  shared_.reset_tokens[token] = id_;
  reset_tokens_.push_back(token);
}

void Transport::retire_reset_token(const Cid& token) {
  shared_.reset_tokens.erase(token);
  std::erase(reset_tokens_, token);
}

void Transport::forget_cids() {
  for (const Cid& cid : cids_) shared_.cids.erase(cid);
  for (const Cid& token : reset_tokens_) shared_.reset_tokens.erase(token);
  cids_.clear();
  reset_tokens_.clear();
}

}  // namespace godwit::quic
