#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/client_core.h"
#include "client/dialer.h"
#include "client/name_lookup.h"
#include "io/loop.h"
#include "io/system_entropy.h"
#include "io/udp_socket.h"

namespace godwit::client {

struct ClientLoopOptions {
  ClientCoreConfig core;
  quic::TransportConfig transport;
  quic::TlsClientConfig tls;
  io::LoopOptions loop;
};

/// Any number of client connections on the network: an event loop, a socket per address family, and the client core, as
/// one object that belongs to the thread which calls `run`. Everything but `post` and `stop` is called on that thread.
class ClientLoop final : private DatagramSender, private io::UdpListener, private Dialer::Connector {
 public:
  class Owner : public Dialer::Owner {
   public:
    /// At the end of each loop turn, before anything is written: time to send what the turn made possible.
    virtual void on_turn() {}
  };

  /// Loads certificates and opens the loop. `owner` and `log` must outlive it.
  static Result<std::unique_ptr<ClientLoop>> create(const ClientLoopOptions& options, Log log, Owner& owner);
  ~ClientLoop() override;

  /// Addresses are taken as they are, names are looked up. A lookup replaces the one before it.
  void look_up(const HostAndPort& where, NameLookup::Done done);
  DialId dial(uint64_t cookie, const Remote& remote, const Credentials& credentials, Duration timeout,
              session::SessionId resume = {});
  void cancel(DialId id) { dialer_.cancel(id); }

  session::Session* session(PeerId peer) { return core_->session(peer); }
  session::SessionId session_id(PeerId peer) { return session(peer) ? session(peer)->id() : session::SessionId(); }
  /// With or without a connection.
  session::Session* session(session::SessionId id) { return core_->session(id); }
  void give_up(session::SessionId kept, const Error& why) { core_->give_up(kept, why); }
  quic::Connection* connection(PeerId peer) { return core_->connection(peer); }
  /// In good order: the peer reads first what is queued.
  void close(PeerId peer, Code code = Code::kPeerClosed) { core_->close(peer, code); }
  /// All connections and dials.
  void close_all();

  void run() { loop_->run(); }
  void stop() { loop_->stop(); }
  /// After `close_all`: runs turns until the goodbyes are out, or the time is over.
  void linger(Duration timeout_max);

  io::Loop& loop() { return *loop_; }
  const WorkerMetrics& metrics() const { return *metrics_; }

 private:
  ClientLoop(Log log, Owner& owner, std::unique_ptr<WorkerMetrics> metrics, std::unique_ptr<io::Loop> loop);

  SendOutcome send(const OutgoingDatagrams& datagrams) override;
  void on_datagrams(const ReceivedDatagrams& datagrams) override;
  void on_writable() override;
  Result<PeerId> connect(const SocketAddress& address, const std::string& server_name, const Credentials& credentials,
                         Duration timeout, session::SessionId resume) override;
  void abandon(PeerId peer) override;

  Result<io::UdpSocket*> socket_for(int family);
  void end_turn();

  Log log_;
  Owner& owner_;
  io::SystemEntropy entropy_;
  std::unique_ptr<WorkerMetrics> metrics_;
  std::unique_ptr<io::Loop> loop_;
  Dialer dialer_;
  std::unique_ptr<io::UdpSocket> socket_v4_;
  std::unique_ptr<io::UdpSocket> socket_v6_;
  std::unique_ptr<ClientCore> core_;
  std::unique_ptr<NameLookup> lookup_;
  bool lingering_ = false;
  Timer again_;  ///< another turn at once: not everything was written in this one
  io::TurnHook hook_;
};

}  // namespace godwit::client
