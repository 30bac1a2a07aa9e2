#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

#include "admin/metric_table.h"
#include "fake_source.h"
#include "source_root.h"

using namespace godwit;
using namespace godwit::admin;

namespace {

std::string exposition(const FakeSource& source, const Clock& clock) { return metrics_as_text(scrape(source, clock)); }

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

size_t series_count(const std::string& text) {
  std::istringstream lines(text);
  size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += !line.empty() && line[0] != '#';
  return count;
}

struct Moved {
  std::function<void(WorkerMetrics&)> move;
  std::string series;
};

/// Each counter and gauge of a worker, moved by 7, with the series that must show it.
std::vector<Moved> moves() {
  return {
      {[](auto& m) { m.connections_handshaking.add(7); }, R"(godwit_connections{state="handshake"})"},
      {[](auto& m) { m.connections_open.add(7); }, R"(godwit_connections{state="open"})"},
      {[](auto& m) { m.connections_draining.add(7); }, R"(godwit_connections{state="draining"})"},
      {[](auto& m) { m.connections_opened.add(7); }, "godwit_connections_opened_total"},
      {[](auto& m) { m.connections_closed_local.add(7); }, R"(godwit_connections_closed_total{reason="local"})"},
      {[](auto& m) { m.connections_closed_peer.add(7); }, R"(godwit_connections_closed_total{reason="peer"})"},
      {[](auto& m) { m.connections_closed_idle.add(7); }, R"(godwit_connections_closed_total{reason="idle"})"},
      {[](auto& m) { m.connections_closed_error.add(7); }, R"(godwit_connections_closed_total{reason="error"})"},
      {[](auto& m) { m.connections_refused.add(7); }, "godwit_connections_refused_total"},
      {[](auto& m) { m.migrations.add(7); }, "godwit_connection_migrations_total"},
      {[](auto& m) { m.streams_open.add(7); }, "godwit_streams"},
      {[](auto& m) { m.packets_received.add(7); }, R"(godwit_quic_packets_total{direction="in"})"},
      {[](auto& m) { m.packets_sent.add(7); }, R"(godwit_quic_packets_total{direction="out"})"},
      {[](auto& m) { m.packet_bytes_received.add(7); }, R"(godwit_quic_packet_bytes_total{direction="in"})"},
      {[](auto& m) { m.packet_bytes_sent.add(7); }, R"(godwit_quic_packet_bytes_total{direction="out"})"},
      {[](auto& m) { m.packets_lost.add(7); }, "godwit_quic_packet_loss_total"},
      {[](auto& m) { m.packets_dropped_small_initial.add(7); },
       R"(godwit_quic_packets_dropped_total{reason="small_initial"})"},
      {[](auto& m) { m.packets_dropped_unknown.add(7); }, R"(godwit_quic_packets_dropped_total{reason="unknown"})"},
      {[](auto& m) { m.packets_dropped_malformed.add(7); }, R"(godwit_quic_packets_dropped_total{reason="malformed"})"},
      {[](auto& m) { m.retries_sent.add(7); }, "godwit_quic_retries_total"},
      {[](auto& m) { m.version_negotiations_sent.add(7); }, "godwit_quic_version_negotiations_total"},
      {[](auto& m) { m.stateless_resets_sent.add(7); }, "godwit_quic_stateless_resets_total"},
      {[](auto& m) { m.tokens_rejected.add(7); }, "godwit_quic_tokens_rejected_total"},
      {[](auto& m) { m.alpn_mismatches.add(7); }, "godwit_quic_alpn_mismatches_total"},
      {[](auto& m) { m.sessions.add(7); }, R"(godwit_sessions{state="normal"})"},
      {[](auto& m) { m.hellos_refused.add(7); }, "godwit_hellos_refused_total"},
      {[](auto& m) { m.messages_received[0][0].add(7); },
       R"(godwit_messages_received_total{type="command",size_class="tiny"})"},
      {[](auto& m) { m.messages_received[1][1].add(7); },
       R"(godwit_messages_received_total{type="event",size_class="small"})"},
      {[](auto& m) { m.messages_sent[2][2].add(7); },
       R"(godwit_messages_sent_total{type="query",size_class="medium"})"},
      {[](auto& m) { m.messages_sent[3][4].add(7); },
       R"(godwit_messages_sent_total{type="response",size_class="huge"})"},
      {[](auto& m) { m.message_bytes_received[3].add(7); },
       R"(godwit_message_received_bytes_total{size_class="large"})"},
      {[](auto& m) { m.message_bytes_sent[0].add(7); }, R"(godwit_message_sent_bytes_total{size_class="tiny"})"},
      {[](auto& m) { m.messages_dropped[0].add(7); }, R"(godwit_messages_dropped_total{reason="queue_full"})"},
      {[](auto& m) { m.messages_dropped[1].add(7); }, R"(godwit_messages_dropped_total{reason="expired"})"},
      {[](auto& m) { m.messages_dropped[2].add(7); }, R"(godwit_messages_dropped_total{reason="overload"})"},
      {[](auto& m) { m.messages_dropped[3].add(7); }, R"(godwit_messages_dropped_total{reason="closed"})"},
      {[](auto& m) { m.messages_dropped[6].add(7); }, R"(godwit_messages_dropped_total{reason="cancelled"})"},
      {[](auto& m) { m.handlers_cancelled.add(7); }, "godwit_handlers_cancelled_total"},
      {[](auto& m) { m.bound_events.add(7); }, "godwit_bound_events"},
      {[](auto& m) { m.bound_events_expired.add(7); }, "godwit_bound_events_expired_total"},
      {[](auto& m) { m.outbox_waiting.add(7); }, "godwit_outbox_waiting"},
      {[](auto& m) { m.outbox_overflows[0].add(7); }, R"(godwit_outbox_overflows_total{result="rejected"})"},
      {[](auto& m) { m.outbox_overflows[2].add(7); }, R"(godwit_outbox_overflows_total{result="closed"})"},
      {[](auto& m) { m.sessions_idled.add(7); }, "godwit_sessions_idled_total"},
      {[](auto& m) { m.offline_messages.add(7); }, "godwit_offline_messages"},
      {[](auto& m) { m.offline_bytes.add(7); }, "godwit_offline_bytes"},
      {[](auto& m) { m.offline_kept.add(7); }, R"(godwit_offline_total{result="kept"})"},
      {[](auto& m) { m.offline_delivered.add(7); }, R"(godwit_offline_total{result="delivered"})"},
      {[](auto& m) { m.offline_dropped.add(7); }, R"(godwit_offline_total{result="dropped"})"},
      {[](auto& m) { m.offline_expired.add(7); }, R"(godwit_offline_total{result="expired"})"},
      {[](auto& m) { m.duplicates_dropped.add(7); }, "godwit_message_duplicates_total"},
      {[](auto& m) { m.messages_resent.add(7); }, "godwit_message_retransmits_total"},
      {[](auto& m) { m.sessions_parted.add(7); }, R"(godwit_sessions{state="parted"})"},
      {[](auto& m) { m.resumes.add(7); }, R"(godwit_session_resumes_total{result="recovered"})"},
      {[](auto& m) { m.resumes_expired.add(7); }, R"(godwit_session_resumes_total{result="expired"})"},
      {[](auto& m) { m.resumes_refused.add(7); }, R"(godwit_session_resumes_total{result="rejected"})"},
      {[](auto& m) { m.heartbeat_timeouts.add(7); }, "godwit_heartbeat_timeouts_total"},
      {[](auto& m) { m.sessions_superseded.add(7); }, "godwit_sessions_superseded_total"},
      {[](auto& m) { m.sessions_restored.add(7); }, "godwit_sessions_restored_total"},
      {[](auto& m) { m.messages_restored.add(7); }, "godwit_messages_restored_total"},
      {[](auto& m) { m.handshakes_resumed.add(7); }, "godwit_tls_resumptions_total"},
      {[](auto& m) { m.handler_not_found.add(7); }, "godwit_handler_not_found_total"},
      {[](auto& m) { m.acks_received.add(7); }, R"(godwit_acks_total{direction="in"})"},
      {[](auto& m) { m.acks_sent.add(7); }, R"(godwit_acks_total{direction="out"})"},
      {[](auto& m) { m.promises.add(7); }, "godwit_promises"},
      {[](auto& m) { m.promises_created.add(7); }, "godwit_promises_created_total"},
      {[](auto& m) { m.promises_finished[0].add(7); }, R"(godwit_promises_finished_total{result="ok"})"},
      {[](auto& m) { m.promises_finished[4].add(7); }, R"(godwit_promises_finished_total{result="rejected"})"},
      {[](auto& m) { m.late_replies.add(7); }, "godwit_late_replies_total"},
      {[](auto& m) { m.dispatch_queue.add(7); }, "godwit_dispatch_queue_length"},
  };
}

}  // namespace

TEST_CASE("each count of a worker moves its series, and all workers are summed") {
  TestClock clock;
  for (const Moved& moved : moves()) {
    INFO(moved.series);
    FakeSource source(clock);
    REQUIRE(has_line(exposition(source, clock), moved.series + " 0"));
    moved.move(*source.metrics[0]);
    REQUIRE(has_line(exposition(source, clock), moved.series + " 7"));
    moved.move(*source.metrics[1]);
    REQUIRE(has_line(exposition(source, clock), moved.series + " 14"));
  }
}

TEST_CASE("failures have a series for each code and stage that there was, all workers together") {
  TestClock clock;
  FakeSource source(clock);
  CHECK(exposition(source, clock).find("godwit_message_failures_total{") == std::string::npos);
  const auto fail = [&](size_t worker, FailureStage stage, Code code) {
    source.metrics[worker]->message_failures[static_cast<size_t>(stage)][index_of(code)].add(2);
  };
  fail(0, FailureStage::kRefused, Code::kHandlerNotFound);
  fail(1, FailureStage::kRefused, Code::kHandlerNotFound);
  fail(1, FailureStage::kHandler, Code::kHandlerFailed);
  fail(1, FailureStage::kHandler, Code{4999});
  const std::string text = exposition(source, clock);
  CHECK(has_line(text, R"(godwit_message_failures_total{code="HandlerNotFound",stage="refused"} 4)"));
  CHECK(has_line(text, R"(godwit_message_failures_total{code="HandlerFailed",stage="handler"} 2)"));
  CHECK(has_line(text, R"(godwit_message_failures_total{code="Unknown",stage="handler"} 2)"));
}

TEST_CASE("what apps, broadcasts and the pool take has series") {
  TestClock clock;
  FakeSource source(clock);
  Histogram quick;
  quick.record(2ms, 3);
  source.app_views = {{.name = "echo", .worker = 0, .waiting = 2, .handler_seconds = quick.snapshot()},
                      {.name = "echo", .worker = 1, .waiting = 5, .handler_seconds = quick.snapshot()}};
  source.reloads = {{.name = "echo", .rolled_back = 3}};
  source.views[0].recipients_in_groups = 4;
  source.views[1].recipients_in_groups = 5;
  source.views[1].recipients_everywhere = 6;
  source.views[1].generations = 7;
  source.server.pool = {.tasks = 8, .done = 9, .rejected = 10, .seconds = quick.snapshot()};
  const std::string text = exposition(source, clock);
  for (const std::string line : {
           R"(godwit_lua_handler_duration_seconds_bucket{app="echo",le="0.001"} 0)",
           R"(godwit_lua_handler_duration_seconds_bucket{app="echo",le="0.005"} 6)",
           R"(godwit_lua_handler_duration_seconds_count{app="echo"} 6)",
           R"(godwit_lua_coroutines{app="echo",loop="0"} 2)",
           R"(godwit_lua_coroutines{app="echo",loop="1"} 5)",
           R"(godwit_app_rollbacks_total{app="echo"} 3)",
           R"(godwit_app_generations{loop="1"} 7)",
           R"(godwit_broadcast_recipients_total{scope="group"} 9)",
           R"(godwit_broadcast_recipients_total{scope="all"} 6)",
           R"(godwit_async_tasks 8)",
           R"(godwit_async_tasks_total{result="done"} 9)",
           R"(godwit_async_tasks_total{result="rejected"} 10)",
           R"(godwit_async_task_duration_seconds_count 3)",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("strategies have a series for each class, all workers together") {
  TestClock clock;
  FakeSource source(clock);
  source.strategy_views = {
      {"default", {1, 0, 2, 0, 0}}, {"plugin/mine", {0, 5, 0, 0, 0}}, {"default", {3, 0, 0, 0, 0}}};
  const std::string text = exposition(source, clock);
  CHECK(has_line(text, R"(godwit_strategy_selections_total{strategy="default",size_class="tiny"} 4)"));
  CHECK(has_line(text, R"(godwit_strategy_selections_total{strategy="default",size_class="medium"} 2)"));
  CHECK(has_line(text, R"(godwit_strategy_selections_total{strategy="plugin/mine",size_class="small"} 5)"));
}

TEST_CASE("loops have a series each") {
  TestClock clock;
  FakeSource source(clock);
  source.metrics[1]->loop_iterations.add(5);
  source.metrics[1]->loop_busy_ns.add(1'500'000'000);
  source.metrics[0]->misrouted_datagrams.add(3);
  clock.advance(6s);
  source.views[0].last_beat = clock.now();
  const std::string text = exposition(source, clock);
  REQUIRE(has_line(text, R"(godwit_loop_iterations_total{loop="0"} 0)"));
  REQUIRE(has_line(text, R"(godwit_loop_iterations_total{loop="1"} 5)"));
  REQUIRE(has_line(text, R"(godwit_loop_busy_seconds_total{loop="1"} 1.5)"));
  REQUIRE(has_line(text, R"(godwit_loop_misrouted_datagrams_total{loop="0"} 3)"));
  REQUIRE(has_line(text, R"(godwit_loop_stalled{loop="0"} 0)"));
  REQUIRE(has_line(text, R"(godwit_loop_stalled{loop="1"} 1)"));
}

TEST_CASE("histograms count cumulatively and end with everything") {
  TestClock clock;
  FakeSource source(clock);
  source.metrics[0]->message_seconds[0].record(1ms, 10);
  source.metrics[1]->message_seconds[0].record(300ms, 5);
  source.metrics[1]->message_seconds[0].record(100s);
  source.metrics[0]->handshake_seconds.record(20ms);
  source.metrics[0]->loop_lag_seconds.record(2ms);
  const std::string text = exposition(source, clock);
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="0.0005"} 0)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="0.0025"} 10)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="0.25"} 10)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="0.5"} 15)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="30"} 15)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_bucket{type="command",le="+Inf"} 16)"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_count{type="command"} 16)"));
  REQUIRE_THAT(text, Catch::Contains("\ngodwit_message_duration_seconds_sum{type=\"command\"} 101.51"));
  REQUIRE(has_line(text, R"(godwit_message_duration_seconds_count{type="event"} 0)"));
  REQUIRE(has_line(text, "godwit_handshake_duration_seconds_count 1"));
  REQUIRE(has_line(text, R"(godwit_loop_lag_seconds_count{loop="0"} 1)"));
  REQUIRE(has_line(text, R"(godwit_loop_lag_seconds_count{loop="1"} 0)"));
}

TEST_CASE("sockets, apps, log and server facts have their series") {
  TestClock clock;
  FakeSource source(clock);
  source.views[0].datagrams_lost = 2;
  source.views[1].datagrams_lost = 3;
  source.views[0].datagrams_bad = 4;
  source.views[1].sends_blocked = 5;
  source.app_views = {
      {.name = "echo", .worker = 0, .generation = 2, .memory_bytes = 100, .memory_bytes_max = 1000, .handled = 7},
      {.name = "echo",
       .worker = 1,
       .generation = 3,
       .memory_bytes = 50,
       .memory_bytes_max = 1000,
       .handled = 1,
       .errors = 4,
       .timeouts = 2},
      {.name = "say \"hi\"", .worker = 0, .generation = 1},
  };
  source.reloads = {{.name = "echo", .succeeded = 3, .failed = 1}};
  source.server.log_records = {1, 2, 3, 4, 5};
  source.server.log_lines_dropped = 6;
  source.server.store = {.applied = 1,
                         .conflicts = 2,
                         .refused = 3,
                         .failures = 4,
                         .commits = 5,
                         .waiting = 6,
                         .bytes = 7,
                         .operations = 8,
                         .operation_bytes = 9};
  const std::string text = exposition(source, clock);
  for (const std::string line : {
           R"(godwit_udp_datagrams_lost_total 5)",
           R"(godwit_udp_datagrams_bad_total 4)",
           R"(godwit_udp_sends_blocked_total 5)",
           R"(godwit_lua_messages_total{app="echo"} 8)",
           R"(godwit_lua_messages_total{app="say \"hi\""} 0)",
           R"(godwit_lua_handler_errors_total{app="echo",kind="error"} 4)",
           R"(godwit_lua_handler_errors_total{app="echo",kind="timeout"} 2)",
           R"(godwit_lua_vm_memory_bytes{app="echo",loop="1"} 50)",
           R"(godwit_lua_vm_memory_limit_bytes{app="echo",loop="0"} 1000)",
           R"(godwit_app_generation{app="echo"} 3)",
           R"(godwit_app_reloads_total{app="echo",result="ok"} 3)",
           R"(godwit_app_reloads_total{app="echo",result="failed"} 1)",
           R"(godwit_log_messages_total{level="trace"} 1)",
           R"(godwit_log_messages_total{level="error"} 5)",
           R"(godwit_log_lines_dropped_total 6)",
           R"(godwit_store_batches_total{result="applied"} 1)",
           R"(godwit_store_batches_total{result="conflict"} 2)",
           R"(godwit_store_batches_total{result="refused"} 3)",
           R"(godwit_store_batches_total{result="failed"} 4)",
           R"(godwit_store_commits_total 5)",
           R"(godwit_store_waiting 6)",
           R"(godwit_store_bytes 7)",
           R"(godwit_operations 8)",
           R"(godwit_operation_bytes 9)",
           R"(godwit_build_info{version="1.2.3",commit="abcdef",luajit="LuaJIT 2.1"} 1)",
           R"(godwit_start_time_seconds 1699999910)",
           R"(godwit_dispatch_queue_capacity 2000)",
           R"(godwit_promises_max 100000)",
       }) {
    INFO(line);
    REQUIRE(has_line(text, line));
  }
}

TEST_CASE("a reload of the configuration is told once there was one") {
  TestClock clock;
  FakeSource source(clock);
  REQUIRE_THAT(exposition(source, clock), !Catch::Contains("\ngodwit_config_last_reload_success "));
  source.server.config_reload = ConfigReload{.unix_us = 1'700'000'000'000'000, .succeeded = false};
  const std::string text = exposition(source, clock);
  REQUIRE(has_line(text, "godwit_config_last_reload_success 0"));
  REQUIRE(has_line(text, "godwit_config_last_reload_timestamp_seconds 1700000000"));
}

TEST_CASE("the process tells of itself") {
  TestClock clock;
  const FakeSource source(clock);
  const Scrape before = scrape(source, clock);
  REQUIRE(before.process.resident_bytes > 1 << 20);
  REQUIRE(before.process.virtual_bytes > before.process.resident_bytes);
  REQUIRE(before.process.cpu_seconds > 0);
  REQUIRE(before.process.threads >= 1);
  REQUIRE(before.process.open_files_max > 3);
  std::ifstream file("/proc/self/maps");
  REQUIRE(scrape(source, clock).process.open_files == before.process.open_files + 1);
  const std::string text = exposition(source, clock);
  for (const std::string name :
       {"cpu_seconds_total", "resident_memory_bytes", "virtual_memory_bytes", "open_fds", "max_fds", "threads"}) {
    REQUIRE_THAT(text, Catch::Contains("\nprocess_" + name + " "));
  }
}

TEST_CASE("the number of series depends on workers and apps, not on traffic") {
  TestClock clock;
  FakeSource source(clock);
  const size_t idle = series_count(exposition(source, clock));
  for (const Moved& moved : moves()) {
    for (auto& metrics : source.metrics) moved.move(*metrics);
  }
  for (int i = 1; i < 1000; ++i) source.metrics[0]->message_seconds[static_cast<size_t>(i) % 4].record(i * 37ms);
  REQUIRE(series_count(exposition(source, clock)) == idle);
}

TEST_CASE("the README lists exactly the metrics that are exported") {
  std::ifstream file(testing::source_root() / "runtime/admin/README.md");
  std::stringstream readme;
  readme << file.rdbuf();
  INFO("the table should be:\n" << metrics_as_markdown());
  REQUIRE_THAT(readme.str(), Catch::Contains("\n\n" + metrics_as_markdown() + "\n"));
}

TEST_CASE("every metric has a name, a help text and a type that fit each other") {
  for (const auto group : {transport_metrics(), message_metrics(), process_metrics()}) {
    for (const Metric& metric : group) {
      INFO(metric.name);
      REQUIRE_THAT(std::string(metric.name), Catch::StartsWith("godwit_") || Catch::StartsWith("process_"));
      REQUIRE(metric.name.ends_with("_total") == (metric.type == SeriesType::kCounter));
      REQUIRE(metric.help.ends_with("."));
    }
  }
}

TEST_CASE("promtool finds nothing to complain about, where it is installed") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) return;
  TestClock clock;
  FakeSource source(clock);
  source.app_views = {{.name = "echo", .generation = 1}};
  source.reloads = {{.name = "echo", .succeeded = 1}};
  FILE* promtool = popen("promtool check metrics", "w");
  REQUIRE(promtool != nullptr);
  const std::string text = exposition(source, clock);
  REQUIRE(fwrite(text.data(), 1, text.size(), promtool) == text.size());
  REQUIRE(pclose(promtool) == 0);
}

TEST_CASE("what scripts and plugins count is told under their names, aggregated, with one header for each name") {
  TestClock clock;
  FakeSource source(clock);
  const MetricDeclaration orders{MetricType::kCounter, "orders_total", "Orders taken.", {"room"}, {}};
  const MetricDeclaration size{MetricType::kHistogram, "size", "", {}, {1, 10}};
  const auto shop = *source.store.declare("shop", orders), bank = *source.store.declare("bank", orders);
  const auto sizes = *source.store.declare("shop", size);
  const auto plugin = *source.store.declare("plugin/limiter", {MetricType::kGauge, "open", "Open.", {}, {}});
  source.store.show("shop", {shop, sizes});
  source.store.show("bank", {bank});
  source.store.show("plugin/limiter", {plugin});
  const std::string_view attic[] = {"at\"tic"};
  REQUIRE(shop->add(0, attic, 1));
  REQUIRE(shop->add(1, attic, 2));
  REQUIRE(bank->add(0, attic, 5));
  REQUIRE(sizes->observe(0, {}, 3));
  REQUIRE(plugin->set(1, {}, 7));
  const std::string text = exposition(source, clock);
  CHECK(has_line(text, R"(godwit_app_orders_total{app="shop",room="at\"tic"} 3)"));
  CHECK(has_line(text, R"(godwit_app_orders_total{app="bank",room="at\"tic"} 5)"));
  CHECK(has_line(text, R"(godwit_app_size_bucket{app="shop",le="1"} 0)"));
  CHECK(has_line(text, R"(godwit_app_size_bucket{app="shop",le="10"} 1)"));
  CHECK(has_line(text, R"(godwit_app_size_bucket{app="shop",le="+Inf"} 1)"));
  CHECK(has_line(text, R"(godwit_app_size_sum{app="shop"} 3)"));
  CHECK(has_line(text, R"(godwit_plugin_open{plugin="limiter"} 7)"));
  CHECK(has_line(text, "# HELP godwit_app_orders_total Orders taken."));
  const std::string type = "# TYPE godwit_app_orders_total counter";
  CHECK(text.find(type) != std::string::npos);
  CHECK(text.find(type) == text.rfind(type));
  CHECK(text.find("godwit_metric_samples_refused_total{") == std::string::npos);
}

TEST_CASE("combinations of labels that were too many are told") {
  TestClock clock;
  FakeSource source(clock);
  const auto metric = *source.store.declare("shop", {MetricType::kCounter, "n", "", {"id"}, {}});
  source.store.show("shop", {metric});
  for (size_t i = 0; i <= UnitMetric::kSeriesMax; ++i) {
    const std::string id = std::to_string(i);
    const std::string_view labels[] = {id};
    (void)metric->add(0, labels, 1);
  }
  CHECK(has_line(exposition(source, clock), R"(godwit_metric_samples_refused_total{unit="shop",metric="n"} 1)"));
}
