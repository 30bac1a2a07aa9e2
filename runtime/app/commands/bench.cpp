#include "app/commands/bench_messages.h"
#include "app/commands/bench_resume.h"
#include "app/commands/bench_sessions.h"
#include "app/commands/command_log.h"
#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"

namespace godwit::app {
namespace {

std::unique_ptr<BenchLoad> make_load(const BenchOptions& options, BenchTally& tally) {
  switch (options.pattern) {
    case BenchPattern::kRequest:
    case BenchPattern::kEvent: return std::make_unique<BenchMessages>(options, tally);
    case BenchPattern::kResume: return std::make_unique<BenchResume>(options, tally);
    case BenchPattern::kConnect:
    case BenchPattern::kIdle: break;
  }
  return std::make_unique<BenchSessions>(options, tally);
}

ExitCode run(BenchOptions& options) {
  options.complete();
  if (Status complete = options.connect.complete(); !complete) return print_error(complete.error()), ExitCode::kUsage;
  const CommandLog log(options.connect.verbose);
  BenchTally tally;
  const Status status = make_load(options, tally)->run(log.log());
  if (!status) print_error(status.error());
  if (options.json) {
    tally.print_json(options);
  } else if (status) {
    tally.print(options);
  }
  if (!status) return exit_code_of(status.error().code);
  return tally.failed() == 0 ? ExitCode::kOk : ExitCode::kPeerFailed;
}

}  // namespace

void add_bench(CLI::App& program, Verb& chosen) {
  CLI::App* verb = program.add_subcommand("bench", "Load a server and measure rates and latencies");
  const auto options = std::make_shared<BenchOptions>();
  options->add_to(*verb);
  verb->footer(
      "Examples:\n"
      "  godwit bench 127.0.0.1:8453 --in-flight 128 --insecure                 as fast as answers come\n"
      "  godwit bench 127.0.0.1:8453 --rate 10000 --clients 100 --insecure      10,000 a second, come what may\n"
      "  godwit bench 127.0.0.1:8453 --pattern connect --in-flight 16 --ca data/dev-certificate.pem --json\n"
      "  godwit bench 127.0.0.1:8453 --pattern idle --clients 10000 --in-flight 64 --duration 1m --insecure\n"
      "  godwit bench 127.0.0.1:8453 --pattern resume --clients 1000 --in-flight 100 --insecure\n"
      "Exit code: 0 every answer was right, 1 some failed, 2 usage, 3 no connection.");
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

}  // namespace godwit::app
