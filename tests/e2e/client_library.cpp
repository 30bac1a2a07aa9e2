// The client library against a real server, whose address and certificate are in GODWIT_ADDRESS and GODWIT_CA; the
// server runs the app of client_library.py. GODWIT_DEAD is an address at which nobody listens.

#include <godwit/client.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <ranges>
#include <thread>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using godwit::Client;
using godwit::ClientOptions;
using godwit::Reply;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

ClientOptions options() { return {.address = environment("GODWIT_ADDRESS"), .ca_file = environment("GODWIT_CA")}; }

}  // namespace

TEST_CASE("a request is answered, whatever its body") {
  Client client(options());
  for (const size_t bytes : {0u, 1u, 1000u, 70'000u, 1u << 20}) {
    const std::string body(bytes, 'x');
    const Reply reply = client.request("echo", body).get();
    INFO(reply.name << ": " << reply.text);
    REQUIRE(reply.ok());
    CHECK(reply.body == body);
    CHECK(reply.code == 0);
  }
}

TEST_CASE("the handler's failure is the reply, with code, name and text") {
  Client client(options());
  const Reply reply = client.request("refuse", "").get();
  CHECK(reply.status == Reply::Status::kFailure);
  CHECK(reply.code == 6002);
  CHECK(reply.name == "Forbidden");
  CHECK(reply.text == "not today");
  CHECK(client.request("nobody.home", "").get().name == "HandlerNotFound");
}

TEST_CASE("headers go both ways, and the kind picks the handler") {
  Client client(options());
  const Reply reply = client.request("headers", "", {.headers = {{"color", "red"}}}).get();
  CHECK(reply.body == "red");
  CHECK(reply.headers == godwit::Headers{{"shade", "dark"}});
  CHECK(client.request("kind", "", {.kind = godwit::CallOptions::Kind::kQuery}).get().body == "asked");
}

TEST_CASE("an event is acknowledged once it was handled, or refused") {
  Client client(options());
  CHECK(client.send("echo", "hello").get().ok());
  CHECK(client.send("nobody.home", "").get().name == "HandlerNotFound");
}

TEST_CASE("connected says how connecting went") {
  Client good(options());
  CHECK(good.connected().get().ok());
  ClientOptions untrusting = options();
  untrusting.ca_file.clear();
  Client bad(untrusting);
  CHECK(bad.connected().get().name == "CertificateUntrusted");
  CHECK(bad.request("echo", "x").get().name == "CertificateUntrusted");
}

TEST_CASE("what is wrong with the options is the result of every call") {
  CHECK(Client({.address = "nonsense"}).request("echo", "").get().name == "AddressInvalid");
  CHECK(Client({.address = "127.0.0.1:1", .ca_file = "/nonexistent"}).connected().get().name == "FileUnreadable");
}

TEST_CASE("calls in great number from several threads end once each, answers going to their requests") {
  Client client(options());
  constexpr int kThreads = 4, kCalls = 2000;
  std::atomic<int> right{0}, ended{0};
  {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kCalls; ++i) {
          const std::string body = std::to_string(t * kCalls + i);
          client.request("echo", body, {}, [&, body](const Reply& reply) {
            if (reply.ok() && reply.body == body) ++right;
            ++ended;
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  Client last = std::move(client);
  CHECK(last.request("echo", "last").get().ok());  // ordered after all others
  CHECK(ended == kThreads * kCalls);
  CHECK(right == ended);
}

TEST_CASE("a client may close while other threads call it: each call ends once, in an answer or cancelled") {
  constexpr int kThreads = 3, kRounds = 5, kCalls = 300;
  int answered = 0, cancelled = 0;
  for (int round = 0; round < kRounds; ++round) {
    Client client(options());
    REQUIRE(client.connected().get().ok());
    std::array<std::vector<std::future<Reply>>, kThreads> calls;
    std::vector<std::thread> threads;
    std::promise<void> warm;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kCalls; ++i) {
          if (t == 0 && i == kCalls / 4) warm.set_value();
          calls[t].push_back(client.request("echo", "x"));
        }
      });
    }
    warm.get_future().wait();
    client.close();
    for (std::thread& thread : threads) thread.join();
    CHECK(client.request("echo", "").get().name == "Cancelled");
    for (auto& call : std::views::join(calls)) {
      const Reply reply = call.get();
      (reply.ok() ? answered : cancelled) += 1;
      if (!reply.ok()) CHECK(reply.name == "Cancelled");
    }
  }
  CHECK(answered > 0);
  CHECK(answered + cancelled == kThreads * kRounds * kCalls);
}

TEST_CASE("callbacks may call the client") {
  Client client(options());
  std::promise<Reply> second;
  client.request("echo", "one", {}, [&](Reply) {
    client.request("echo", "two", {}, [&](Reply reply) { second.set_value(std::move(reply)); });
  });
  CHECK(second.get_future().get().body == "two");
}

TEST_CASE("a deadline holds, connected or not") {
  Client client(options());
  REQUIRE(client.connected().get().ok());
  auto began = Clock::now();
  const Reply late = client.request("slow", "", {.timeout = 50ms}).get();
  CHECK(late.status == Reply::Status::kTimeout);
  CHECK(late.name == "DeadlineExceeded");
  CHECK(Clock::now() - began < 1s);

  Client apart({.address = environment("GODWIT_DEAD"), .insecure = true, .connect_timeout = 5s});
  began = Clock::now();
  CHECK(apart.request("echo", "", {.timeout = 100ms}).get().name == "DeadlineExceeded");
  CHECK(apart.send("echo", "", {.timeout = 100ms}).get().name == "DeadlineExceeded");
  CHECK(Clock::now() - began < 2s);
}

TEST_CASE("a server that is not there is an error within the connect timeout, and success is never said") {
  Client client({.address = environment("GODWIT_DEAD"), .insecure = true, .connect_timeout = 300ms});
  const auto began = Clock::now();
  const Reply reply = client.request("echo", "").get();
  CHECK(reply.status == Reply::Status::kTimeout);
  CHECK(reply.name == "ConnectTimeout");
  CHECK(Clock::now() - began < 2s);
}

TEST_CASE("beyond the bound calls are refused at once") {
  ClientOptions few = options();
  few.address = environment("GODWIT_DEAD");
  few.pending_max = 3;
  few.connect_timeout = 300ms;
  Client client(few);
  std::vector<std::future<Reply>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(client.request("echo", ""));
  CHECK(calls[3].wait_for(0s) == std::future_status::ready);
  CHECK(calls[4].get().name == "QueueFull");
  CHECK(calls[0].wait_for(0s) != std::future_status::ready);
  CHECK(calls[0].get().name == "ConnectTimeout");
}

TEST_CASE("closing waits for calls under way, and cancels what takes too long") {
  std::future<Reply> quick, stuck, refused;
  {
    Client client(options());
    quick = client.send("echo", "");
  }
  CHECK(quick.get().ok());
  const auto began = Clock::now();
  {
    Client client({.address = environment("GODWIT_DEAD"), .insecure = true, .linger = 50ms});
    stuck = client.request("echo", "");
    client.close();
    refused = client.request("echo", "");
  }
  CHECK(stuck.get().name == "Cancelled");
  CHECK(refused.get().name == "Cancelled");
  CHECK(Clock::now() - began < 2s);
}

namespace {

/// A program with a loop of its own: turns it until `done`, and says whether it came to that.
bool turn_until(Client& client, const std::function<bool()>& done, std::chrono::milliseconds limit = 10s) {
  const auto end = Clock::now() + limit;
  while (!done() && Clock::now() < end) {
    pollfd waiting{client.event_fd(), POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (::poll(&waiting, 1, static_cast<int>(std::max<int64_t>(0, left.count()))) > 0) client.process();
  }
  return done();
}

ClientOptions driven() {
  ClientOptions chosen = options();
  chosen.own_thread = false;
  return chosen;
}

}  // namespace

TEST_CASE("a program drives the client from its own loop: everything happens there, and nothing else does") {
  Client client(driven());
  REQUIRE(client.event_fd() >= 0);
  const std::thread::id here = std::this_thread::get_id();
  size_t answers = 0;
  const std::string body(300'000, 'x');
  for (int i = 0; i < 50; ++i) {
    client.request("echo", body, {}, [&](const Reply& reply) {
      CHECK(std::this_thread::get_id() == here);
      CHECK((reply.ok() && reply.body == body));
      ++answers;
    });
  }
  pollfd waiting{client.event_fd(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 10'000) == 1);
  CHECK(answers == 0);
  CHECK(turn_until(client, [&] { return answers == 50; }));
}

TEST_CASE("a client without a thread takes calls from other threads, and its loop wakes for them") {
  Client client(driven());
  std::atomic<int> answers = 0;
  REQUIRE(turn_until(client,
                     [done = client.connected().share()] { return done.wait_for(0s) == std::future_status::ready; }));
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) client.request("echo", "x", {}, [&](const Reply& reply) { answers += reply.ok(); });
  });
  CHECK(turn_until(client, [&] { return answers == 100; }));
  other.join();
}

TEST_CASE("without a thread deadlines hold, too, and closing waits for what is under way") {
  ClientOptions chosen = driven();
  chosen.address = environment("GODWIT_DEAD");
  {
    Client dead(chosen);
    std::optional<Reply> outcome;
    const auto began = Clock::now();
    dead.request("echo", "x", {.timeout = 200ms}, [&](Reply reply) { outcome = std::move(reply); });
    CHECK(turn_until(dead, [&] { return outcome.has_value(); }));
    CHECK(outcome->status != Reply::Status::kSuccess);
    CHECK(Clock::now() - began >= 190ms);
  }
  bool answered = false;
  {
    Client client(driven());
    client.request("echo", "x", {}, [&](const Reply& reply) { answered = reply.ok(); });
  }
  CHECK(answered);
}

TEST_CASE("a client with a thread has no descriptor, and processing does nothing") {
  Client client(options());
  CHECK(client.event_fd() == -1);
  client.process();
  CHECK(client.request("echo", "x").get().ok());
}

TEST_CASE("without a thread nothing is heard before the first turn, not even that it connects") {
  ClientOptions chosen = driven();
  size_t heard = 0;
  chosen.on_event = [&](const godwit::ClientEvent&) { ++heard; };
  Client client(chosen);
  CHECK(heard == 0);
  client.process();
  CHECK(heard > 0);
}

TEST_CASE("a client that was closed says goodbye within its turns, and its destructor has nothing left to do") {
  ClientOptions chosen = driven();
  bool closed = false;
  chosen.on_event = [&](const godwit::ClientEvent& event) {
    closed |= event.kind == godwit::ClientEvent::Kind::kClosed;
  };
  Client client(chosen);
  bool answered = false;
  client.request("echo", "x", {}, [&](const Reply& reply) { answered = reply.ok(); });
  client.close();
  CHECK(turn_until(client, [&] { return answered && closed; }));
  client.process();
}

TEST_CASE("many who hurry harm nobody") {
  for (const bool own_thread : {true, false}) {
    ClientOptions chosen = options();
    chosen.own_thread = own_thread;
    Client client(chosen);
    for (int i = 0; i < 20'000; ++i) client.reconnect_now();
    bool answered = false;
    if (own_thread) {
      answered = client.request("echo", "x").get().ok();
    } else {
      client.request("echo", "x", {}, [&](const Reply& reply) { answered = reply.ok(); });
      turn_until(client, [&] { return answered; });
    }
    CHECK(answered);
  }
}

TEST_CASE("times beyond the end of the clock are as long as can be") {
  ClientOptions chosen = options();
  chosen.connect_timeout = chosen.request_timeout = chosen.linger = std::chrono::nanoseconds::max();
  Client client(chosen);
  CHECK(client.request("echo", "x", {.timeout = std::chrono::nanoseconds::max()}).get().ok());
}

TEST_CASE("a call that is withdrawn ends as cancelled, and its handler is told while it waits") {
  Client client(options());
  std::promise<Reply> heard;
  const godwit::CallId call = client.request("wait", "", {}, [&](Reply reply) { heard.set_value(std::move(reply)); });
  CHECK(call != 0);
  CHECK(client.request("ended", "").get().body == "not yet");
  const auto began = Clock::now();
  client.cancel(call);
  CHECK(heard.get_future().get().name == "Cancelled");
  std::string ended;
  while (Clock::now() - began < 5s && ended != "Cancelled") ended = client.request("ended", "").get().body;
  CHECK(ended == "Cancelled");
  client.cancel(call);  // it is over
  client.cancel(12345);
  CHECK(client.request("echo", "x").get().body == "x");
}

TEST_CASE("a call that was not sent yet is withdrawn as well") {
  Client client({.address = environment("GODWIT_DEAD"), .insecure = true, .linger = 50ms});
  std::promise<Reply> heard;
  client.cancel(client.request("echo", "", {}, [&](Reply reply) { heard.set_value(std::move(reply)); }));
  CHECK(heard.get_future().get().name == "Cancelled");
}

TEST_CASE("apps hear why a client goes") {
  for (const auto reason : {godwit::StopReason::kLogout, godwit::StopReason::kSwitchAccount}) {
    {
      Client leaves(options());
      REQUIRE(leaves.connected().get().ok());
      leaves.close(reason);
    }
    Client client(options());
    const std::string wanted = std::to_string(static_cast<int>(reason));
    std::string told;
    const auto began = Clock::now();
    while (Clock::now() - began < 5s && told != wanted) told = client.request("stop", "").get().body;
    CHECK(told == wanted);
  }
}

TEST_CASE("who asks for it hears of each message, and always of an answer that does not come in time") {
  using Kind = godwit::ClientEvent::Kind;
  std::mutex mutex;
  std::vector<std::pair<Kind, std::string>> heard;
  {
    ClientOptions all = options();
    all.message_events = GENERATE(true, false);
    all.on_event = [&](const godwit::ClientEvent& event) {
      const std::lock_guard lock(mutex);
      if (!event.action.empty()) heard.emplace_back(event.kind, event.action + " " + event.name);
    };
    {
      Client client(all);
      client.request("echo", "").get();
      client.request("wait", "", {.timeout = 50ms}).get();
    }
    std::vector<std::pair<Kind, std::string>> expected;
    if (all.message_events) expected = {{Kind::kSent, "echo "}, {Kind::kSent, "wait "}};
    expected.emplace_back(Kind::kPromiseTimeout, "wait DeadlineExceeded");
    const std::lock_guard lock(mutex);
    CHECK(heard == expected);
  }
}
