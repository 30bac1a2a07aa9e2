#include <catch2/catch.hpp>

#include "app/config/diff.h"

using namespace godwit;
using namespace godwit::app;

TEST_CASE("a reload says of each changed key what becomes of it") {
  Config wanted;
  REQUIRE(describe(diff_configs(Config{}, wanted)) == "nothing changed\n");
  wanted.log.level = LogLevel::kDebug;
  wanted.quic.idle_timeout = 2min;
  wanted.server.listen = {"127.0.0.1:1"};
  const ConfigDiff diff = diff_configs(Config{}, wanted);
  REQUIRE(diff.applied.size() == 1);
  REQUIRE(diff.for_new_connections.size() == 1);
  REQUIRE(diff.needs_restart.size() == 1);
  REQUIRE(describe(diff) ==
          "log.level: \"info\" -> \"debug\" (applied)\n"
          "quic.idle_timeout: \"1m\" -> \"2m\" (for new connections)\n"
          "server.listen: [\"127.0.0.1:8453\"] -> [\"127.0.0.1:1\"] (needs a restart)\n");
}

TEST_CASE("after a reload the keys that need a restart are still what they were, and still told") {
  Config wanted;
  wanted.log.level = LogLevel::kDebug;
  wanted.log.format = LogSection::Format::kJson;
  wanted.server.workers = 7;
  wanted.server.receive_buffer = 1 << 20;
  wanted.tls.certificate = "other.pem";
  const Config running = after_reload(Config{}, wanted);
  REQUIRE(running.log.level == LogLevel::kDebug);
  REQUIRE(running.tls.certificate == "other.pem");
  REQUIRE(running.log.format == LogSection::Format::kText);
  REQUIRE(running.server.workers == 0);
  REQUIRE(running.server.receive_buffer == 7 << 20);

  const ConfigDiff again = diff_configs(running, wanted);
  REQUIRE(again.applied.empty());
  REQUIRE(again.for_new_connections.empty());
  REQUIRE(again.needs_restart.size() == 3);
}
