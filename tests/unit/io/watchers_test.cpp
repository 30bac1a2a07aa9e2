#include <signal.h>
#include <unistd.h>

#include <vector>

#include "io/poll_watcher.h"
#include "io/signal_watcher.h"
#include "running_loop.h"

using namespace godwit;
using namespace godwit::io;

TEST_CASE("signals become calls on the loop instead of ending the process") {
  RunningLoop loop;
  std::vector<int> seen;
  const auto watcher = SignalWatcher::watch(*loop, {SIGTERM, SIGHUP}, [&](int signal) { seen.push_back(signal); });
  REQUIRE(watcher);
  REQUIRE(kill(getpid(), SIGHUP) == 0);
  REQUIRE(seen.empty());
  REQUIRE(loop.until([&] { return seen.size() == 1; }));
  REQUIRE(kill(getpid(), SIGTERM) == 0);
  REQUIRE(loop.until([&] { return seen.size() == 2; }));
  REQUIRE(seen == std::vector{SIGHUP, SIGTERM});
}

TEST_CASE("a signal that nobody can catch is refused") {
  RunningLoop loop;
  REQUIRE_FALSE(SignalWatcher::watch(*loop, {SIGKILL}, [](int) {}));
}

TEST_CASE("a foreign descriptor is told of while there is something to read") {
  RunningLoop loop;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  {
    int calls = 0;
    std::string text;
    const auto watcher = PollWatcher::watch(*loop, ends[0], [&] {
      char byte = 0;
      ++calls;
      if (read(ends[0], &byte, 1) == 1) text += byte;
    });
    REQUIRE(watcher);
    loop.for_a_while(2ms);
    REQUIRE(calls == 0);
    REQUIRE(write(ends[1], "abc", 3) == 3);
    REQUIRE(loop.until([&] { return text == "abc"; }));
    loop.for_a_while(2ms);
    REQUIRE(calls == 3);
  }
  close(ends[0]);
  close(ends[1]);
}
