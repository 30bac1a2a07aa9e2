#include "io/line_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "io/line_client.h"
#include "kept_log.h"
#include "running_loop.h"
#include "temporary_folder.h"

using namespace godwit;
using namespace godwit::io;

namespace {

/// A server that shouts back, and keeps who asked.
struct Shouting {
  explicit Shouting(const LineServerOptions& options = {}) {
    auto made = LineServer::listen(*loop, path, options, Log(log, "admin"),
                                   [this](uint64_t connection, const PeerProcess& peer, std::string_view line) {
                                     peers.push_back(peer);
                                     if (line != "never") server->answer(connection, std::string(line) + "!");
                                   });
    REQUIRE(made);
    server = std::move(*made);
  }
  /// Asks from another thread, as another process would.
  Result<std::string> ask(std::string_view line, Duration timeout = 5s) {
    std::atomic<bool> answered{false};
    Result<std::string> answer;
    bool woken = false;
    std::thread asker([&] {
      answer = ask_line(path, line, timeout);
      answered = true;
      woken = loop->post([] {});
    });
    CHECK(loop.until([&] { return answered.load(); }));
    asker.join();
    CHECK(woken);
    return answer;
  }

  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "admin.socket";
  KeptLog log;
  RunningLoop loop;
  std::unique_ptr<LineServer> server;
  std::vector<PeerProcess> peers;
};

}  // namespace

TEST_CASE("a line is answered with a line, and who asked is known") {
  Shouting shouting;
  const auto answer = shouting.ask("hello");
  REQUIRE(answer);
  CHECK(*answer == "hello!");
  REQUIRE(shouting.peers.size() == 1);
  CHECK(shouting.peers[0].uid == ::getuid());
  CHECK(shouting.peers[0].pid == ::getpid());
}

TEST_CASE("the socket is for its owner, and its file goes with the server") {
  Shouting shouting;
  struct stat status {};
  REQUIRE(::stat(shouting.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  shouting.server.reset();
  CHECK_FALSE(std::filesystem::exists(shouting.path));
  CHECK(ask_line(shouting.path, "hello", 1s).error().code == Code::kConnectTimeout);
}

TEST_CASE("a path in use is refused, a dead one's replaced, and a file left alone") {
  Shouting shouting;
  const auto listen = [&](const std::filesystem::path& path) {
    return LineServer::listen(*shouting.loop, path, {}, Log(shouting.log, "admin"), [](auto...) {});
  };
  CHECK(listen(shouting.path).error().text.find("another server") != std::string::npos);
  const std::filesystem::path file = shouting.folder.path() / "file";
  write_file(file, "precious");
  CHECK(listen(file).error().text.find("is no socket") != std::string::npos);
  CHECK(std::filesystem::file_size(file) == 8);
  const std::filesystem::path dead = shouting.folder.path() / "dead";
  const FileDescriptor left(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, dead.c_str());
  REQUIRE(::bind(left.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(listen(dead));
  CHECK(listen(shouting.folder.path() / std::string(120, 'x')).error().code == Code::kAddressInvalid);
}

TEST_CASE("a request that is too long, or never ends, is cut off") {
  Shouting shouting({.line_bytes_max = 100, .idle_max = 1s});
  CHECK(shouting.ask(std::string(98, 'x')).value().size() == 99);
  CHECK(shouting.ask(std::string(100, 'x')).error().code == Code::kConnectionLost);
  const FileDescriptor half(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, shouting.path.c_str());
  REQUIRE(::connect(half.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(half.get(), "half", 4, 0) == 4);
  REQUIRE(shouting.loop.until([&] { return shouting.server->connections() == 1; }));
  CHECK(shouting.loop.until([&] { return shouting.server->connections() == 0; }));
}

TEST_CASE("what is being answered is not idle, and an answer that is late is nobody's loss") {
  Shouting shouting({.idle_max = 1ms});
  CHECK(shouting.ask("never", 1200ms).error().code == Code::kDeadlineExceeded);
  shouting.server->answer(1, "too late");
  CHECK(shouting.ask("hello").value() == "hello!");
}

TEST_CASE("more connections than allowed are closed at once") {
  Shouting shouting({.connections_max = 0});
  CHECK(shouting.ask("hello").error().code == Code::kConnectionLost);
}
