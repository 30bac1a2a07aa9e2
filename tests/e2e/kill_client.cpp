// kill_client ADDRESS LIFE: sends numbered requests "LIFE:number" all the time, some at once, until its input ends;
// then waits for what is open. Prints each number when it sends it, and what became of it. Made to be killed: every
// line is out before the next thing happens.

#include <atomic>
#include <cstdio>
#include <godwit/client.hpp>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

namespace {

constexpr uint64_t kInFlight = 16;

void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::atomic<bool> lost = false, ended = false;
  std::atomic<uint64_t> open = 0;
  const auto on_event = [&](const godwit::ClientEvent& event) {
    using Kind = godwit::ClientEvent::Kind;
    if (event.kind == Kind::kConnecting && event.code != 0) lost = true;
    if (event.kind == Kind::kResumed) say("resumed");
    if (event.kind == Kind::kSessionLost) say("lost");
  };
  godwit::Client client({.address = argv[1], .insecure = true, .on_event = on_event});
  std::thread input([&] {
    for (std::string line; std::getline(std::cin, line);) {
    }
    ended = true;
  });
  for (uint64_t number = 1; !ended || open > 0;) {
    // Those who kill servers have no patience for a polite back-off.
    if (lost.exchange(false)) client.reconnect_now();
    if (!ended && open < kInFlight) {
      say("sent " + std::to_string(number));
      ++open;
      client.request("seen", std::string(argv[2]) + ":" + std::to_string(number), {.timeout = std::chrono::seconds(20)},
                     [&, number](const godwit::Reply& reply) {
                       say((reply.ok() ? "done " : "failed " + reply.name + " ") + std::to_string(number));
                       --open;
                     });
      ++number;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  input.join();
  say("end");
}
