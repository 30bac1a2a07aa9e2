#include "admin/metric_table.h"

namespace godwit::admin {
namespace {

using M = WorkerMetrics;

constexpr SeriesType kCounter = SeriesType::kCounter;
constexpr SeriesType kGauge = SeriesType::kGauge;
constexpr SeriesType kHistogram = SeriesType::kHistogram;

// The sum over all workers of a member of WorkerMetrics.
#define TOTAL(member) \
  total(              \
      scrape, [](const M& m) -> const auto& { return m.member; })
#define PLAIN(member) [](const Scrape& scrape, Series& series) { series.add({}, TOTAL(member)); }

constexpr Metric kMetrics[] = {
    {"godwit_connections", kGauge, "state", "QUIC connections by state: handshake, open, draining.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"state", "handshake"}}, TOTAL(connections_handshaking));
       series.add({{"state", "open"}}, TOTAL(connections_open));
       series.add({{"state", "draining"}}, TOTAL(connections_draining));
     }},
    {"godwit_connections_opened_total", kCounter, "", "Connections whose handshake was completed.",
     PLAIN(connections_opened)},
    {"godwit_tls_resumptions_total", kCounter, "", "Of those, handshakes that a ticket shortened.",
     PLAIN(handshakes_resumed)},
    {"godwit_connections_closed_total", kCounter, "reason",
     "Connections that ended, by reason: local (this server closed), peer, idle (silence), error.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"reason", "local"}}, TOTAL(connections_closed_local));
       series.add({{"reason", "peer"}}, TOTAL(connections_closed_peer));
       series.add({{"reason", "idle"}}, TOTAL(connections_closed_idle));
       series.add({{"reason", "error"}}, TOTAL(connections_closed_error));
     }},
    {"godwit_connections_refused_total", kCounter, "", "Connections refused because a limit was reached.",
     PLAIN(connections_refused)},
    {"godwit_handshake_duration_seconds", kHistogram, "", "First packet to completed handshake.",
     [](const Scrape& scrape, Series& series) {
       series.add({}, merged(
                          scrape, [](const M& m) -> const auto& { return m.handshake_seconds; }));
     }},
    {"godwit_connection_migrations_total", kCounter, "", "Connections that moved to another address of their peer.",
     PLAIN(migrations)},
    {"godwit_streams", kGauge, "", "Open QUIC streams.", PLAIN(streams_open)},
    {"godwit_quic_packets_total", kCounter, "direction", "QUIC packets, by direction: in, out.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"direction", "in"}}, TOTAL(packets_received));
       series.add({{"direction", "out"}}, TOTAL(packets_sent));
     }},
    {"godwit_quic_packet_bytes_total", kCounter, "direction", "Bytes of those packets.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"direction", "in"}}, TOTAL(packet_bytes_received));
       series.add({{"direction", "out"}}, TOTAL(packet_bytes_sent));
     }},
    {"godwit_quic_packet_loss_total", kCounter, "", "Sent packets found lost.", PLAIN(packets_lost)},
    {"godwit_quic_packets_dropped_total", kCounter, "reason",
     "Received packets thrown away, by reason: small_initial, unknown (connection), malformed.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"reason", "small_initial"}}, TOTAL(packets_dropped_small_initial));
       series.add({{"reason", "unknown"}}, TOTAL(packets_dropped_unknown));
       series.add({{"reason", "malformed"}}, TOTAL(packets_dropped_malformed));
     }},
    {"godwit_quic_retries_total", kCounter, "", "Retry packets: peers told to prove their address first.",
     PLAIN(retries_sent)},
    {"godwit_quic_version_negotiations_total", kCounter, "", "Answers to packets of unknown versions.",
     PLAIN(version_negotiations_sent)},
    {"godwit_quic_stateless_resets_total", kCounter, "", "Answers to packets of unknown connections.",
     PLAIN(stateless_resets_sent)},
    {"godwit_quic_tokens_rejected_total", kCounter, "", "Address tokens that were wrong or too old.",
     PLAIN(tokens_rejected)},
    {"godwit_quic_alpn_mismatches_total", kCounter, "", "Handshakes of peers that speak another protocol.",
     PLAIN(alpn_mismatches)},
    {"godwit_udp_datagrams_lost_total", kCounter, "", "Sends that the system refused for good.",
     [](const Scrape& scrape, Series& series) {
       uint64_t sum = 0;
       for (const WorkerView& worker : scrape.workers) sum += worker.datagrams_lost;
       series.add({}, sum);
     }},
    {"godwit_udp_datagrams_bad_total", kCounter, "", "Datagrams received empty or cut off.",
     [](const Scrape& scrape, Series& series) {
       uint64_t sum = 0;
       for (const WorkerView& worker : scrape.workers) sum += worker.datagrams_bad;
       series.add({}, sum);
     }},
    {"godwit_udp_sends_blocked_total", kCounter, "", "Times that sending had to wait for the system.",
     [](const Scrape& scrape, Series& series) {
       uint64_t sum = 0;
       for (const WorkerView& worker : scrape.workers) sum += worker.sends_blocked;
       series.add({}, sum);
     }},
};

#undef TOTAL
#undef PLAIN

}  // namespace

std::span<const Metric> transport_metrics() { return kMetrics; }

}  // namespace godwit::admin
