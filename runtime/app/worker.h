#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/server_core.h"
#include "app/unit_store.h"
#include "app/worker_apps.h"
#include "app/worker_once.h"
#include "io/loop.h"
#include "io/system_entropy.h"
#include "io/udp_socket.h"
#include "session/guarded_authenticator.h"
#include "store/engine.h"

namespace godwit::app {

struct WorkerOptions {
  uint32_t index = 0;
  uint32_t count = 1;
  std::vector<io::UdpOptions> sockets;  ///< one per listening address
  io::BusyPoll busy_poll;
  ServerCoreConfig core;
  quic::EndpointOptions endpoint;
};

/// What all workers of a server share: read-only after start, atomic, or thread-safe by itself.
struct WorkerShared {
  Log log;
  SharedCap& sessions;
  session::Authenticator& authenticator;
  const session::Revocations& revocations;
  const session::RightsBook& rights;
  Sealer& sealer;
  std::shared_ptr<host::Watchdog> watchdog;
  SessionDirectory& directory;
  host::KvStore& kv;
  store::Engine& store;
  UnitEngine* store_of_unit = nullptr;  ///< the same, where a plugin keeps it
  OnceBook& once;
  uint64_t first_durable_id = 0;  ///< of events that outlive the process; 0: none do
  MetricStore& metrics;
  HttpClient& http;
  WorkPool* pool = nullptr;  ///< for blocking work of plugins
  /// Who may come in is decided by the worker's own units of this kind instead of by `authenticator`.
  std::optional<host::UnitSource::Kind> authenticating = std::nullopt;
};

/// One loop with everything that belongs to it: sockets, connections, sessions, scripts. Made on any thread, then run
/// on one; others reach it through `post`. Sends by the socket that a path's local address belongs to.
class Worker final : private io::UdpListener, private DatagramSender {
 public:
  static Result<std::unique_ptr<Worker>> create(WorkerOptions options, WorkerShared shared);
  ~Worker() override;

  uint32_t index() const { return options_.index; }
  std::vector<SocketAddress> addresses() const;
  const io::FileDescriptor& descriptor(size_t listener) const { return sockets_[listener]->descriptor(); }
  const io::UdpSocket& socket(size_t listener) const { return *sockets_[listener]; }
  WorkerMetrics& metrics() { return *metrics_; }
  io::Loop& loop() { return *loop_; }
  ServerCore& core() { return *core_; }
  WorkerApps& apps() { return *apps_; }
  WorkerServices& services() { return *services_; }

  /// Runs the loop until `stop`.
  void run() { loop_->run(); }
  /// From any thread.
  void stop() { loop_->stop(); }

  /// On the worker's thread: answers what is in flight, at most until `deadline`, then closes all connections and calls
  /// `done`.
  void drain(Timestamp deadline, std::function<void()> done);

  /// On the worker's thread: closes all connections, whatever is in flight.
  void abandon() {
    core_->close_all(Code::kServerDraining, "the server is going down", quic::Connection::CloseMode::kAbort);
  }

  /// When the loop last came round: monotonic nanoseconds, from any thread. Tells a stalled loop from an idle one.
  uint64_t last_beat_ns() const { return last_beat_ns_.load(std::memory_order_relaxed); }

 private:
  /// The way down: first what handlers have in hand is answered, then connections close once their peers have
  /// everything.
  struct Drain {
    enum class Stage : uint8_t { kAnswering, kClosing } stage;
    Timestamp grace;
    Timestamp deadline;
    std::function<void()> done;
  };

  Worker(WorkerOptions options, WorkerShared shared);
  Status open();
  UnitStore* open_store();

  void on_datagrams(const ReceivedDatagrams& datagrams) override { core_->receive(datagrams); }
  void on_writable() override {}  // the flush at the end of the turn tries again
  SendOutcome send(const OutgoingDatagrams& datagrams) override;

  void end_turn();
  void beat(Timestamp now);
  void check_drained(Timestamp now);

  const WorkerOptions options_;
  WorkerShared shared_;
  Log log_;
  std::unique_ptr<WorkerMetrics> metrics_;
  std::unique_ptr<io::Loop> loop_;
  io::SystemEntropy entropy_;
  std::vector<std::unique_ptr<io::UdpSocket>> sockets_;
  std::unique_ptr<WorkerServices> services_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<WorkerOnce> once_;
  std::unique_ptr<KeyDesk> desk_;
  std::unique_ptr<DurableBook> durable_;
  std::unique_ptr<WorkerApps> apps_;
  std::unique_ptr<session::GuardedAuthenticator> authenticator_;
  std::unique_ptr<ServerCore> core_;
  std::unique_ptr<io::TurnHook> turn_hook_;
  Timer again_timer_;
  Timer beat_timer_;
  Timer drain_timer_;
  std::optional<Drain> drain_;
  std::atomic<uint64_t> last_beat_ns_{0};
};

}  // namespace godwit::app
