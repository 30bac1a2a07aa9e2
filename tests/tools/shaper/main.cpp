// A bad network between real processes: `shaper --to HOST:PORT` stands before a server as if it were one. README.md in
// the folder above says what it can do.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include "relay.h"

namespace {

using namespace godwit;
using namespace godwit::shaper;

Timestamp now() {
  return Timestamp(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

/// "loss 5%", "up delay 20ms", "rebind", "clear", "stats", "quit". The answer is one line.
class Script {
 public:
  explicit Script(Relay& relay) : relay_(relay) {}

  bool ended() const { return ended_; }

  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "quit") return ended_ = true, "ok";
    if (name == "stats") return stats();
    if (name == "clear") return relay_.up.faults = relay_.down.faults = {}, "ok";
    if (name == "rebind") return said(relay_.rebind());
    const bool one = name == "up" || name == "down";
    const std::string which = one ? name : "both";
    if (one) words >> name;
    std::string value;
    words >> value;
    return said(set(which, name, value));
  }

  Status set(std::string_view which, std::string_view name, std::string_view value) {
    Status status;
    if (which != "down") status = relay_.up.faults.set(name, value);
    if (status && which != "up") status = relay_.down.faults.set(name, value);
    if (!status)
      return fail(Code::kConfigInvalid, std::string(name) + " " + std::string(value) + ": " + status.error().text);
    return status;
  }

 private:
  static std::string said(const Status& status) { return status ? "ok" : "error " + status.error().text; }
  std::string stats() const {
    return "{\"clients\": " + std::to_string(relay_.clients()) + ", \"up\": " + relay_.up.counters.to_json() +
           ", \"down\": " + relay_.down.counters.to_json() + "}";
  }

  Relay& relay_;
  bool ended_ = false;
};

/// Lines from standard input, without ever waiting for one. Its end changes nothing: the shaper goes on until it is
/// told to quit or killed.
class Input {
 public:
  bool open() const { return open_; }
  void read(Script& script) {
    char bytes[4096];
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (got <= 0) return void(open_ = false);
    text_.append(bytes, static_cast<size_t>(got));
    for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      std::cout << script.run(text_.substr(0, end)) << std::endl;
    }
  }

 private:
  std::string text_;
  bool open_ = true;
};

/// Until something can be read, or the next packet is due.
void sleep_until(Timestamp until, const Relay& relay, Input& input, Script& script) {
  pollfd watched[2] = {{relay.epoll(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  timespec wait{};
  if (until != kNever) {
    const auto left = std::max(Duration(0), until - now()).count();
    wait = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  }
  if (::ppoll(watched, input.open() ? 2 : 1, until == kNever ? nullptr : &wait, nullptr) <= 0) return;
  if (watched[1].revents != 0 && input.open()) input.read(script);
}

void serve(Relay& relay, Script& script) {
  for (Input input; !script.ended();) {
    sleep_until(relay.next(), relay, input, script);
    relay.turn(now());
  }
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App program(
      "A bad network in front of a server; on standard input it takes lines such as 'loss 5%', 'up delay 20ms', "
      "'blackhole on', 'rebind', 'clear', 'stats', 'quit'.");
  std::string to;
  std::string listen = "127.0.0.1:0";
  uint64_t seed = 1;
  std::map<std::string, std::string> faults;
  program.add_option("--to", to, "The server: HOST:PORT")->required();
  program.add_option("--listen", listen, "Where clients come to")->capture_default_str();
  program.add_option("--seed", seed, "Of all chance")->capture_default_str();
  for (const std::string_view name : Faults::names()) {
    for (const std::string which : {"", "up-", "down-"}) {
      const std::string option = which + std::string(name);
      program.add_option_function<std::string>("--" + option,
                                               [&faults, option](const std::string& value) { faults[option] = value; });
    }
  }
  CLI11_PARSE(program, count, arguments);

  const auto server = SocketAddress::parse(to);
  const auto address = SocketAddress::parse(listen);
  if (!server || !address) return std::cerr << "shaper: --to and --listen take HOST:PORT\n", 2;
  auto relay = Relay::open(*address, *server, seed);
  if (!relay) return std::cerr << "shaper: " << relay.error().to_string() << '\n', 2;
  Script script(*relay);
  for (const auto& [option, value] : faults) {
    const bool up = option.starts_with("up-");
    const bool down = option.starts_with("down-");
    const Status set = script.set(up ? "up" : down ? "down" : "both", option.substr(up ? 3 : down ? 5 : 0), value);
    if (!set) return std::cerr << "shaper: " << set.error().text << '\n', 2;
  }
  std::cout << "shaper ready listen=" << relay->address().to_string() << std::endl;
  serve(*relay, script);
  return 0;
}
