#include "app/worker.h"

namespace godwit::app {
namespace {

constexpr Duration kBeat = 1s;         ///< well below the 5 s after which a loop counts as stalled
constexpr Duration kDrainCheck = 5ms;  ///< how often a draining worker looks whether it is done
/// What clients sent before they heard the goodbye still gets its answer (ServerDraining), instead of a closed
/// connection.
constexpr Duration kDrainGrace = 100ms;

bool owns(const io::UdpSocket& socket, const SocketAddress& local) {
  const SocketAddress& bound = socket.local();
  if (bound.port() != local.port() || bound.family() != local.family()) return false;
  return bound == local || bound.is_unspecified();
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(WorkerOptions options, WorkerShared shared) {
  auto worker = std::unique_ptr<Worker>(new Worker(std::move(options), shared));
  if (const Status opened = worker->open(); !opened) return tl::unexpected(opened.error());
  return worker;
}

Worker::Worker(WorkerOptions options, WorkerShared shared)
    : options_(std::move(options)),
      shared_(shared),
      log_(shared.log.named("worker")),
      metrics_(std::make_unique<WorkerMetrics>()),
      again_timer_([](Timestamp) {}),  // being awake is all it is for
      beat_timer_([this](Timestamp now) { beat(now); }),
      drain_timer_([this](Timestamp now) { check_drained(now); }) {}

Worker::~Worker() = default;

Status Worker::open() {
  auto loop = io::Loop::create({.busy_poll = options_.busy_poll}, *metrics_);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  loop_ = std::move(*loop);
  for (const io::UdpOptions& udp : options_.sockets) {
    auto socket = io::UdpSocket::open(*loop_, udp, *this, log_.named("udp"));
    if (!socket) return tl::unexpected(std::move(socket.error()));
    sockets_.push_back(std::move(*socket));
  }
  services_ = std::make_unique<WorkerServices>(options_.index, *loop_, loop_->timers(), shared_.directory);
  UnitStore* unit_store = open_store();
  once_ = std::make_unique<WorkerOnce>(shared_.once, *store_, *loop_, loop_->timers(), loop_.get(),
                                       shared_.log.named("once"));
  desk_ = std::make_unique<KeyDesk>(KeyDesk::Options{.worker = options_.index,
                                                     .workers = options_.count,
                                                     .messages_max = options_.core.dispatcher.queue_messages_max},
                                    *loop_, *services_);
  if (shared_.first_durable_id != 0)
    durable_ = std::make_unique<DurableBook>(*store_, log_.named("durable"), shared_.first_durable_id, options_.index);
  services_->keep_in(durable_.get());
  const host::AppWorld world{.clock = *loop_,
                             .timers = loop_->timers(),
                             .log = shared_.log.named("host"),
                             .watchdog = shared_.watchdog,
                             .worker_index = options_.index,
                             .worker_count = options_.count,
                             .mailbox = loop_.get(),
                             .pool = shared_.pool,
                             .services = services_.get(),
                             .relay = desk_.get(),
                             .kv = &shared_.kv,
                             .once = once_.get(),
                             .entropy = &entropy_,
                             .metrics = &shared_.metrics,
                             .http = &shared_.http};
  apps_ = std::make_unique<WorkerApps>(world, shared_.authenticating, unit_store);
  apps_->attach(desk_.get());
  session::Authenticator& decides = shared_.authenticating ? apps_->authenticator() : shared_.authenticator;
  authenticator_ = std::make_unique<session::GuardedAuthenticator>(decides, shared_.revocations, shared_.rights);
  core_ =
      std::make_unique<ServerCore>(options_.core, options_.endpoint,
                                   ServerCore::World{*loop_, loop_->timers(), *this, entropy_, shared_.log, *metrics_,
                                                     shared_.sessions, *authenticator_, shared_.sealer, *apps_,
                                                     *services_, apps_->planner(), apps_.get(), durable_.get()});
  turn_hook_ = std::make_unique<io::TurnHook>(*loop_, [this] { end_turn(); });
  beat(loop_->now());
  return {};
}

/// Null unless a plugin keeps it.
UnitStore* Worker::open_store() {
  if (!shared_.store_of_unit) {
    store_ = shared_.store.open_door(*loop_);
    return nullptr;
  }
  auto store = shared_.store_of_unit->open_unit_store();
  UnitStore* unit_store = store.get();
  store_ = std::move(store);
  return unit_store;
}

std::vector<SocketAddress> Worker::addresses() const {
  std::vector<SocketAddress> addresses;
  for (const auto& socket : sockets_) addresses.push_back(socket->local());
  return addresses;
}

SendOutcome Worker::send(const OutgoingDatagrams& datagrams) {
  if (sockets_.size() == 1) return sockets_.front()->send(datagrams);
  for (const auto& socket : sockets_) {
    if (owns(*socket, datagrams.path.local)) return socket->send(datagrams);
  }
  return SendOutcome::kSent;  // the address is not ours (any more): lost on the way
}

void Worker::end_turn() {
  const bool more = core_->end_turn();
  const quic::Endpoint& endpoint = core_->endpoint();
  if (more || (endpoint.wants_flush() && !endpoint.blocked())) loop_->timers().arm(again_timer_, loop_->now());
  core_->reap();
  apps_->reap();
}

void Worker::beat(Timestamp now) {
  last_beat_ns_.store(to_ns(now), std::memory_order_relaxed);
  apps_->publish();
  loop_->timers().arm(beat_timer_, now + kBeat);
}

void Worker::drain(Timestamp deadline, std::function<void()> done) {
  drain_ = Drain{Drain::Stage::kAnswering, loop_->now() + kDrainGrace, deadline, std::move(done)};
  core_->drain();
  loop_->timers().arm(drain_timer_, loop_->now() + kDrainCheck);
}

void Worker::check_drained(Timestamp now) {
  const bool late = now >= drain_->deadline;
  if (drain_->stage == Drain::Stage::kAnswering && (late || (now >= drain_->grace && core_->idle()))) {
    drain_->stage = Drain::Stage::kClosing;
    core_->close_all(Code::kServerDraining, "the server is going down", quic::Connection::CloseMode::kAfterQueued);
  }
  if (late || (drain_->stage == Drain::Stage::kClosing && core_->peer_count() == 0)) {
    core_->close_all(Code::kServerDraining, "the server is going down", quic::Connection::CloseMode::kAbort);
    return std::exchange(drain_->done, {})();
  }
  loop_->timers().arm(drain_timer_, now + kDrainCheck);
}

}  // namespace godwit::app
