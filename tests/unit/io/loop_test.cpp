#include "io/loop.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "io/system_clock.h"
#include "running_loop.h"

using namespace godwit;
using namespace godwit::io;

TEST_CASE("a timer fires after its deadline, at most a millisecond or two late") {
  RunningLoop loop;
  for (const Duration delay : {200us, 700us, 3500us}) {
    const Timestamp deadline = loop->now() + delay;
    Timestamp fired = kNever;
    Timer timer([&](Timestamp now) { fired = now; });
    loop->timers().arm(timer, deadline);
    REQUIRE(loop.until([&] { return fired != kNever; }));
    REQUIRE(fired >= deadline);
    REQUIRE(fired - deadline < 20ms);  // room for a busy machine; a quiet one needs some 60 us
  }
}

TEST_CASE("waiting for a deadline below a millisecond does not spin") {
  RunningLoop loop;
  int fired = 0;
  Timer timer([&](Timestamp now) {
    if (++fired < 20) loop->timers().arm(timer, now + 900us);
  });
  loop->timers().arm(timer, loop->now());
  REQUIRE(loop.until([&] { return fired == 20; }));
  REQUIRE(loop.metrics().loop_iterations.value() < 50);
}

TEST_CASE("a deadline that moves away and back is kept") {
  RunningLoop loop;
  const Timestamp start = loop->now();
  Timestamp fired = kNever;
  Timer late([&](Timestamp now) { fired = now; });
  Timer mover([&](Timestamp) { loop->timers().arm(late, start + 6ms); });
  loop->timers().arm(late, start + 2ms);
  loop->timers().arm(late, start + 50ms);
  loop->timers().arm(mover, start + 4ms);
  REQUIRE(loop.until([&] { return fired != kNever; }));
  REQUIRE(fired >= start + 6ms);
  REQUIRE(fired < start + 50ms);
}

TEST_CASE("time stands still within a turn until it is refreshed") {
  RunningLoop loop;
  bool checked = false;
  Timer timer([&](Timestamp now) {
    REQUIRE(loop->now() == now);
    while (monotonic_now() < now + 10us) continue;
    REQUIRE(loop->now() == now);
    loop->refresh();
    REQUIRE(loop->now() > now);
    checked = true;
  });
  loop->timers().arm(timer, loop->now());
  REQUIRE(loop.until([&] { return checked; }));
}

TEST_CASE("hooks run in their order after the timers of the turn, and once before the loop sleeps") {
  RunningLoop loop;
  std::vector<int> order;
  Timer timer([&](Timestamp) { order.push_back(0); });
  loop->timers().arm(timer, loop->now());
  const TurnHook first(*loop, [&] { order.push_back(1); });
  const TurnHook second(*loop, [&] { order.push_back(2); });
  REQUIRE(loop.until([&] { return true; }));
  REQUIRE(order.size() >= 3);
  REQUIRE(std::vector(order.begin(), order.begin() + 3) == std::vector{0, 1, 2});
}

TEST_CASE("a hook may remove itself and others while hooks run") {
  RunningLoop loop;
  int ran = 0;
  std::unique_ptr<TurnHook> own, later;
  own = std::make_unique<TurnHook>(*loop, [&] {
    ++ran;
    later.reset();
    own.reset();
  });
  later = std::make_unique<TurnHook>(*loop, [&] { ran += 100; });
  loop.for_a_while(1ms);
  REQUIRE(ran == 1);
}

TEST_CASE("posted work runs on the loop's thread in the order of its sender") {
  RunningLoop loop;
  std::vector<int> seen;
  std::thread::id ran_on;
  int refused = 0;
  std::thread sender([&] {
    for (int i = 0; i < 100; ++i) {
      const auto work = [&, i] {
        seen.push_back(i);
        ran_on = std::this_thread::get_id();
      };
      refused += !loop->post(work);
    }
  });
  REQUIRE(loop.until([&] { return seen.size() == 100; }));
  sender.join();
  REQUIRE(refused == 0);
  REQUIRE(std::is_sorted(seen.begin(), seen.end()));
  REQUIRE(ran_on == std::this_thread::get_id());
}

TEST_CASE("a full mailbox refuses, counts, and takes again when there is room") {
  RunningLoop loop({.mailbox_tasks_max = 3});
  int ran = 0;
  for (int i = 0; i < 3; ++i) REQUIRE(loop->post([&] { ++ran; }));
  REQUIRE_FALSE(loop->post([&] { ran += 100; }));
  REQUIRE(loop->posts_refused() == 1);
  REQUIRE(loop.until([&] { return ran == 3; }));
  REQUIRE(loop->post([&] { ++ran; }));
  REQUIRE(loop.until([&] { return ran == 4; }));
}

TEST_CASE("work that posts more work does not keep the loop from its timers") {
  RunningLoop loop;
  uint64_t ran = 0;
  std::function<void()> again = [&] {
    ++ran;
    REQUIRE(loop->post(again));
  };
  REQUIRE(loop->post(again));
  loop.for_a_while(5ms);
  REQUIRE(ran > 1);
}

TEST_CASE("many threads may post at once and nothing is lost") {
  RunningLoop loop({.mailbox_tasks_max = 100'000});
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  int ran = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> senders;
  for (int i = 0; i < kThreads; ++i) {
    senders.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) refused += !loop->post([&] { ++ran; });
    });
  }
  REQUIRE(loop.until([&] { return ran == kThreads * kEach; }));
  for (std::thread& sender : senders) sender.join();
  REQUIRE(refused == 0);
}

TEST_CASE("a loop stopped by another thread runs its hooks once more and can run again") {
  RunningLoop loop;
  int hooks = 0;
  const TurnHook hook(*loop, [&] { ++hooks; });
  for (int round = 0; round < 2; ++round) {
    hooks = 0;
    std::thread stopper([&] { loop->stop(); });
    loop->run();
    stopper.join();
    REQUIRE(hooks >= 1);
  }
}

TEST_CASE("turns are counted with the time they kept the loop busy") {
  RunningLoop loop;
  bool worked = false;
  Timer timer([&](Timestamp now) {
    while (monotonic_now() < now + 3ms) continue;
    worked = true;
  });
  loop->timers().arm(timer, loop->now());
  REQUIRE(loop.metrics().loop_busy_ns.value() == 0);
  REQUIRE(loop.until([&] { return worked; }));
  REQUIRE(loop.metrics().loop_iterations.value() >= 1);
  REQUIRE(loop.metrics().loop_busy_ns.value() >= 3'000'000);
  REQUIRE(loop.metrics().loop_lag_seconds.snapshot().quantile(1) >= 2900us);
}

namespace {

// Traffic that is there for the asking, so many times.
struct Pollable final : BusyPollable {
  Pollable(Loop& on, int times) : loop(on), left(times) { loop.add_pollable(*this); }
  ~Pollable() override { loop.remove_pollable(*this); }
  bool poll_now() override {
    ++asked;
    if (left == 0) return false;
    --left;
    loop.begin_turn();
    loop.saw_traffic();
    return true;
  }
  Loop& loop;
  int left;
  int asked = 0;
};

}  // namespace

TEST_CASE("a loop asks its sockets before sleeping only when that is on and traffic was just seen") {
  for (const bool enabled : {false, true}) {
    for (const bool traffic : {false, true}) {
      CAPTURE(enabled, traffic);
      RunningLoop loop({.busy_poll = {.enabled = enabled, .spin = 50us}});
      Pollable pollable(*loop, 0);
      Timer seen([&](Timestamp) { loop->saw_traffic(); });
      if (traffic) loop->timers().arm(seen, loop->now());
      loop.for_a_while(3ms);
      REQUIRE((pollable.asked > 0) == (enabled && traffic));
    }
  }
}

TEST_CASE("traffic without end keeps neither timers nor other threads waiting") {
  RunningLoop loop({.busy_poll = {.enabled = true}});
  Pollable endless(*loop, -1);
  Timer seen([&](Timestamp) { loop->saw_traffic(); });
  loop->timers().arm(seen, loop->now());
  loop.for_a_while(3ms);
  REQUIRE(endless.asked > 10);

  bool ran = false;
  std::atomic<bool> taken = false;
  std::thread sender([&] { taken = loop->post([&] { ran = true; }); });
  REQUIRE(loop.until([&] { return ran; }));
  sender.join();
  REQUIRE(taken);
}
