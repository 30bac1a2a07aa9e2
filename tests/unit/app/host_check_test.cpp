#include <catch2/catch.hpp>

#include "app/config/host_check.h"

using namespace godwit;
using namespace godwit::app;

TEST_CASE("a machine that gives what the configuration asks for is not warned about") {
  REQUIRE(check_host(Config{}, {.receive_buffer_max = 7 << 20, .send_buffer_max = 8 << 20, .open_files_max = 1'000'000})
              .empty());
}

TEST_CASE("what a machine does not tell is not warned about") { REQUIRE(check_host(Config{}, {}).empty()); }

TEST_CASE("each limit below what is wanted is a warning with both figures and the remedy") {
  const auto warnings =
      check_host(Config{}, {.receive_buffer_max = 212'992, .send_buffer_max = (7 << 20) - 1, .open_files_max = 1024});
  REQUIRE(warnings.size() == 3);
  REQUIRE(warnings[0].text ==
          "net.core.rmem_max is 208KiB, less than server.receive_buffer (7MiB): bursts of packets will be lost");
  REQUIRE(warnings[0].advice == "sysctl -w net.core.rmem_max=7340032");
  REQUIRE_THAT(warnings[1].text,
               Catch::StartsWith("net.core.wmem_max is 7340031, less than server.send_buffer (7MiB)"));
  REQUIRE(warnings[2].text == "at most 1024 files may be open, 1000000 are wanted");
  REQUIRE(warnings[2].advice == "ulimit -n 1000000, or LimitNOFILE=1000000 in the unit file");
}

TEST_CASE("this machine tells its limits") {
  const HostFacts facts = read_host_facts();
  REQUIRE(facts.open_files_max);
  REQUIRE(*facts.open_files_max > 0);
}
