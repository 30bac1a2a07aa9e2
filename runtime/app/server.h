#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/certificates.h"
#include "app/config/loader.h"
#include "app/crash_report.h"
#include "app/identity_keeper.h"
#include "app/kept_keys.h"
#include "app/kv_store.h"
#include "app/server_admin.h"
#include "app/server_control.h"
#include "app/server_scripts.h"
#include "app/server_sessions.h"
#include "app/worker.h"
#include "io/file_watcher.h"
#include "io/log_sink.h"
#include "io/system_clock.h"
#include "io/system_entropy.h"
#include "io/thread_pool.h"
#include "quic/key_ring.h"

namespace godwit::io {
class SystemHttpClient;
}

namespace godwit::app {

struct ServerOptions {
  ConfigSources sources;  ///< read again on SIGHUP
  LoadedConfig loaded;
  MissingCertificate missing_certificate = MissingCertificate::kRefuse;
};

/// A whole server process but for `main`: workers on their threads, scripts, admin plane, signals. Worker 0 runs on the
/// thread that calls `run`; what concerns all workers is decided there.
class Server {
 public:
  /// Everything is open and loaded, or there is a clear error and nothing is left behind.
  static Result<std::unique_ptr<Server>> create(ServerOptions options, io::SystemLogSink& sink);
  ~Server();

  /// "godwit ready quic=127.0.0.1:8453 admin=127.0.0.1:8080 workers=2"
  std::string ready_line() const;

  /// Serves until SIGTERM or SIGINT, then drains and returns. SIGHUP reloads configuration and scripts.
  void run();

 private:
  Server(ServerOptions options, io::SystemLogSink& sink);
  Status open();
  Status open_store();
  Status open_keys();
  Status open_identity();
  Status restore_sessions();
  Status open_crash_report();
  Status open_workers();
  void connect_workers();
  Status open_listeners();
  Status steer();
  void warn() const;

  void pass_on(int signal);
  void on_signal(int signal);
  void stop_now();
  Status reload_config();
  void apply(const Config& wanted);
  void rotate_keys();
  void begin_drain();
  void on_worker_drained();

  ServerOptions options_;
  io::SystemLogSink& sink_;
  Log log_;
  Config config_;  ///< in force
  std::unique_ptr<IdentityKeeper> identities_;
  std::unique_ptr<SharedCap> sessions_;
  io::SystemEntropy entropy_;
  quic::KeyRing keys_{entropy_};  ///< of what clients keep for us
  io::SystemClock clock_;         ///< of what all workers share
  SessionDirectory directory_;
  std::unique_ptr<MemoryKvStore> kv_;
  std::unique_ptr<store::Engine> store_;
  UnitEngine* store_of_unit_ = nullptr;  ///< the same, where a plugin keeps it
  std::unique_ptr<OnceBook> once_;
  std::unique_ptr<MetricStore> metrics_;
  std::shared_ptr<quic::TlsServer> tls_;
  std::unique_ptr<CrashReport> crash_report_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<io::ThreadPool> pool_;        ///< its work comes back to the workers: it ends before them
  std::unique_ptr<io::SystemHttpClient> http_;  ///< its answers come back to the workers likewise
  std::unique_ptr<ServerScripts> scripts_;
  std::unique_ptr<ServerAdmin> admin_;
  std::unique_ptr<ServerSessions> operated_sessions_;
  std::unique_ptr<ServerControl> control_;
  std::unique_ptr<io::FileWatcher> unit_watcher_;
  std::optional<KeptKeys> kept_keys_;  ///< where sessions outlive the process
  Duration key_lasts_ = KeptKeys::kRotation;
  std::optional<Timer> key_rotation_timer_;
  std::vector<std::thread> threads_;
  size_t draining_ = 0;  ///< workers that have not finished yet
  bool stopping_ = false;
};

}  // namespace godwit::app
