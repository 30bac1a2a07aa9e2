#include "client/client_loop.h"

namespace godwit::client {

Result<std::unique_ptr<ClientLoop>> ClientLoop::create(const ClientLoopOptions& options, Log log, Owner& owner) {
  auto tls = quic::load_tls_client(options.tls);
  if (!tls) return tl::unexpected(std::move(tls.error()));
  auto metrics = std::make_unique<WorkerMetrics>();
  auto loop = io::Loop::create(options.loop, *metrics);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  std::unique_ptr<ClientLoop> client(new ClientLoop(log, owner, std::move(metrics), std::move(*loop)));
  client->core_ = std::make_unique<ClientCore>(
      options.core, quic::EndpointOptions{.transport = options.transport, .tls_client = std::move(*tls)},
      ClientCore::World{*client->loop_, client->loop_->timers(), *client, client->entropy_, log, *client->metrics_,
                        client->dialer_});
  return client;
}

ClientLoop::ClientLoop(Log log, Owner& owner, std::unique_ptr<WorkerMetrics> metrics, std::unique_ptr<io::Loop> loop)
    : log_(log),
      owner_(owner),
      metrics_(std::move(metrics)),
      loop_(std::move(loop)),
      dialer_(*loop_, loop_->timers(), *this, owner),
      again_([](Timestamp) {}),
      hook_(*loop_, [this] { end_turn(); }) {}

ClientLoop::~ClientLoop() = default;

void ClientLoop::look_up(const HostAndPort& where, NameLookup::Done done) {
  lookup_ = std::make_unique<NameLookup>(*loop_, where, std::move(done));
}

DialId ClientLoop::dial(uint64_t cookie, const Remote& remote, const Credentials& credentials, Duration timeout,
                        session::SessionId resume) {
  return dialer_.dial(cookie, remote, credentials, timeout, resume);
}

Result<io::UdpSocket*> ClientLoop::socket_for(int family) {
  std::unique_ptr<io::UdpSocket>& socket = family == AF_INET6 ? socket_v6_ : socket_v4_;
  if (socket) return socket.get();
  // Any local address: the system picks it by route for each packet, so that connections outlive a change of network.
  auto any = SocketAddress::parse(family == AF_INET6 ? "[::]:0" : "0.0.0.0:0");
  if (!any) return tl::unexpected(std::move(any.error()));
  auto opened = io::UdpSocket::open(*loop_, {.bind = *any, .dual_stack = false}, *this, log_.named("udp"));
  if (!opened) return tl::unexpected(std::move(opened.error()));
  socket = std::move(*opened);
  return socket.get();
}

Result<PeerId> ClientLoop::connect(const SocketAddress& address, const std::string& server_name,
                                   const Credentials& credentials, Duration timeout, session::SessionId resume) {
  auto socket = socket_for(address.family());
  if (!socket) return tl::unexpected(std::move(socket.error()));
  return core_->connect({(*socket)->local(), address}, server_name, credentials, timeout, resume);
}

void ClientLoop::abandon(PeerId peer) { core_->close(peer, Code::kCancelled, "another address was faster"); }

SendOutcome ClientLoop::send(const OutgoingDatagrams& datagrams) {
  io::UdpSocket* socket = datagrams.path.remote.family() == AF_INET6 ? socket_v6_.get() : socket_v4_.get();
  return socket ? socket->send(datagrams) : SendOutcome::kSent;
}

void ClientLoop::on_datagrams(const ReceivedDatagrams& datagrams) { core_->receive(datagrams); }

// The turn that this event began flushes at its end.
void ClientLoop::on_writable() {}

void ClientLoop::end_turn() {
  owner_.on_turn();
  core_->end_turn();
  core_->reap();
  dialer_.reap();
  if (core_->endpoint().wants_flush() && !core_->endpoint().blocked()) loop_->timers().arm(again_, loop_->now());
  if (lingering_ && core_->peer_count() == 0) loop_->stop();
}

void ClientLoop::close_all() {
  dialer_.cancel_all();
  for (const PeerId peer : dialer_.dialed()) core_->close(peer);
}

void ClientLoop::linger(Duration timeout_max) {
  lingering_ = true;
  Timer give_up([this](Timestamp) { loop_->stop(); });
  loop_->timers().arm(give_up, loop_->now() + timeout_max);
  loop_->run();
  lingering_ = false;
}

}  // namespace godwit::client
