#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "scenario.h"
#include "seeded_system.h"

using namespace godwit;
using namespace godwit::sim;

namespace {

constexpr std::string_view kUsage =
    "usage: sim [--scenario NAME|all] [--seed N | --seeds A:B] [--twice] [--trace] [--list]\n"
    "  --scenario  which story to run (default: all); --list names them\n"
    "  --seed      one seed (default 1); --seeds all from A to B\n"
    "  --twice     runs each seed twice and compares the traces\n"
    "  --trace     prints every datagram, log line and outcome\n";

struct Arguments {
  std::string scenario = "all";
  uint64_t first_seed = 1, last_seed = 1;
  bool twice = false, list = false;
  Trace::Print print = Trace::Print::kNo;
};

bool parse_seeds(std::string_view text, Arguments& arguments) {
  char* end = nullptr;
  const std::string copy(text);
  arguments.first_seed = arguments.last_seed = std::strtoull(copy.c_str(), &end, 10);
  if (*end == ':') arguments.last_seed = std::strtoull(end + 1, &end, 10);
  return !copy.empty() && *end == '\0' && arguments.first_seed <= arguments.last_seed;
}

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--scenario" && has_value) {
      arguments.scenario = argv[++i];
    } else if ((option == "--seed" || option == "--seeds") && has_value) {
      if (!parse_seeds(argv[++i], arguments)) return std::nullopt;
    } else if (option == "--twice") {
      arguments.twice = true;
    } else if (option == "--trace") {
      arguments.print = Trace::Print::kYes;
    } else if (option == "--list") {
      arguments.list = true;
    } else {
      return std::nullopt;
    }
  }
  return arguments;
}

struct Outcome {
  std::string violation;
  uint64_t trace_hash;
  double virtual_seconds;
};

Outcome run_once(const Scenario& scenario, uint64_t seed, Trace::Print print, const TlsFixture& tls) {
  World world({seed, print, tls});
  scenario.run(world);
  return {world.violation(), world.trace().hash(),
          std::chrono::duration<double>(world.now() - testing::VirtualClock::kStart).count()};
}

class Runner {
 public:
  Runner(const Arguments& arguments, const TlsFixture& tls) : arguments_(arguments), tls_(tls) {}

  void run(const Scenario& scenario) {
    const auto begin = std::chrono::steady_clock::now();
    double virtual_seconds = 0;
    for (uint64_t seed = arguments_.first_seed; seed <= arguments_.last_seed; ++seed) {
      virtual_seconds += run_seed(scenario, seed);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{:<18} {:>5} seeds {:>8.2f} s {:>12.1f} virtual s\n", scenario.name,
               arguments_.last_seed - arguments_.first_seed + 1, took.count(), virtual_seconds);
    std::fflush(stdout);
  }
  uint64_t failures() const { return failures_; }

 private:
  double run_seed(const Scenario& scenario, uint64_t seed) {
    const Outcome outcome = run_once(scenario, seed, arguments_.print, tls_);
    if (!outcome.violation.empty()) report(scenario, seed, outcome.violation);
    if (arguments_.twice) {
      const Outcome again = run_once(scenario, seed, Trace::Print::kNo, tls_);
      if (again.trace_hash != outcome.trace_hash) report(scenario, seed, "the same seed gave another trace");
    }
    return outcome.virtual_seconds;
  }

  void report(const Scenario& scenario, uint64_t seed, std::string_view what) {
    ++failures_;
    fmt::print("FAILED {} seed {}: {}\n  replay: sim --scenario {} --seed {} --trace\n", scenario.name, seed, what,
               scenario.name, seed);
  }

  const Arguments& arguments_;
  const TlsFixture& tls_;
  uint64_t failures_ = 0;
};

int list() {
  for (const Scenario& scenario : all_scenarios()) fmt::print("{:<18} {}\n", scenario.name, scenario.promise);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (!arguments) return std::fputs(kUsage.data(), stderr), 2;
  if (arguments->list) return list();
  seed_system(0);
  const auto tls = TlsFixture::make(testing::VirtualClock().unix_us());
  if (!tls) return fmt::print(stderr, "sim: {}\n", tls.error().to_string()), 1;
  Runner runner(*arguments, *tls);
  bool known = false;
  for (const Scenario& scenario : all_scenarios()) {
    if (arguments->scenario != "all" && arguments->scenario != scenario.name) continue;
    known = true;
    runner.run(scenario);
  }
  if (!known) return fmt::print(stderr, "sim: no scenario '{}'; --list names them\n", arguments->scenario), 2;
  return runner.failures() == 0 ? 0 : 1;
}
