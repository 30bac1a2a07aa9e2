// Counts, aloud, with a server: each number is a request, and is printed when the server has answered it. Pull the
// cable (README.md says how) and plug it in again: the numbers go on where they stopped, none is missing and none comes
// twice.

#include <cstdlib>
#include <deque>
#include <future>
#include <godwit/client.hpp>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

/// What two threads print must not mix.
void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

void tell(const godwit::ClientEvent& event) {
  using Kind = godwit::ClientEvent::Kind;
  switch (event.kind) {
    case Kind::kConnecting:
      return say(event.code ? "-- no connection: " + event.name + ", trying again" : "-- connecting");
    case Kind::kResumed: return say("-- the server still has the session: nothing was lost");
    case Kind::kSessionLost: return say("-- the server has given the session up");
    case Kind::kConnected: return say("-- connected");
    default: return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  godwit::Client client({.address = argc > 1 ? argv[1] : "127.0.0.1:8453", .insecure = true, .on_event = tell});
  std::deque<std::future<godwit::Reply>> answers;
  bool failed = false;
  for (uint64_t number = 1; number <= count; ++number) {
    answers.push_back(client.request("echo", std::to_string(number), {.timeout = std::chrono::minutes(2)}));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto ready = [&] { return answers.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
    while (!answers.empty() && (number == count || ready())) {
      const godwit::Reply reply = answers.front().get();
      answers.pop_front();
      say(reply.ok() ? reply.body : "failed: " + reply.name);
      failed |= !reply.ok();
    }
  }
  return failed ? 1 : 0;
}
