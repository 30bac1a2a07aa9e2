// How packets are built: control first, then datagrams, then the streams whose turn it is, as many of each as fit.

#include "quic/ngtcp2_types.h"
#include "quic/transport.h"

namespace godwit::quic {
namespace {

/// Sends per connection and flush: then others have their turn.
constexpr int kSendsPerFlush = 4;

/// No more than this is on its way at one time, whatever the peer acknowledges: one that acknowledges what it has not
/// received (which ngtcp2 0.12 cannot tell) must not open the window for good.
constexpr uint64_t kInFlightBytesMax = 16 * 1024 * 1024;

/// Pieces of a stream in one packet; small writes share blocks, so two suffice nearly always.
constexpr size_t kPiecesMax = 8;

/// ngtcp2 0.12 acts on some deadlines only once they lie in the past: a timer for this very moment would fire for ever.
constexpr Duration kTimerStep = 1us;

}  // namespace

void Transport::flush(Timestamp now) {
  dirty_ = false;
  if (shared_.transmitter.blocked()) return mark_dirty();
  if (auto* closing = std::get_if<Closing>(&life_)) {
    if (std::exchange(closing->due, false)) repeat_goodbye(*closing);
  } else if (is_open() && write_some(now)) {
    mark_dirty();
  }
}

/// True when there is more to write at once.
bool Transport::write_some(Timestamp now) {
  Transmitter& transmitter = shared_.transmitter;
  Fill filled = Fill::kMore;
  connection_window_full_ = false;
  update_pacer(now);
  for (int sends = 0; sends < kSendsPerFlush && filled == Fill::kMore; ++sends) {
    filled = fill(now);
    if (!transmitter.send()) break;
  }
  if (filled == Fill::kFailed) return false;
  if (keys_expired_ && ngtcp2_conn_initiate_key_update(connection_.get(), to_ns(now)) == 0) {
    keys_expired_ = false;
    ++key_updates_;
  }
  leave_when_done(now);
  rearm(now);
  return filled == Fill::kMore;
}

void Transport::update_pacer(Timestamp now) {
  ngtcp2_conn_stat stat;
  ngtcp2_conn_get_conn_stat(connection_.get(), &stat);
  // RFC 9002, section 7.7: a little more than the window per round trip, so that pacing is not what limits.
  const double window_rate = 1.25 * static_cast<double>(stat.cwnd) / static_cast<double>(stat.smoothed_rtt);
  pacer_.set_rate(stat.pacing_rate > 0 ? stat.pacing_rate : window_rate, Duration(stat.smoothed_rtt));
  pacer_.advance(now);
  in_flight_full_ = stat.bytes_in_flight >= kInFlightBytesMax;
}

Transport::Fill Transport::fill(Timestamp now) {
  Transmitter& transmitter = shared_.transmitter;
  const size_t packet_max = ngtcp2_conn_get_max_tx_udp_payload_size(connection_.get());
  while (!transmitter.full()) {
    if (!pacer_.open() || in_flight_full_) return Fill::kIdle;
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_pkt_info info{};
    const ngtcp2_ssize written = write_packet(transmitter.room().first(packet_max), path, info, now);
    if (written < 0) {
      fail_local(static_cast<int>(written), now);
      return Fill::kFailed;
    }
    if (written == 0) return Fill::kIdle;
    transmitter.commit(static_cast<size_t>(written), from_ngtcp2(path.path), info.ecn);
    pacer_.spend(static_cast<size_t>(written));
    ++packets_sent_;
    bytes_sent_ += static_cast<uint64_t>(written);
  }
  return Fill::kMore;
}

/// One packet: 0 = nothing may or need be sent now.
ngtcp2_ssize Transport::write_packet(MutableBytes room, ngtcp2_path_storage& path, ngtcp2_pkt_info& info,
                                     Timestamp now) {
  for (;;) {
    Stream* stream = connection_window_full_ ? nullptr : schedule_.next();
    const bool datagram_first = !datagrams_.empty() && !(stream && stream->rank == StreamRank::kControl);
    const ngtcp2_ssize written =
        datagram_first ? write_datagram(room, path, info, now) : write_stream(stream, room, path, info, now);
    if (written != NGTCP2_ERR_WRITE_MORE) return written;
  }
}

/// NGTCP2_ERR_WRITE_MORE = go on with this packet.
ngtcp2_ssize Transport::write_datagram(MutableBytes room, ngtcp2_path_storage& path, ngtcp2_pkt_info& info,
                                       Timestamp now) {
  const Bytes payload = datagrams_.front();
  const ngtcp2_vec piece{const_cast<uint8_t*>(payload.data()), payload.size()};
  const size_t pieces = payload.empty() ? 0 : 1;
  int accepted = 0;
  const ngtcp2_ssize written =
      ngtcp2_conn_writev_datagram(connection_.get(), &path.path, &info, room.data(), room.size(), &accepted,
                                  NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &piece, pieces, to_ns(now));
  // The path may have become too narrow for it since it was queued.
  const bool hopeless = written == NGTCP2_ERR_INVALID_ARGUMENT || written == NGTCP2_ERR_INVALID_STATE;
  if (accepted || hopeless) datagrams_.pop();
  return hopeless ? NGTCP2_ERR_WRITE_MORE : written;
}

ngtcp2_ssize Transport::write_stream(Stream* stream, MutableBytes room, ngtcp2_path_storage& path,
                                     ngtcp2_pkt_info& info, Timestamp now) {
  if (!stream)
    return ngtcp2_conn_writev_stream(connection_.get(), &path.path, &info, room.data(), room.size(), nullptr, 0, -1,
                                     nullptr, 0, to_ns(now));
  Bytes pieces[kPiecesMax];
  ngtcp2_vec vectors[kPiecesMax];
  const size_t count = stream->out.peek(pieces, room.size());
  size_t peeked = 0;
  for (size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<uint8_t*>(pieces[i].data()), pieces[i].size()};
    peeked += pieces[i].size();
  }
  const bool end = stream->out.reaches_end(peeked);
  const uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (end ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0);
  ngtcp2_ssize taken = -1;
  const ngtcp2_ssize written = ngtcp2_conn_writev_stream(connection_.get(), &path.path, &info, room.data(), room.size(),
                                                         &taken, flags, stream->id, vectors, count, to_ns(now));
  if (taken >= 0) stream_wrote(*stream, static_cast<size_t>(taken), end && static_cast<size_t>(taken) == peeked);
  switch (written) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED: stream_blocked(*stream); return NGTCP2_ERR_WRITE_MORE;
    case NGTCP2_ERR_STREAM_SHUT_WR:
    case NGTCP2_ERR_STREAM_NOT_FOUND: told_to_stop(*stream, 0); return NGTCP2_ERR_WRITE_MORE;
    default: return written;
  }
}

void Transport::stream_wrote(Stream& stream, size_t bytes, bool end) {
  stream.out.mark_sent(bytes);
  if (end) stream.out.mark_end_sent();
  if (stream.out.has_work())
    schedule_.wrote(stream, bytes);
  else
    schedule_.remove(stream);
}

/// Either the whole connection is out of credit, which nothing but MAX_DATA ends, or this stream is: it gives way until
/// MAX_STREAM_DATA comes (on_stream_window).
void Transport::stream_blocked(Stream& stream) {
  if (ngtcp2_conn_get_max_data_left(connection_.get()) == 0)
    connection_window_full_ = true;
  else
    schedule_.remove(stream);
}

void Transport::rearm(Timestamp now) {
  Timestamp deadline = from_ns(std::min<uint64_t>(ngtcp2_conn_get_expiry(connection_.get()), to_ns(kNever)));
  if (!pacer_.open()) deadline = std::min(deadline, pacer_.opens_at());
  if (leaving_) deadline = std::min(deadline, leaving_->until);
  shared_.world.timers.arm(timer_, std::max(deadline, now + kTimerStep));
}

}  // namespace godwit::quic
