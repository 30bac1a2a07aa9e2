#pragma once

#include <map>
#include <memory>

#include "actions.h"
#include "app/server_core.h"
#include "node.h"
#include "quic/key_ring.h"
#include "witness.h"

namespace godwit::sim {

/// A whole server of the real code.
class ServerNode final : public Node {
 public:
  /// In the ledger a client's second session is somebody else: it numbers its messages anew.
  using FirstSessions = std::map<std::string, std::pair<unsigned, host::SessionKey>>;
  struct Options {
    app::ServerCoreConfig core;
    quic::TransportConfig transport;
    quic::AdmissionConfig admission;
    std::vector<session::TokenAuthenticator::Entry> tokens;  ///< empty: everybody may come in
    Duration handler_cost{};                                 ///< time that each message takes in Actions
    app::Dispatcher::Handlers* handlers = nullptr;           ///< instead of Actions
    host::SessionListener* listener = nullptr;
    unsigned life = 1;                        ///< a process that is started again has another
    FirstSessions* first_sessions = nullptr;  ///< of all lives
  };
  explicit ServerNode(World& world) : ServerNode(world, Options()) {}
  ServerNode(World& world, const Options& options);

  static SocketAddress address() { return inside_address(1, 8453); }

  app::ServerCore& core() { return core_; }
  const app::SharedCap& sessions() const { return sessions_; }
  quic::KeyRing& keys() { return keys_; }
  Actions& actions() { return actions_; }
  app::SessionDirectory& directory() { return directory_; }
  app::WorkerServices& services() { return services_; }

  /// An event to the session of this client, which the ledger watches; false when it was not taken.
  bool push(const std::string& client_id, Bytes body, session::Order order = session::Order::kOrdered);

  void receive(const ReceivedDatagrams& datagrams) override { core_.receive(datagrams); }
  bool end_turn() override;
  /// As a handler does; false when there is none.
  bool close_all_sessions(Code code);

 private:
  std::string name_of(const std::string& client_id, host::SessionKey key);

  const unsigned life_;
  FirstSessions own_first_sessions_;
  FirstSessions& first_sessions_;
  std::unique_ptr<session::Authenticator> authenticator_;
  app::SharedCap sessions_;
  quic::KeyRing keys_;
  Actions actions_;
  Witness witness_;
  app::SessionDirectory directory_;
  app::WorkerServices services_;
  transfer::Planner planner_;
  app::ServerCore core_;
};

}  // namespace godwit::sim
