#include "admin/metric_table.h"

namespace godwit::admin {
namespace {

constexpr SeriesType kCounter = SeriesType::kCounter;
constexpr SeriesType kGauge = SeriesType::kGauge;

constexpr Metric kMetrics[] = {
    {"godwit_store_batches_total", kCounter, "result",
     "Writes to the store, by result: applied, conflict (another version was there), refused (no room, too much "
     "waits), failed (the disk).",
     [](const Scrape& scrape, Series& series) {
       const StoreFacts& store = scrape.facts.store;
       series.add({{"result", "applied"}}, store.applied);
       series.add({{"result", "conflict"}}, store.conflicts);
       series.add({{"result", "refused"}}, store.refused);
       series.add({{"result", "failed"}}, store.failures);
     }},
    {"godwit_store_commits_total", kCounter, "", "Groups of writes that a durable store has synced together.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.store.commits); }},
    {"godwit_store_waiting", kGauge, "", "Calls that wait for the store.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.store.waiting); }},
    {"godwit_store_bytes", kGauge, "", "Bytes of the store's entries.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.store.bytes); }},
    {"godwit_operations", kGauge, "", "Keys of what is executed once that are kept.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.store.operations); }},
    {"godwit_operation_bytes", kGauge, "", "Bytes of their outcomes.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.store.operation_bytes); }},
};

}  // namespace

std::span<const Metric> store_metrics() { return kMetrics; }

}  // namespace godwit::admin
