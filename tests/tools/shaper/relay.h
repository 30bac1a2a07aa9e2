#pragma once

#include <map>
#include <queue>

#include "direction.h"
#include "port/address.h"

namespace godwit::shaper {

/// A path between clients and one server: listens as if it were the server, and has a socket of its own towards the
/// server for each client, as a NAT has a port.
class Relay {
 public:
  static Result<Relay> open(const SocketAddress& listen, const SocketAddress& server, uint64_t seed);
  Relay(Relay&&) noexcept;
  ~Relay();

  const SocketAddress& address() const { return address_; }
  Direction up;    ///< to the server
  Direction down;  ///< to the clients

  /// What is readable when `epoll` says so.
  int epoll() const { return epoll_; }
  /// Takes what has come, and sends what is due.
  void turn(Timestamp now);
  /// kNever: nothing is under way.
  Timestamp next() const { return under_way_.empty() ? kNever : under_way_.top().at; }

  /// From now on every client comes from another port. What was on its way to the old one is lost, as behind a NAT.
  Status rebind();
  size_t clients() const { return ports_.size(); }

 private:
  struct Client {
    SocketAddress address;
    int socket = -1;
  };
  struct Packet {
    Timestamp at;
    uint64_t number;  ///< of those for one moment the first goes first
    bool up;
    uint16_t client;  ///< its port
    std::string bytes;
    bool operator>(const Packet& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  Relay(const SocketAddress& server, uint64_t seed);
  Status watch(int socket);
  Result<int> connect();
  void receive(int socket, Timestamp now);
  Client* client_of(const SocketAddress& address);
  void take(bool upwards, uint16_t client, std::string packet, Timestamp now);
  void send_due(Timestamp now);
  void send(const Packet& packet);

  const SocketAddress server_;
  SocketAddress address_;
  int epoll_ = -1;
  int listener_ = -1;
  std::map<uint16_t, Client> clients_;  ///< by their port: all are on one machine
  std::map<int, uint16_t> ports_;       ///< by socket
  std::priority_queue<Packet, std::vector<Packet>, std::greater<>> under_way_;
  uint64_t last_number_ = 0;
};

}  // namespace godwit::shaper
