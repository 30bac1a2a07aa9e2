#include "admin/labels.h"
#include "admin/metric_table.h"

namespace godwit::admin {
namespace {

using M = WorkerMetrics;

constexpr SeriesType kCounter = SeriesType::kCounter;
constexpr SeriesType kGauge = SeriesType::kGauge;
constexpr SeriesType kHistogram = SeriesType::kHistogram;

using ByKindAndSize = std::array<Counters<kSizeClasses>, kMessageKinds>;

void add_messages(const Scrape& scrape, ByKindAndSize M::*counters, Series& series) {
  for (size_t kind = 0; kind < kMessageKinds; ++kind) {
    for (size_t size = 0; size < kSizeClasses; ++size) {
      series.add({{"type", kKindLabels[kind]}, {"size_class", kSizeLabels[size]}},
                 total(
                     scrape, [&](const M& m) -> const auto& { return (m.*counters)[kind][size]; }));
    }
  }
}

template <size_t N>
void add_each(const Scrape& scrape, Counters<N> M::*counters, std::string_view label,
              const std::array<std::string_view, N>& values, Series& series) {
  for (size_t i = 0; i < N; ++i) {
    series.add({{label, values[i]}}, total(
                                         scrape, [&](const M& m) -> const auto& { return (m.*counters)[i]; }));
  }
}

void add_failures(const Scrape& scrape, Series& series) {
  for (size_t stage = 0; stage < kFailureStages; ++stage) {
    for (size_t code = 0; code <= kCodeCount; ++code) {
      const double sum = total(
          scrape, [&](const M& m) -> const auto& { return m.message_failures[stage][code]; });
      if (sum == 0) continue;
      series.add({{"code", code < kCodeCount ? all_codes()[code].name : "Unknown"}, {"stage", kFailureLabels[stage]}},
                 sum);
    }
  }
}

// The sum over all workers of a member of WorkerMetrics.
#define TOTAL(member) \
  total(              \
      scrape, [](const M& m) -> const auto& { return m.member; })
#define PLAIN(member) [](const Scrape& scrape, Series& series) { series.add({}, TOTAL(member)); }

constexpr Metric kMetrics[] = {
    {"godwit_sessions", kGauge, "state",
     "Sessions by state: normal, or parted (their connection was lost; kept to be resumed).",
     [](const Scrape& scrape, Series& series) {
       series.add({{"state", "normal"}}, TOTAL(sessions) - TOTAL(sessions_parted));
       series.add({{"state", "parted"}}, TOTAL(sessions_parted));
     }},
    {"godwit_session_resumes_total", kCounter, "result",
     "Sessions whose connection was lost, by what became of them: recovered, expired, or rejected when a client asked "
     "for one.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"result", "recovered"}}, TOTAL(resumes));
       series.add({{"result", "expired"}}, TOTAL(resumes_expired));
       series.add({{"result", "rejected"}}, TOTAL(resumes_refused));
     }},
    {"godwit_sessions_superseded_total", kCounter, "",
     "Sessions that ended because their client came in anew, with proof that it is the same.",
     PLAIN(sessions_superseded)},
    {"godwit_sessions_restored_total", kCounter, "", "Sessions of the process before that were read from the store.",
     PLAIN(sessions_restored)},
    {"godwit_messages_restored_total", kCounter, "", "Durable events of those sessions that their clients had not got.",
     PLAIN(messages_restored)},
    {"godwit_message_retransmits_total", kCounter, "", "Messages sent again over another connection of their session.",
     PLAIN(messages_resent)},
    {"godwit_heartbeat_timeouts_total", kCounter, "",
     "Connections that ended because nothing was heard for session.heartbeat_timeout_count intervals.",
     PLAIN(heartbeat_timeouts)},
    {"godwit_hellos_refused_total", kCounter, "", "Clients that were turned away.", PLAIN(hellos_refused)},
    {"godwit_messages_received_total", kCounter, "type, size_class", "Messages received, each once.",
     [](const Scrape& scrape, Series& series) { add_messages(scrape, &M::messages_received, series); }},
    {"godwit_messages_sent_total", kCounter, "type, size_class", "Messages sent.",
     [](const Scrape& scrape, Series& series) { add_messages(scrape, &M::messages_sent, series); }},
    {"godwit_message_received_bytes_total", kCounter, "size_class", "Bytes of the bodies received.",
     [](const Scrape& scrape, Series& series) {
       add_each(scrape, &M::message_bytes_received, "size_class", kSizeLabels, series);
     }},
    {"godwit_message_sent_bytes_total", kCounter, "size_class", "Bytes of the bodies sent.",
     [](const Scrape& scrape, Series& series) {
       add_each(scrape, &M::message_bytes_sent, "size_class", kSizeLabels, series);
     }},
    {"godwit_message_duration_seconds", kHistogram, "type",
     "Receipt of a message to its answer, or to the end of its handler.",
     [](const Scrape& scrape, Series& series) {
       for (size_t kind = 0; kind < kMessageKinds; ++kind) {
         series.add({{"type", kKindLabels[kind]}},
                    merged(
                        scrape, [&](const M& m) -> const auto& { return m.message_seconds[kind]; }));
       }
     }},
    {"godwit_messages_dropped_total", kCounter, "reason",
     "Messages that reached no handler, by reason: queue_full, expired, overload, closed, forbidden, loop, cancelled.",
     [](const Scrape& scrape, Series& series) {
       add_each(scrape, &M::messages_dropped, "reason", kDropLabels, series);
     }},
    {"godwit_message_failures_total", kCounter, "code, stage",
     "Messages that failed, by code (Unknown: a number of a handler's own) and stage: refused (before a handler was "
     "entered), handler (its verdict). None yet: absent.",
     [](const Scrape& scrape, Series& series) { add_failures(scrape, series); }},
    {"godwit_broadcast_recipients_total", kCounter, "scope",
     "Sessions that broadcasts of scripts and plugins went to, by scope: group, all.",
     [](const Scrape& scrape, Series& series) {
       uint64_t in_groups = 0, everywhere = 0;
       for (const WorkerView& worker : scrape.workers) {
         in_groups += worker.recipients_in_groups;
         everywhere += worker.recipients_everywhere;
       }
       series.add({{"scope", "group"}}, in_groups);
       series.add({{"scope", "all"}}, everywhere);
     }},
    {"godwit_message_duplicates_total", kCounter, "", "Messages that came again and were recognised.",
     PLAIN(duplicates_dropped)},
    {"godwit_strategy_selections_total", kCounter, "strategy, size_class",
     "Messages sent by a strategy's plan; default is the plan of the server itself.",
     [](const Scrape& scrape, Series& series) {
       for (const auto& [name, strategy] : scrape.strategies) {
         for (size_t size = 0; size < kSizeClasses; ++size)
           series.add({{"strategy", name}, {"size_class", kSizeLabels[size]}}, strategy.selections[size]);
       }
     }},
    {"godwit_arriving_body_bytes", kGauge, "", "Bodies that are arriving on streams of their own and have room.",
     PLAIN(arriving_bytes)},
    {"godwit_bodies_held_total", kCounter, "", "Bodies that flow control held until there was room for them.",
     PLAIN(bodies_held)},
    {"godwit_handler_not_found_total", kCounter, "", "Messages that no handler is bound to.", PLAIN(handler_not_found)},
    {"godwit_acks_total", kCounter, "direction", "Acknowledgement frames, by direction: in, out.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"direction", "in"}}, TOTAL(acks_received));
       series.add({{"direction", "out"}}, TOTAL(acks_sent));
     }},
    {"godwit_promises", kGauge, "", "Replies and acknowledgements that are waited for.", PLAIN(promises)},
    {"godwit_promises_max", kGauge, "", "The bound of those, over all workers.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.promises_max * scrape.workers.size()); }},
    {"godwit_promises_created_total", kCounter, "", "Replies and acknowledgements that were ever waited for.",
     PLAIN(promises_created)},
    {"godwit_promises_finished_total", kCounter, "result",
     "How waiting ended: ok, failure, timeout, cancelled, rejected.",
     [](const Scrape& scrape, Series& series) {
       add_each(scrape, &M::promises_finished, "result", kPromiseLabels, series);
     }},
    {"godwit_late_replies_total", kCounter, "", "Replies that came when nobody waited any more.", PLAIN(late_replies)},
    {"godwit_handlers_cancelled_total", kCounter, "", "Handlers that were told that nobody waits for their answer.",
     PLAIN(handlers_cancelled)},
    {"godwit_bound_events", kGauge, "", "Events that wait for the response that they come before or after.",
     PLAIN(bound_events)},
    {"godwit_bound_events_expired_total", kCounter, "",
     "Of those, how many were dropped because the response was late.", PLAIN(bound_events_expired)},
    {"godwit_outbox_waiting", kGauge, "", "Events for which a full session has no room yet.", PLAIN(outbox_waiting)},
    {"godwit_outbox_overflows_total", kCounter, "result",
     "Events for sessions that were full, by what became of them: rejected, dropped (the oldest that waited), closed "
     "(with the session).",
     [](const Scrape& scrape, Series& series) {
       add_each(scrape, &M::outbox_overflows, "result", kOverflowLabels, series);
     }},
    {"godwit_sessions_idled_total", kCounter, "", "Sessions that were ended because they were not used.",
     PLAIN(sessions_idled)},
    {"godwit_offline_messages", kGauge, "", "Events that are kept for users who are away.", PLAIN(offline_messages)},
    {"godwit_offline_bytes", kGauge, "", "Bytes of those events.", PLAIN(offline_bytes)},
    {"godwit_offline_total", kCounter, "result",
     "Events for users who were away, by what became of them: kept, and of those delivered, dropped (no room) or "
     "expired.",
     [](const Scrape& scrape, Series& series) {
       series.add({{"result", "kept"}}, TOTAL(offline_kept));
       series.add({{"result", "delivered"}}, TOTAL(offline_delivered));
       series.add({{"result", "dropped"}}, TOTAL(offline_dropped));
       series.add({{"result", "expired"}}, TOTAL(offline_expired));
     }},
    {"godwit_dispatch_queue_length", kGauge, "", "Messages that wait for a handler.", PLAIN(dispatch_queue)},
    {"godwit_dispatch_queue_bytes", kGauge, "", "Bytes of those messages.", PLAIN(dispatch_queue_bytes)},
    {"godwit_dispatch_queue_capacity", kGauge, "", "How many may wait, over all workers.",
     [](const Scrape& scrape, Series& series) {
       series.add({}, scrape.facts.dispatch_queue_max * scrape.workers.size());
     }},
};

#undef TOTAL
#undef PLAIN

}  // namespace

std::span<const Metric> message_metrics() { return kMetrics; }

}  // namespace godwit::admin
