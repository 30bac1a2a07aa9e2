// Asks a server for durable events and pays it durably, by number, until its input ends; says what comes of each.

#include <atomic>
#include <chrono>
#include <godwit/client.hpp>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

using namespace std::chrono_literals;

/// What two threads print must not mix.
void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

/// Those who kill servers have no patience for a polite back-off.
std::atomic<bool> in_a_hurry{false};

void tell(const godwit::ClientEvent& event) {
  using Kind = godwit::ClientEvent::Kind;
  if (event.kind == Kind::kConnecting && event.code != 0) in_a_hurry = true;
  if (event.kind == Kind::kSessionLost) say("lost " + event.name);
  if (event.kind == Kind::kConnected) say("connected");
  if (event.kind == Kind::kDisconnected) say("disconnected " + event.name);
}

godwit::Reply take(const godwit::Message& message) {
  say("got " + std::string(message.body));
  return {.status = godwit::Reply::Status::kSuccess};
}

}  // namespace

int main(int, char** argv) {
  godwit::Client client({.address = argv[1],
                         .client_id = argv[2],
                         .insecure = true,
                         .linger = 20s,
                         .on_message = take,
                         .on_event = tell});
  std::atomic<bool> over{false};
  std::thread waiting([&] {
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    over = true;
  });
  for (int number = 1; !over; ++number) {
    if (in_a_hurry.exchange(false)) client.reconnect_now();
    const std::string name = std::to_string(number);
    client.request("emit", name, {.timeout = 10s}, [name](const godwit::Reply& reply) {
      say((reply.ok() ? "kept " : "unsure ") + name + " " + reply.name);
    });
    client.request("pay", name, {.timeout = 30s, .durable = true}, [name](const godwit::Reply& reply) {
      say((reply.ok() ? "paid " : "unpaid ") + name + " " + reply.name);
    });
    std::this_thread::sleep_for(3ms);
  }
  waiting.join();
  return 0;
}
