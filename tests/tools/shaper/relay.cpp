#include "relay.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace godwit::shaper {
namespace {

constexpr size_t kDatagramBytesMax = 65'536;
constexpr int kReadAtOnce = 64;        ///< of one socket, before what is due is sent
constexpr int kBufferBytes = 4 << 20;  ///< of each socket, so that a burst is lost on purpose only
constexpr size_t kUnderWayMax = 200'000;

tl::unexpected<Error> system_failure(std::string_view what) {
  return fail(Code::kSocketFailed, std::string(what) + ": " + std::strerror(errno));
}

Result<int> open_socket(int family) {
  const int socket = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return system_failure("socket");
  for (const int option : {SO_RCVBUF, SO_SNDBUF}) ::setsockopt(socket, SOL_SOCKET, option, &kBufferBytes, sizeof(int));
  return socket;
}

}  // namespace

Relay::Relay(const SocketAddress& server, uint64_t seed) : up(seed), down(seed + 1), server_(server) {}

Relay::Relay(Relay&& other) noexcept
    : up(other.up),
      down(other.down),
      server_(other.server_),
      address_(other.address_),
      epoll_(std::exchange(other.epoll_, -1)),
      listener_(std::exchange(other.listener_, -1)),
      clients_(std::move(other.clients_)),
      ports_(std::exchange(other.ports_, {})) {}

Relay::~Relay() {
  for (const auto& [socket, client] : ports_) ::close(socket);
  if (listener_ >= 0) ::close(listener_);
  if (epoll_ >= 0) ::close(epoll_);
}

Result<Relay> Relay::open(const SocketAddress& listen, const SocketAddress& server, uint64_t seed) {
  Relay relay(server, seed);
  relay.epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  const auto socket = open_socket(listen.family());
  if (!socket) return tl::unexpected(socket.error());
  relay.listener_ = *socket;
  if (::bind(*socket, listen.raw(), listen.length()) != 0) return system_failure("bind " + listen.to_string());
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(*socket, reinterpret_cast<sockaddr*>(&bound), &size);
  relay.address_ = SocketAddress::from(reinterpret_cast<const sockaddr*>(&bound));
  if (Status watched = relay.watch(*socket); !watched) return tl::unexpected(watched.error());
  return relay;
}

Status Relay::watch(int socket) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) return system_failure("epoll");
  return {};
}

Result<int> Relay::connect() {
  const auto socket = open_socket(server_.family());
  if (!socket) return socket;
  if (::connect(*socket, server_.raw(), server_.length()) != 0) return system_failure("connect " + server_.to_string());
  if (Status watched = watch(*socket); !watched) return tl::unexpected(watched.error());
  return socket;
}

Status Relay::rebind() {
  for (auto& [port, client] : clients_) {
    const auto fresh = connect();
    if (!fresh) return tl::unexpected(fresh.error());
    ports_.erase(client.socket);
    ::close(client.socket);
    client.socket = *fresh;
    ports_[*fresh] = port;
  }
  return {};
}

void Relay::turn(Timestamp now) {
  std::array<epoll_event, 64> events;
  const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) receive(events[static_cast<size_t>(i)].data.fd, now);
  send_due(now);
}

void Relay::receive(int socket, Timestamp now) {
  std::array<char, kDatagramBytesMax> buffer;
  for (int i = 0; i < kReadAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0 && errno == ECONNREFUSED) continue;  // nobody is there for what was sent before
    if (got < 0) return;
    std::string packet(buffer.data(), static_cast<size_t>(got));
    if (socket != listener_) {
      take(false, ports_.at(socket), std::move(packet), now);
    } else if (const Client* client = client_of(SocketAddress::from(reinterpret_cast<const sockaddr*>(&from)))) {
      take(true, client->address.port(), std::move(packet), now);
    }
  }
}

Relay::Client* Relay::client_of(const SocketAddress& address) {
  const auto found = clients_.find(address.port());
  if (found != clients_.end()) return &found->second;
  const auto socket = connect();
  if (!socket) return nullptr;
  ports_[*socket] = address.port();
  return &(clients_[address.port()] = {address, *socket});
}

void Relay::take(bool upwards, uint16_t client, std::string packet, Timestamp now) {
  Direction& direction = upwards ? up : down;
  if (under_way_.size() >= kUnderWayMax) return void(++direction.counters.queue_full);
  direction.pass(packet, now, [&](Timestamp at) { under_way_.push({at, ++last_number_, upwards, client, packet}); });
}

void Relay::send_due(Timestamp now) {
  for (; !under_way_.empty() && under_way_.top().at <= now; under_way_.pop()) send(under_way_.top());
}

void Relay::send(const Packet& packet) {
  const Client& client = clients_.at(packet.client);
  if (packet.up) {
    ::send(client.socket, packet.bytes.data(), packet.bytes.size(), 0);
  } else {
    ::sendto(listener_, packet.bytes.data(), packet.bytes.size(), 0, client.address.raw(), client.address.length());
  }
}

}  // namespace godwit::shaper
