#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>

#include "admin/admin_server.h"
#include "admin/descriptor.h"
#include "fake_source.h"

using namespace godwit;
using namespace godwit::admin;

namespace {

struct NullSink final : LogSink {
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

bool is_readable(int fd, int wait_ms) {
  pollfd watch{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&watch, 1, wait_ms) == 1;
}

/// A client's socket: the kernel is really there, only time is not.
class Visitor {
 public:
  explicit Visitor(const SocketAddress& address) : socket_(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (connect(socket_.get(), address.raw(), address.length()) != 0) throw std::runtime_error("connect");
    fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  }

  void send(std::string_view bytes) { ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void finish() { shutdown(socket_.get(), SHUT_WR); }

  /// Takes in what came. True once the server has closed.
  bool receive() {
    std::array<char, 65536> buffer;
    while (true) {
      const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count > 0)
        text.append(buffer.data(), static_cast<size_t>(count));
      else
        return count == 0 || errno != EAGAIN;
    }
  }

  std::string text;

 private:
  Descriptor socket_;
};

struct Plane {
  explicit Plane(const char* address = "127.0.0.1:0", AdminLimits limits = {}) {
    auto started = AdminServer::start(*SocketAddress::parse(address), source, clock, Log(sink, "admin"), limits);
    if (!started) throw std::runtime_error(started.error().text);
    server = std::move(*started);
  }

  /// Time passes, and the workers go on beating.
  void pass(Duration time) {
    clock.advance(time);
    for (WorkerView& worker : source.views) worker.last_beat = clock.now();
  }

  /// Runs the server as its owner would, until it has nothing to do for 50 ms.
  void settle() {
    for (int turn = 0; turn < 1000 && is_readable(server->fd(), 50); ++turn) server->run();
  }

  /// Until the visitor's connection is closed; false when it stays open.
  bool serve(Visitor& visitor) {
    for (int turn = 0; turn < 1000; ++turn) {
      if (visitor.receive()) return true;
      if (!is_readable(server->fd(), 200)) return visitor.receive();
      server->run();
    }
    return false;
  }

  std::string ask(std::string_view bytes) {
    Visitor visitor(server->address());
    visitor.send(bytes);
    REQUIRE(serve(visitor));
    return visitor.text;
  }

  NullSink sink;
  TestClock clock;
  FakeSource source{clock};
  std::unique_ptr<AdminServer> server;
};

constexpr std::string_view kHealth = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace

TEST_CASE("a request over a real socket is answered and the connection closed") {
  Plane plane;
  REQUIRE(plane.server->address().port() != 0);
  const std::string answer = plane.ask(kHealth);
  REQUIRE_THAT(answer, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("\r\nContent-Type: application/json\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("\r\nConnection: close\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("\r\nX-Content-Type-Options: nosniff\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("\r\n\r\n{\"status\":\"ok\""));
}

TEST_CASE("the exposition goes over the socket whole, and only its head to HEAD") {
  Plane plane;
  const std::string answer = plane.ask("GET /metrics?x=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  REQUIRE_THAT(answer, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
  REQUIRE_THAT(answer, Catch::Contains("\nprocess_threads "));
  REQUIRE(answer.back() == '\n');
  const std::string head = plane.ask("HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  REQUIRE_THAT(head, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
  REQUIRE_THAT(head, Catch::EndsWith("\r\n\r\n"));
}

TEST_CASE("it listens on IPv6 loopback too") {
  Plane plane("[::1]:0");
  REQUIRE(plane.server->address().family() == AF_INET6);
  REQUIRE_THAT(plane.ask("GET /health HTTP/1.1\r\nHost: [::1]\r\n\r\n"), Catch::StartsWith("HTTP/1.1 200"));
}

TEST_CASE("an address that others can reach, or that is taken, is refused") {
  Plane plane;
  const auto start = [&](const char* address) {
    return AdminServer::start(*SocketAddress::parse(address), plane.source, plane.clock, Log(plane.sink, "admin"));
  };
  for (const auto open : {"0.0.0.0:0", "[::]:0", "192.0.2.1:8080"}) {
    const auto started = start(open);
    REQUIRE_FALSE(started);
    REQUIRE(started.error().code == Code::kConfigInvalid);
  }
  const std::string taken = plane.server->address().to_string();
  const auto started = start(taken.c_str());
  REQUIRE_FALSE(started);
  REQUIRE(started.error().code == Code::kSocketFailed);
  REQUIRE(started.error().text == taken + ": Address already in use");
}

TEST_CASE("each hostile request gets its refusal and the server serves on") {
  struct Case {
    std::string bytes;
    std::string answer;
  };
  const std::vector<Case> cases = {
      {"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 405 "},
      {"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "HTTP/1.1 405 "},
      {"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 405 "},
      {"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 "},
      {"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 "},
      {"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421 "},
      {"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /health HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 414 "},
      {"GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 414 "},
      {"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n", "HTTP/1.1 431 "},
      {"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n", "HTTP/1.1 505 "},
  };
  Plane plane;
  for (const Case& c : cases) {
    INFO(c.bytes.substr(0, 80));
    REQUIRE_THAT(plane.ask(c.bytes), Catch::StartsWith(c.answer));
  }
  REQUIRE_THAT(plane.ask("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"), Catch::Contains("\r\nAllow: GET, HEAD\r\n"));
  REQUIRE_THAT(plane.ask(kHealth), Catch::StartsWith("HTTP/1.1 200"));
}

TEST_CASE("bytes that are no HTTP end the connection at the latest when its time is up") {
  Plane plane;
  const std::string_view cases[] = {
      std::string_view("\0\0\0\0\0\0\r\n\r\n", 10),
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  // a TLS hello
      "\r\n\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET /health\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET /health HTTP/1.1\r\nno colon here\r\n\r\n",
      "GET /health HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
  };
  for (const std::string_view bytes : cases) {
    Visitor visitor(plane.server->address());
    visitor.send(bytes);
    plane.settle();
    plane.pass(5s);
    plane.server->run();
    INFO(bytes);
    REQUIRE(plane.serve(visitor));
    REQUIRE_THAT(visitor.text, !Catch::Contains("200 OK"));
  }
  REQUIRE_THAT(plane.ask(kHealth), Catch::StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a request may come in pieces, each byte alone") {
  Plane plane;
  Visitor visitor(plane.server->address());
  for (const char byte : kHealth) {
    REQUIRE_FALSE(visitor.receive());
    REQUIRE(visitor.text.empty());
    visitor.send({&byte, 1});
    while (is_readable(plane.server->fd(), 1)) plane.server->run();
  }
  REQUIRE(plane.serve(visitor));
  REQUIRE_THAT(visitor.text, Catch::StartsWith("HTTP/1.1 200"));
}

TEST_CASE("who drips his request is cut off when his time is up, not when he falls silent") {
  Plane plane;
  Visitor visitor(plane.server->address());
  plane.settle();
  for (int second = 0; second < 4; ++second) {
    visitor.send("G");
    plane.pass(1s);
    plane.settle();
    REQUIRE_FALSE(visitor.receive());
  }
  plane.pass(1s);
  plane.server->run();
  REQUIRE(plane.serve(visitor));
  REQUIRE(visitor.text.empty());
}

TEST_CASE("connections beyond the limit wait, and get their turn when others are cut off") {
  Plane plane("127.0.0.1:0", {.connections_max = 4});
  std::vector<std::unique_ptr<Visitor>> silent;
  for (int i = 0; i < 4; ++i) silent.push_back(std::make_unique<Visitor>(plane.server->address()));
  plane.settle();
  Visitor patient(plane.server->address());
  patient.send(kHealth);
  plane.settle();
  REQUIRE_FALSE(patient.receive());
  REQUIRE(patient.text.empty());

  plane.pass(5s);
  plane.server->run();
  REQUIRE(plane.serve(patient));
  REQUIRE_THAT(patient.text, Catch::StartsWith("HTTP/1.1 200"));
  for (auto& visitor : silent) REQUIRE(visitor->receive());
}

TEST_CASE("a visitor who leaves in the middle is forgotten when his time is up, if not before") {
  Plane plane;
  for (size_t i = 0; i < 10 * kHealth.size(); ++i) {
    {
      Visitor visitor(plane.server->address());
      visitor.send(kHealth.substr(0, i % kHealth.size()));
      if (i % 2 == 0) plane.server->run();
    }
    plane.server->run();
    if (i % 10 == 0) plane.pass(5s);
  }
  plane.pass(5s);
  plane.server->run();
  plane.settle();
  REQUIRE_FALSE(is_readable(plane.server->fd(), 20));
  REQUIRE_THAT(plane.ask(kHealth), Catch::StartsWith("HTTP/1.1 200"));
}

TEST_CASE("an idle server has nothing to do") {
  Plane plane;
  plane.settle();
  REQUIRE_FALSE(is_readable(plane.server->fd(), 20));
  plane.ask(kHealth);
  plane.settle();
  REQUIRE_FALSE(is_readable(plane.server->fd(), 20));
}

TEST_CASE("a server can go while visitors wait") {
  auto plane = std::make_unique<Plane>();
  Visitor visitor(plane->server->address());
  visitor.send("GET /hea");
  plane->settle();
  plane.reset();
  REQUIRE(visitor.receive());
}
