#include <godwit/plugin.h>

#include <cstring>

#include "plugin_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// This server's interface, with this major version.
std::string interface_of(int major) { return std::to_string(major) + "." + std::to_string(GW_ABI_MINOR); }

/// A copy of the fixture in which a member of the descriptor was changed.
template <typename Change>
std::filesystem::path changed_fixture(SafeFolder& folder, Change change) {
  std::string bytes = bytes_of(built("fixture.so"));
  const uint64_t magic = GW_PLUGIN_MAGIC;
  const size_t at = bytes.find(std::string_view(reinterpret_cast<const char*>(&magic), sizeof magic));
  REQUIRE(at != bytes.npos);
  gw_plugin plugin;
  std::memcpy(&plugin, bytes.data() + at, sizeof plugin);
  change(plugin);
  std::memcpy(bytes.data() + at, &plugin, sizeof plugin);
  return folder.write("fixture.so", bytes);
}

bool says(const Error& error, std::initializer_list<std::string_view> words) {
  UNSCOPED_INFO(error.to_string());
  return std::all_of(words.begin(), words.end(),
                     [&](std::string_view word) { return error.text.find(word) != error.text.npos; });
}

}  // namespace

TEST_CASE("a plugin of another major version is refused with both versions and what to do") {
  SafeFolder folder;
  PluginWorld world;
  const Error newer = world.load_error(changed_fixture(folder, [](gw_plugin& p) { p.abi_major = GW_ABI_MAJOR + 1; }));
  CHECK(newer.code == Code::kPluginIncompatible);
  CHECK(says(newer, {folder.path.native(), interface_of(2), interface_of(1), "update the server"}));
  const Error older = world.load_error(changed_fixture(folder, [](gw_plugin& p) { p.abi_major = 0; }));
  CHECK(says(older, {interface_of(0), interface_of(1), "rebuild it"}));
}

TEST_CASE("a plugin that needs a later minor version is refused; one that was merely built with it is not") {
  SafeFolder folder;
  PluginWorld world;
  const Error error = world.load_error(changed_fixture(folder, [](gw_plugin& p) { p.host_minor_min = 9; }));
  CHECK(error.code == Code::kPluginIncompatible);
  CHECK(says(error, {"fixture 1.2.3", "1.9", interface_of(1), "update the server"}));
  world.load(changed_fixture(folder, [](gw_plugin& p) { p.abi_minor = 9; }));
  CHECK(world.answer("test.echo", "hi") == "hi");
}

TEST_CASE("what is no plugin says what is wrong with it") {
  SafeFolder folder;
  PluginWorld world;
  const auto refused = [&](const std::filesystem::path& path, Code code, std::string_view words) {
    const Error error = world.load_error(path);
    CHECK(error.code == code);
    CHECK(says(error, {words, path.filename().native()}));
  };
  refused(changed_fixture(folder, [](gw_plugin& p) { p.magic = 7; }), Code::kPluginIncompatible, "begins with 0x7");
  refused(changed_fixture(folder, [](gw_plugin& p) { p.struct_size = 40; }), Code::kPluginIncompatible, "40 bytes");
  refused(changed_fixture(folder, [](gw_plugin& p) { p.name[0] = '/'; }), Code::kPluginIncompatible, "its name");
  refused(changed_fixture(folder, [](gw_plugin& p) { p.kinds = 0; }), Code::kPluginIncompatible, "names no kind");
  refused(changed_fixture(folder, [](gw_plugin& p) { p.kinds |= GW_KIND_AUTH; }), Code::kPluginLoadFailed,
          "auth->authenticate");
  refused(built("no_symbol.so"), Code::kPluginIncompatible, "exports no variable 'godwit_plugin'");
  refused(folder.write("text.so", "#!/bin/sh"), Code::kPluginLoadFailed, "is no shared object");
  refused(folder.write("empty.so", ""), Code::kPluginLoadFailed, "is no shared object");
  refused(folder.path / "absent.so", Code::kFileUnreadable, "No such file");
  refused(built("unresolved.so"), Code::kPluginLoadFailed, "nobody_defines_this");
}

TEST_CASE("a file that ends too early is refused wherever it ends") {
  SafeFolder folder;
  PluginWorld world;
  const std::string whole = bytes_of(built("fixture.so"));
  for (size_t size = 0; size < whole.size(); size += whole.size() / 60) {
    const Error error = world.load_error(folder.write("cut.so", std::string_view(whole).substr(0, size)));
    CHECK(error.code == Code::kPluginLoadFailed);
  }
  world.load(folder.write("cut.so", whole));
}

TEST_CASE("looking at a file survives whatever is in it") {
  const std::string whole = bytes_of(built("fixture.so"));
  uint64_t state = 42;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 4; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      // Headers and tables are where lengths and offsets stand.
      const size_t at = (state >> 33) % (round % 2 ? 4096 : bytes.size());
      bytes[at % bytes.size()] = static_cast<char>(state >> 20);
    }
    const auto info = inspect_plugin(as_bytes(bytes), host_abi());
    if (!info) CHECK_FALSE(info.error().text.empty());
  }
}

TEST_CASE("files and folders that others may write to are refused with the command that mends it") {
  SafeFolder folder;
  PluginWorld world;
  const auto file = folder.write("fixture.so", bytes_of(built("fixture.so")));
  for (const mode_t mode : {0666, 0664, 0646}) {
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    const Error error = world.load_error(file);
    CHECK(error.code == Code::kPluginUntrusted);
    CHECK(says(error, {mode & 2 ? "everybody" : "its group", "chmod go-w " + file.native()}));
  }
  REQUIRE(::chmod(file.c_str(), 0755) == 0);
  REQUIRE(::chmod(folder.path.c_str(), 0777) == 0);
  CHECK(says(world.load_error(file), {"everybody", "chmod go-w " + folder.path.native()}));
  REQUIRE(::chmod(folder.path.c_str(), 0755) == 0);
  world.load(file);
}

TEST_CASE("a file of somebody else is refused") {
  SafeFolder folder;
  PluginWorld world;
  const auto file = folder.write("fixture.so", bytes_of(built("fixture.so")));
  if (::geteuid() != 0 || ::chown(file.c_str(), 12345, 12345) != 0) return;  // only root can give a file away
  const Error error = world.load_error(file);
  CHECK(error.code == Code::kPluginUntrusted);
  CHECK(says(error, {"belongs to user 12345"}));
}

TEST_CASE("a pinned plugin is loaded only with the contents that were pinned") {
  SafeFolder folder;
  PluginWorld world;
  const auto file = folder.write("fixture.so", bytes_of(built("fixture.so")));
  world.settings.pinned = sha256(as_bytes(bytes_of(file)));
  world.load(file);
  world.settings.pinned = sha256(as_bytes("another"));
  const Error error = world.load_error(file);
  CHECK(error.code == Code::kPluginUntrusted);
  CHECK(says(error, {"plugins.fixture.sha256", to_hex(sha256(as_bytes("another")))}));
}

TEST_CASE("a plugin that fails to be created leaves nothing behind") {
  PluginWorld world;
  world.settings.values["fail"] = int64_t{GW_ERROR_FORBIDDEN};
  world.settings.unload = Unload::kDrained;
  const Error error = world.load_error(built("fixture.so"));
  CHECK(error.code == Code::kPluginLoadFailed);
  CHECK(says(error, {"plugin/fixture@1", "Forbidden"}));
  CHECK_FALSE(world.log.find("destroyed"));
  CHECK(world.images->mapped() == 0);
}
