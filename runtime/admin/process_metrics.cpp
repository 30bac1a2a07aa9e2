#include "admin/health.h"
#include "admin/labels.h"
#include "admin/metric_table.h"

namespace godwit::admin {
namespace {

constexpr SeriesType kCounter = SeriesType::kCounter;
constexpr SeriesType kGauge = SeriesType::kGauge;
constexpr SeriesType kHistogram = SeriesType::kHistogram;

double seconds_of_us(int64_t us) { return static_cast<double>(us) * 1e-6; }

/// `value(worker)` for each worker, labelled with its number.
template <typename Value>
void add_loops(const Scrape& scrape, Series& series, Value value) {
  for (size_t i = 0; i < scrape.workers.size(); ++i) {
    series.add({{"loop", std::to_string(i)}}, value(scrape.workers[i]));
  }
}

/// `value(app)` for each app, all workers together.
template <typename Value>
void add_apps(const Scrape& scrape, Series& series, Value value) {
  for (const AppView& app : apps_over_workers(scrape)) series.add({{"app", app.name}}, value(app));
}

/// `value(app)` for each app on each worker.
template <typename Value>
void add_app_loops(const Scrape& scrape, Series& series, Value value) {
  for (const AppView& app : scrape.apps) {
    series.add({{"app", app.name}, {"loop", std::to_string(app.worker)}}, value(app));
  }
}

constexpr Metric kMetrics[] = {
    {"godwit_loop_iterations_total", kCounter, "loop", "Turns of a worker's loop.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series, [](const WorkerView& w) { return w.metrics->loop_iterations.value(); });
     }},
    {"godwit_loop_lag_seconds", kHistogram, "loop", "How late timers fired: how long others keep a worker busy.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series, [](const WorkerView& w) { return w.metrics->loop_lag_seconds.snapshot(); });
     }},
    {"godwit_loop_busy_seconds_total", kCounter, "loop", "Time that a loop did not sleep.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series,
                 [](const WorkerView& w) { return static_cast<double>(w.metrics->loop_busy_ns.value()) * 1e-9; });
     }},
    {"godwit_loop_stalled", kGauge, "loop", "1 while a loop has not come round for 5 s, otherwise 0.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series, [&](const WorkerView& w) { return uint64_t{scrape.now - w.last_beat >= kStallTime}; });
     }},
    {"godwit_loop_misrouted_datagrams_total", kCounter, "loop",
     "Datagrams that the kernel gave to another worker's socket.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series, [](const WorkerView& w) { return w.metrics->misrouted_datagrams.value(); });
     }},
    {"godwit_lua_messages_total", kCounter, "app", "Messages that an app's handlers took.",
     [](const Scrape& scrape, Series& series) {
       add_apps(scrape, series, [](const AppView& app) { return app.handled; });
     }},
    {"godwit_lua_handler_errors_total", kCounter, "app, kind",
     "Handlers that failed, by kind: error, timeout (ended by the watchdog).",
     [](const Scrape& scrape, Series& series) {
       for (const AppView& app : apps_over_workers(scrape)) {
         series.add({{"app", app.name}, {"kind", "error"}}, app.errors);
         series.add({{"app", app.name}, {"kind", "timeout"}}, app.timeouts);
       }
     }},
    {"godwit_lua_handler_duration_seconds", kHistogram, "app",
     "How long a message held its worker in an app's handler, without what it waited; messages that are handled "
     "together share their time equally.",
     [](const Scrape& scrape, Series& series) {
       for (const AppView& app : apps_over_workers(scrape)) series.add({{"app", app.name}}, app.handler_seconds);
     }},
    {"godwit_lua_coroutines", kGauge, "app, loop", "Handlers and tasks of an app that wait for something.",
     [](const Scrape& scrape, Series& series) {
       add_app_loops(scrape, series, [](const AppView& app) { return app.waiting; });
     }},
    {"godwit_lua_vm_memory_bytes", kGauge, "app, loop", "Memory of an app's VM.",
     [](const Scrape& scrape, Series& series) {
       add_app_loops(scrape, series, [](const AppView& app) { return app.memory_bytes; });
     }},
    {"godwit_lua_vm_memory_limit_bytes", kGauge, "app, loop", "The bound of that.",
     [](const Scrape& scrape, Series& series) {
       add_app_loops(scrape, series, [](const AppView& app) { return app.memory_bytes_max; });
     }},
    {"godwit_app_generation", kGauge, "app", "The newest loaded version of an app, counted from 1.",
     [](const Scrape& scrape, Series& series) {
       add_apps(scrape, series, [](const AppView& app) { return uint64_t{app.generation}; });
     }},
    {"godwit_app_reloads_total", kCounter, "app, result",
     "Loads of an app, by result: ok, failed (the old one serves on).",
     [](const Scrape& scrape, Series& series) {
       for (const AppReloads& app : scrape.app_reloads) {
         series.add({{"app", app.name}, {"result", "ok"}}, app.succeeded);
         series.add({{"app", app.name}, {"result", "failed"}}, app.failed);
       }
     }},
    {"godwit_app_rollbacks_total", kCounter, "app", "Loads that failed on probation and were taken back.",
     [](const Scrape& scrape, Series& series) {
       for (const AppReloads& app : scrape.app_reloads) series.add({{"app", app.name}}, app.rolled_back);
     }},
    {"godwit_app_generations", kGauge, "loop",
     "Versions of scripts and plugins in memory: live, kept ready on probation, or with something left to end.",
     [](const Scrape& scrape, Series& series) {
       add_loops(scrape, series, [](const WorkerView& w) { return w.generations; });
     }},
    {"godwit_async_tasks", kGauge, "", "Work of scripts and plugins in the pool: waiting, or being done.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.pool.tasks); }},
    {"godwit_async_tasks_total", kCounter, "result", "That work, by result: done, rejected (too much was waiting).",
     [](const Scrape& scrape, Series& series) {
       series.add({{"result", "done"}}, scrape.facts.pool.done);
       series.add({{"result", "rejected"}}, scrape.facts.pool.rejected);
     }},
    {"godwit_async_task_duration_seconds", kHistogram, "", "How long a thread of the pool was busy with it.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.pool.seconds); }},
    {"godwit_metric_samples_refused_total", kCounter, "unit, metric",
     "Samples of a script's or plugin's metric that were one combination of labels too many. None yet: absent.",
     [](const Scrape& scrape, Series& series) {
       for (const MetricStore::View& view : scrape.unit_metrics) {
         if (view.metric->refused() == 0) continue;
         series.add({{"unit", view.unit}, {"metric", view.metric->declaration().name}}, view.metric->refused());
       }
     }},
    {"godwit_log_messages_total", kCounter, "level", "Log records, those held back as repeats included.",
     [](const Scrape& scrape, Series& series) {
       for (size_t i = 0; i < kLogLabels.size(); ++i) {
         series.add({{"level", kLogLabels[i]}}, scrape.facts.log_records[i]);
       }
     }},
    {"godwit_log_lines_dropped_total", kCounter, "", "Log lines lost to a full queue or disk.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.facts.log_lines_dropped); }},
    {"godwit_config_last_reload_success", kGauge, "",
     "1 when the last reload of the configuration succeeded. None yet: absent.",
     [](const Scrape& scrape, Series& series) {
       if (const auto& reload = scrape.facts.config_reload) series.add({}, uint64_t{reload->succeeded});
     }},
    {"godwit_config_last_reload_timestamp_seconds", kGauge, "", "When that was, since 1970. None yet: absent.",
     [](const Scrape& scrape, Series& series) {
       if (const auto& reload = scrape.facts.config_reload) series.add({}, seconds_of_us(reload->unix_us));
     }},
    {"godwit_build_info", kGauge, "version, commit, luajit", "Always 1.",
     [](const Scrape& scrape, Series& series) {
       const ServerFacts& facts = scrape.facts;
       series.add({{"version", facts.version}, {"commit", facts.commit}, {"luajit", facts.luajit}}, uint64_t{1});
     }},
    {"godwit_start_time_seconds", kGauge, "", "When the server started, since 1970.",
     [](const Scrape& scrape, Series& series) { series.add({}, seconds_of_us(scrape.facts.started_unix_us)); }},
    {"process_cpu_seconds_total", kCounter, "", "User and system time of all threads.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.cpu_seconds); }},
    {"process_resident_memory_bytes", kGauge, "", "Memory held in RAM.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.resident_bytes); }},
    {"process_virtual_memory_bytes", kGauge, "", "Address space in use.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.virtual_bytes); }},
    {"process_open_fds", kGauge, "", "Open file descriptors.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.open_files); }},
    {"process_max_fds", kGauge, "", "The bound of those.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.open_files_max); }},
    {"process_threads", kGauge, "", "Threads of the process.",
     [](const Scrape& scrape, Series& series) { series.add({}, scrape.process.threads); }},
};

}  // namespace

std::span<const Metric> process_metrics() { return kMetrics; }

}  // namespace godwit::admin
