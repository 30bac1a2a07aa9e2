#include <catch2/catch.hpp>

#include "config_helpers.h"

using namespace godwit;
using namespace godwit::app;

using Texts = std::vector<std::string>;

namespace {

struct Level {
  bool in_file;
  bool in_environment;
  bool on_command_line;
  uint64_t workers;
  std::string_view origin;
};

}  // namespace

TEST_CASE("the command line wins over the environment, that over the file, that over the default") {
  const TempFolder folder;
  const auto file = folder.write("a.toml", "[server]\nworkers = 1\n");
  const auto empty = folder.write("b.toml", "");
  const Level levels[] = {
      {false, false, false, 0, "default"},     {true, false, false, 1, "file"},
      {false, true, false, 2, "environment"},  {true, true, false, 2, "environment"},
      {false, false, true, 3, "command line"}, {true, false, true, 3, "command line"},
      {false, true, true, 3, "command line"},  {true, true, true, 3, "command line"},
  };
  for (const Level& level : levels) {
    ConfigSources sources;
    sources.file = level.in_file ? file : empty;
    if (level.in_environment) sources.environment = {"GODWIT_SERVER__WORKERS=2"};
    if (level.on_command_line) sources.settings = {"server.workers=9", "server.workers=3"};
    const auto loaded = load_config(sources);
    REQUIRE(loaded);
    REQUIRE(loaded->config.server.workers == level.workers);
    REQUIRE(name_of(loaded->source_of(*find_key("server", "workers")).origin) == level.origin);
  }
}

TEST_CASE("each value tells the place it came from") {
  const TempFolder folder;
  const auto file = folder.write("a.toml", "[server]\n  workers = 1\n");
  const auto loaded =
      load_config({.file = file, .environment = {"GODWIT_LOG__LEVEL=debug"}, .settings = {"admin.http=off"}});
  REQUIRE(loaded);
  REQUIRE(loaded->source_of(*find_key("server", "workers")).place == file.string() + ":2:3");
  REQUIRE(loaded->source_of(*find_key("log", "level")).place == "GODWIT_LOG__LEVEL");
  REQUIRE(loaded->source_of(*find_key("admin", "http")).place == "--set admin.http");
  REQUIRE(loaded->source_of(*find_key("log", "format")).place.empty());
}

TEST_CASE("overrides are TOML, and texts may stand without quotes") {
  const auto loaded = load_config(
      {.environment = {"GODWIT_SCRIPTS__PATHS=apps", "GODWIT_LOG__FILE=a=b.log", "GODWIT_SESSION__LOGIN_TIMEOUT=9s",
                       "GODWIT_TLS__CLIENT_CA="},
       .settings = {"server.listen=[\"127.0.0.1:1\", \"[::1]:2\"]", "log.level=\"warn\"", "quic.pmtud=false",
                    "message.promise_warn_ratio=0.25", "log.modules={quic = \"debug\"}", "log.max_size='4MiB'"}});
  REQUIRE(loaded);
  const Config& config = loaded->config;
  REQUIRE(config.scripts.paths == std::vector<std::filesystem::path>{"apps"});
  REQUIRE(config.log.file == "a=b.log");
  REQUIRE(config.session.login_timeout == 9s);
  REQUIRE(config.tls.client_ca.empty());
  REQUIRE(config.server.listen == Texts{"127.0.0.1:1", "[::1]:2"});
  REQUIRE(config.log.level == LogLevel::kWarn);
  REQUIRE_FALSE(config.quic.pmtud);
  REQUIRE(config.message.promise_warn_ratio == 0.25);
  REQUIRE(config.log.modules == std::map<std::string, LogLevel>{{"quic", LogLevel::kDebug}});
  REQUIRE(config.log.max_size == 4 << 20);
}

TEST_CASE("a wrong option says what it lacks") {
  REQUIRE(complaints_about_settings({"server.workers"}) == Texts{"--set server.workers: expected section.key=VALUE"});
  REQUIRE(complaints_about_settings({"servr.workers=1"}) ==
          Texts{"--set servr.workers: unknown key; did you mean server.workers?"});
  REQUIRE(complaints_about_settings({"=1"}) == Texts{"--set : unknown key"});
  REQUIRE(complaints_about_settings({"server.workers="}) ==
          Texts{"--set server.workers: expected integer, 0 to 256, got ''"});
  REQUIRE(complaints_about_settings({"server.workers=1\nlog.level=2"}) ==
          Texts{"--set server.workers: expected integer, 0 to 256, got '1\\nlog.level=2'"});
  REQUIRE(complaints_about_settings({"quic.pmtud=yes"}) ==
          Texts{"--set quic.pmtud: expected true or false, got 'yes'"});
  REQUIRE(complaints_about_settings({"log.file='open"}) == Texts{"--set log.file: expected path, got ''open'"});
}

TEST_CASE("a variable that sets nothing is an error, except those of the developer's tools") {
  REQUIRE(complaints_about_settings({}, {"GODWIT_SERVER__WORKER=1"}) ==
          Texts{"GODWIT_SERVER__WORKER: unknown variable; did you mean GODWIT_SERVER__WORKERS?"});
  REQUIRE(complaints_about_settings({}, {"GODWIT_SERVER__LISTEN=[\"127.0.0.1:1\", 2]"}) ==
          Texts{"GODWIT_SERVER__LISTEN: server.listen: element 2: expected a string, got an integer"});
  REQUIRE(complaints_about_settings({}, {"GODWIT_WHATEVER=1"}) == Texts{"GODWIT_WHATEVER: unknown variable"});
  REQUIRE(complaints_about_settings({}, {"GODWIT_SERVER__WORKERS=four"}) ==
          Texts{"GODWIT_SERVER__WORKERS: server.workers: expected integer, 0 to 256, got 'four'"});
  REQUIRE(complaints_about_settings({}, {"GODWIT_DEPS=/somewhere", "PATH=/bin", "GODWITNESS=1"}).empty());
}

TEST_CASE("every key has a variable and an option of its own") {
  for (const Key& key : all_keys()) {
    INFO(key.full_name());
    REQUIRE(find_key(key.section, key.name) == &key);
    REQUIRE(find_section(key.section) != nullptr);
    REQUIRE_FALSE(key.doc.empty());
    const auto env = complaints_about_settings({}, {key.environment_name() + "=\x01"});
    REQUIRE(env.size() == 1);
    REQUIRE_THAT(env[0], Catch::StartsWith(key.environment_name() + ": " + key.full_name() + ": expected "));
    const auto option = complaints_about_settings({key.full_name() + "=\x01"});
    REQUIRE(option.size() == 1);
    REQUIRE_THAT(option[0], Catch::StartsWith("--set " + key.full_name() + ": expected "));
  }
}
