#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "host/app.h"

using namespace godwit;
using namespace godwit::host;
namespace fs = std::filesystem;

namespace {

/// A folder that goes with the test.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "godwit-host-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    root_ = pattern;
  }
  ~Scratch() { fs::remove_all(root_); }

  fs::path write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
    return root_ / path;
  }
  const fs::path& root() const { return root_; }

  std::string error_of(const fs::path& folder, const AppLimits& limits = {}) const {
    const auto source = read_app(folder, limits);
    REQUIRE_FALSE(source);
    CHECK(source.error().code == Code::kScriptLoadFailed);
    return source.error().text;
  }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("an app's source is its Lua files, wherever they lie below its folder") {
  const Scratch scratch;
  scratch.write("chat/main.lua", "return 1");
  scratch.write("chat/lib/deep/er.lua", "return 2");
  scratch.write("chat/lib/a.lua", "return 3");
  scratch.write("chat/README.md", "not Lua");
  scratch.write("chat/.git/hook.lua", "hidden");
  scratch.write("chat/.#main.lua", "an editor's");
  for (const char* folder : {"chat", "chat/", "./chat"}) {
    const auto source = read_app(scratch.root() / folder, {});
    REQUIRE(source);
    CHECK(source->name == "chat");
    REQUIRE(source->files.size() == 3);
    CHECK(source->files[0].path == "lib/a.lua");
    CHECK(source->files[1].path == "lib/deep/er.lua");
    CHECK(source->files[2].path == "main.lua");
    CHECK(source->files[2].text == "return 1");
  }
}

TEST_CASE("the hash tells whether anything changed") {
  const Scratch scratch;
  scratch.write("app/main.lua", "return 1");
  scratch.write("app/lib/a.lua", "x");
  const uint64_t first = read_app(scratch.root() / "app", {})->hash;
  scratch.write("app/main.lua", "return 1");
  CHECK(read_app(scratch.root() / "app", {})->hash == first);

  scratch.write("app/lib/a.lua", "y");
  const uint64_t changed = read_app(scratch.root() / "app", {})->hash;
  CHECK(changed != first);
  fs::rename(scratch.root() / "app/lib/a.lua", scratch.root() / "app/lib/b.lua");
  CHECK(read_app(scratch.root() / "app", {})->hash != changed);
}

TEST_CASE("an app that cannot be read says which file and why") {
  const Scratch scratch;
  fs::create_directories(scratch.root() / "none");
  CHECK(scratch.error_of(scratch.root() / "none") == "none/main.lua: does not exist");
  CHECK(scratch.error_of(scratch.root() / "missing").starts_with("missing: "));

  scratch.write("empty/main.lua", " \n\t\n");
  CHECK(scratch.error_of(scratch.root() / "empty") == "empty/main.lua: is empty");

  scratch.write("code/main.lua", "return 1");
  scratch.write("code/lib/packed.lua", "\x1bLJ\x02");
  CHECK(scratch.error_of(scratch.root() / "code") == "code/lib/packed.lua: is bytecode; only Lua source is loaded");

  scratch.write("big/main.lua", std::string(1001, ' ') + "x");
  AppLimits limits;
  limits.source_bytes_max = 1001;
  CHECK(scratch.error_of(scratch.root() / "big", limits) == "big/main.lua: is larger than 1001 bytes");
  limits.source_bytes_max = 1002;
  CHECK(read_app(scratch.root() / "big", limits));

  scratch.write("bad name/main.lua", "return 1");
  CHECK(scratch.error_of(scratch.root() / "bad name").starts_with("bad name: an app's folder is named with"));
}

TEST_CASE("apps are found by their main.lua, in the order of their names") {
  const Scratch scratch;
  scratch.write("scripts/b/main.lua", "");
  scratch.write("scripts/a/main.lua", "");
  scratch.write("scripts/lib/util.lua", "");
  scratch.write("scripts/README.md", "");
  const auto apps = find_apps(scratch.root() / "scripts");
  REQUIRE(apps);
  REQUIRE(apps->size() == 2);
  CHECK((*apps)[0].filename() == "a");
  CHECK((*apps)[1].filename() == "b");

  const auto one = find_apps(scratch.root() / "scripts/b");
  REQUIRE(one);
  CHECK(one->size() == 1);
  CHECK(one->front() == scratch.root() / "scripts/b");

  const auto none = find_apps(scratch.root() / "nowhere");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Code::kFileUnreadable);
}

TEST_CASE("whatever is called main.lua makes an app, which only a regular file can be read from") {
  const Scratch scratch;
  scratch.write("scripts/good/main.lua", "return 1");
  const fs::path scripts = scratch.root() / "scripts";
  for (const char* name : {"dangling", "loop", "folder", "pipe", "endless"}) fs::create_directories(scripts / name);
  fs::create_symlink("nowhere", scripts / "dangling/main.lua");
  fs::create_symlink("main.lua", scripts / "loop/main.lua");
  fs::create_directory(scripts / "folder/main.lua");
  REQUIRE(mkfifo((scripts / "pipe/main.lua").c_str(), 0600) == 0);
  fs::create_symlink("/dev/zero", scripts / "endless/main.lua");

  const auto apps = find_apps(scripts);
  REQUIRE(apps);
  CHECK(apps->size() == 6);
  for (const char* name : {"dangling", "loop", "folder", "pipe", "endless"}) {
    CHECK(scratch.error_of(scripts / name) == std::string(name) + "/main.lua: is not a regular file");
    CHECK(find_apps(scripts / name)->front() == scripts / name);
  }
}

TEST_CASE("links in circles and pipes beside a main file are passed over") {
  const Scratch scratch;
  scratch.write("app/main.lua", "return 1");
  fs::create_symlink("loop.lua", scratch.root() / "app/loop.lua");
  fs::create_symlink(".hidden", scratch.root() / "app/.hidden");
  REQUIRE(mkfifo((scratch.root() / "app/pipe.lua").c_str(), 0600) == 0);
  const auto source = read_app(scratch.root() / "app", {});
  REQUIRE(source);
  CHECK(source->files.size() == 1);
}
