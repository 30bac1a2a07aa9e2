#include "app/commands/serve.h"

#include <csignal>
#include <cstdio>

#include "app/commands/report.h"
#include "app/server.h"
#include "io/stop_guard.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

io::LogOptions log_options(const Config& config) {
  return {
      .format = config.log.format == LogSection::Format::kJson ? io::LogFormat::kJson : io::LogFormat::kText,
      .file = config.log.file,
      .file_bytes_max = config.log.max_size,
      .files_max = config.log.max_files,
      .level = config.log.level,
      .modules = config.log.modules,
  };
}

}  // namespace

ExitCode run_serve(const ServeOptions& options) {
  // One that comes before the server is ready is heard when it is.
  io::StopGuard::hold_signals();
  // An admin client or a pipe that goes away is an error of one write, not the end of the server.
  std::signal(SIGPIPE, SIG_IGN);
  ServerOptions server_options{
      .sources = {options.config_file, process_environment(), options.settings},
      .missing_certificate = options.dev ? MissingCertificate::kMake : MissingCertificate::kRefuse,
  };
  auto loaded = load_config(server_options.sources);
  if (!loaded) return report(loaded.error());
  server_options.loaded = std::move(*loaded);
  const io::SystemClock clock;
  auto sink = io::SystemLogSink::open(log_options(server_options.loaded.config), clock);
  if (!sink) return report({&sink.error(), 1});
  auto server = Server::create(std::move(server_options), **sink);
  if (!server) {
    (*sink)->flush();
    return report({&server.error(), 1});
  }
  std::printf("%s\n", (*server)->ready_line().c_str());
  std::fflush(stdout);
  (*server)->run();
  return ExitCode::kOk;
}

}  // namespace godwit::app
