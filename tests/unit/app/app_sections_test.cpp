#include <catch2/catch.hpp>

#include "app/config/config_text.h"
#include "app/settings.h"
#include "config_helpers.h"

using namespace godwit;
using namespace godwit::app;

namespace {

constexpr std::string_view kChat = R"([scripts]
memory_max = "32MiB"
burst_max = "100ms"

[app.chat]
memory_max = "8MiB"
handler_timeout = "5s"
trust = "trusted"

[app.chat.config]
greeting = "say \"hi\""
rooms = ["one", "two"]
limits = {per_second = 10, burst = 1.5}
nested = [[1, 2], [], [{a = true}]]

[app.echo]
)";

LoadedConfig load(std::string_view text) {
  const TempFolder folder;
  auto loaded = load_config({.file = folder.write("test.toml", text)});
  if (!loaded) FAIL(loaded.error().front().text);
  return std::move(*loaded);
}

}  // namespace

TEST_CASE("an app's section is read, and what is the app's own becomes JSON") {
  const auto apps = load(kChat).config.apps;
  REQUIRE(apps.size() == 2);
  const AppSection& chat = apps.at("chat");
  CHECK(chat.memory_max == 8u << 20);
  CHECK(chat.settings.trust == host::AppSettings::Trust::kTrusted);
  CHECK(chat.settings.config ==
        R"({"greeting":"say \"hi\"","limits":{"burst":1.5,"per_second":10},"nested":[[1,2],[],[{"a":true}]],)"
        R"("rooms":["one","two"]})");
  CHECK(apps.at("echo") == AppSection{});
}

TEST_CASE("limits that an app does not name are those of all apps") {
  const Config config = load(kChat).config;
  CHECK(config.scripts.memory_max == 32u << 20);
  const std::string text = app_section_text(config, "chat");
  CHECK(text.find("memory_max = \"8MiB\"") != text.npos);
  CHECK(text.find("trust = \"trusted\"") != text.npos);
  CHECK(text.find("burst_max") == text.npos);
  CHECK(app_section_text(config, "nobody").empty());
}

TEST_CASE("mistakes in an app's section are found at their place, by the name of the key") {
  const auto complaints = complaints_about(
      "[app.chat]\nmemory_mx = \"8MiB\"\nmemory_max = 8\nburst_max = \"1h\"\ntrust = \"yes\"\nconfig = 3\n"
      "[app.chat2.config]\nat = 2026-01-01\nbig = 9007199254740993\n[app.\"a/b\"]\n");
  const auto has = [&](std::string_view words) {
    return std::any_of(complaints.begin(), complaints.end(),
                       [&](const std::string& text) { return text.find(words) != text.npos; });
  };
  for (const std::string& text : complaints) UNSCOPED_INFO(text);
  CHECK(complaints.size() == 8);
  CHECK(has("2:1: unknown key 'memory_mx' in [app.chat]; did you mean 'memory_max'?"));
  CHECK(has("3:14: app.chat.memory_max: expected 1MiB to 64GiB, got 8"));
  CHECK(has("4:13: app.chat.burst_max: expected 1ms to 1m"));
  CHECK(has("5:9: app.chat.trust: expected one of \"sandbox\", \"trusted\""));
  CHECK(has("6:10: app.chat.config: expected a table"));
  CHECK(has("8:6: app.chat2.config.at: expected a text"));
  CHECK(has("9:7: app.chat2.config.big: expected an integer below 2^53"));
  CHECK(has("an app has the name of its folder"));
}

TEST_CASE("an app may have a list of hosts of its own, an empty one included") {
  const Config config =
      load("[app.chat]\nhttp_allow = [\"api.example.com\"]\n[app.mute]\nhttp_allow = []\n[app.echo]\n").config;
  CHECK(config.apps.at("chat").http_allow == std::vector<std::string>{"api.example.com"});
  CHECK(config.apps.at("mute").http_allow == std::vector<std::string>{});
  CHECK_FALSE(config.apps.at("echo").http_allow);
  CHECK(app_section_text(config, "chat").find("http_allow = [\"api.example.com\"]") != std::string::npos);
}

TEST_CASE("what was set for apps is shown as text and as JSON") {
  const LoadedConfig loaded = load(kChat);
  CHECK(show_config(loaded, Detail::kValues).find("[app.\"chat\"]\ntrust = \"trusted\"") != std::string::npos);
  CHECK(show_config_json(loaded).find("\"app.*\":{\"chat\":{\"trust\":\"trusted\",\"memory_max\":\"8MiB\"") !=
        std::string::npos);
}
