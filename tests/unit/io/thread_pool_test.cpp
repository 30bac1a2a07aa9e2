#include "io/thread_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <set>

using namespace godwit;

TEST_CASE("work runs on other threads, several at a time") {
  io::ThreadPool pool(2, 16);
  std::promise<void> first_runs, second_runs;
  std::promise<std::thread::id> done;
  // Each waits for the other: with one thread this would never end.
  REQUIRE(pool.run([&] {
    first_runs.set_value();
    second_runs.get_future().wait();
    done.set_value(std::this_thread::get_id());
  }));
  REQUIRE(pool.run([&] {
    first_runs.get_future().wait();
    second_runs.set_value();
  }));
  CHECK(done.get_future().get() != std::this_thread::get_id());
}

TEST_CASE("at its bound the pool refuses, and takes more when there is room again") {
  io::ThreadPool pool(1, 2);
  std::promise<void> begun, go_on;
  std::atomic<int> ran{0};
  REQUIRE(pool.run([&] {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  CHECK(pool.run([&] { ++ran; }));
  CHECK(pool.run([&] { ++ran; }));
  CHECK_FALSE(pool.run([&] { ran += 100; }));
  CHECK(pool.facts().tasks == 3);
  CHECK(pool.facts().rejected == 1);
  CHECK(pool.facts().done == 0);
  go_on.set_value();
  std::promise<void> last;
  while (!pool.run([&] { last.set_value(); })) std::this_thread::yield();
  last.get_future().wait();
  CHECK(ran == 2);
  while (pool.facts().tasks > 0) std::this_thread::yield();
  CHECK(pool.facts().done == 4);
  CHECK(pool.facts().seconds.count() == 4);
}

TEST_CASE("the pool's end waits for what is being done and drops what waits") {
  std::atomic<int> ran{0};
  {
    io::ThreadPool pool(1, 16);
    std::promise<void> begun;
    REQUIRE(pool.run([&] {
      begun.set_value();
      ++ran;
    }));
    begun.get_future().wait();
  }
  CHECK(ran == 1);
}
