#include "io/file_watcher.h"

#include "io/file_tree.h"
#include "running_loop.h"
#include "temporary_folder.h"

using namespace godwit;
using namespace godwit::io;
namespace fs = std::filesystem;

namespace {

constexpr FileWatchOptions kQuick{.debounce = 5ms, .delay_max = 50ms, .poll_interval = 5ms};
constexpr FileWatchOptions kOnlyLooking{
    .debounce = 5ms, .delay_max = 50ms, .poll_interval = 5ms, .notifications = false};

}  // namespace

TEST_CASE("each kind of change below a folder is noticed, told or seen") {
  for (const FileWatchOptions& options : {kQuick, kOnlyLooking}) {
    CAPTURE(options.notifications);
    RunningLoop loop;
    const TemporaryFolder folder;
    fs::create_directories(folder / "app/lib");
    write_file(folder / "app/main.lua", "return 1");
    int changes = 0;
    FileWatcher watcher(*loop, {folder.path()}, options, [&] { ++changes; });
    REQUIRE(watcher.polling() != options.notifications);
    loop.for_a_while(20ms);
    REQUIRE(changes == 0);

    const auto noticed = [&](const std::function<void()>& change) {
      changes = 0;
      change();
      const bool seen = loop.until([&] { return changes > 0; });
      loop.for_a_while(20ms);  // until nothing of it is left to be told
      return seen;
    };
    REQUIRE(noticed([&] { write_file(folder / "app/main.lua", "return 22"); }));
    REQUIRE(noticed([&] { write_file(folder / "app/lib/util.lua", "x"); }));
    REQUIRE(noticed([&] { fs::rename(folder / "app/lib/util.lua", folder / "app/lib/other.lua"); }));
    REQUIRE(noticed([&] { fs::remove(folder / "app/lib/other.lua"); }));
    REQUIRE(noticed([&] { fs::create_directories(folder / "second/lib"); }));
    REQUIRE(noticed([&] { write_file(folder / "second/lib/new.lua", "in a folder made later"); }));
    REQUIRE(noticed([&] { fs::remove_all(folder / "second"); }));
    REQUIRE(watcher.polling() != options.notifications);
  }
}

TEST_CASE("several writes in quick succession are one change") {
  RunningLoop loop;
  const TemporaryFolder folder;
  int changes = 0;
  FileWatcher watcher(*loop, {folder.path()}, {.debounce = 150ms}, [&] { ++changes; });
  for (int i = 0; i < 5; ++i) {
    write_file(folder / "main.lua", std::string(i, 'x'));
    loop.for_a_while(2ms);
  }
  REQUIRE(changes == 0);
  REQUIRE(loop.until([&] { return changes > 0; }));
  loop.for_a_while(200ms);
  REQUIRE(changes == 1);
}

TEST_CASE("a folder that never rests is reported all the same") {
  RunningLoop loop;
  const TemporaryFolder folder;
  int changes = 0;
  int writes = 0;
  FileWatcher watcher(*loop, {folder.path()}, {.debounce = 1s, .delay_max = 20ms}, [&] { ++changes; });
  Timer writer([&](Timestamp now) {
    write_file(folder / "main.lua", std::string(++writes, 'x'));
    loop->timers().arm(writer, now + 1ms);
  });
  loop->timers().arm(writer, loop->now());
  REQUIRE(loop.until([&] { return changes > 0; }));
  REQUIRE(writes > 1);
}

TEST_CASE("a folder that comes later, goes, and comes again is followed") {
  RunningLoop loop;
  const TemporaryFolder folder;
  const fs::path root = folder / "scripts";
  int changes = 0;
  FileWatcher watcher(*loop, {root}, kQuick, [&] { ++changes; });
  REQUIRE(watcher.polling());
  loop.for_a_while(20ms);
  REQUIRE(changes == 0);

  fs::create_directory(root);
  write_file(root / "main.lua", "1");
  REQUIRE(loop.until([&] { return changes > 0 && !watcher.polling(); }));

  changes = 0;
  fs::rename(root, folder / "old");
  fs::create_directory(root);
  write_file(root / "main.lua", "2");
  REQUIRE(loop.until([&] { return changes > 0; }));
  loop.for_a_while(20ms);

  changes = 0;
  write_file(root / "main.lua", "33");
  REQUIRE(loop.until([&] { return changes > 0; }));
}

TEST_CASE("a tree's fingerprint changes with its files and with nothing else") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "lib");
  write_file(folder / "main.lua", "1");
  const auto look = [&] { return look_at({folder.path()}, 100); };
  const FileTree first = look();
  REQUIRE(first.complete);
  REQUIRE(first.folders.size() == 2);
  REQUIRE(look().fingerprint == first.fingerprint);
  write_file(folder / "main.lua", "22");
  REQUIRE(look().fingerprint != first.fingerprint);
}

TEST_CASE("looking at a tree is bounded, and loops of links end") {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) write_file(folder.path() / std::to_string(i), "x");
  REQUIRE(look_at({folder.path()}, 20).complete);
  REQUIRE_FALSE(look_at({folder.path()}, 19).complete);
  REQUIRE_FALSE(look_at({folder / "missing"}, 20).complete);

  fs::create_directory_symlink(folder.path(), folder / "again");
  REQUIRE(look_at({folder.path()}, 10'000).folders.size() < 50);
}
