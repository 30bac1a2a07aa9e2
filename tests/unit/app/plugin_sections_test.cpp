#include <catch2/catch.hpp>

#include "app/config/config_text.h"
#include "config_helpers.h"

using namespace godwit;
using namespace godwit::app;

namespace {

constexpr std::string_view kChat = R"([plugins]
paths = ["plugins"]
call_max = "1s"

[plugins.chat]
enabled = false
sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
unload = "drained"

[plugins.chat.config]
greeting = "hello"
rooms = ["one", "two"]
limits = {per_second = 10, burst = 1.5}
open = true

[plugins.echo]
)";

LoadedConfig load(std::string_view text) {
  const TempFolder folder;
  auto loaded = load_config({.file = folder.write("test.toml", text)});
  if (!loaded) FAIL(loaded.error().front().text);
  return std::move(*loaded);
}

}  // namespace

TEST_CASE("a plugin's section is read, and what is the plugin's own lies under one name per value") {
  const PluginsSection plugins = load(kChat).config.plugins;
  REQUIRE(plugins.named.size() == 2);
  const PluginSection& chat = plugins.named.at("chat");
  CHECK_FALSE(chat.enabled);
  CHECK(chat.pinned == sha256(as_bytes("abc")));
  CHECK(chat.unload == host::Unload::kDrained);
  const std::map<std::string, host::PluginValue> expected = {{"greeting", "hello"}, {"rooms.0", "one"},
                                                             {"rooms.1", "two"},    {"limits.per_second", int64_t{10}},
                                                             {"limits.burst", 1.5}, {"open", true}};
  CHECK(chat.values == expected);
  CHECK(plugins.named.at("echo") == PluginSection{});
}

TEST_CASE("mistakes in a plugin's section are found at their place, by the name of the key") {
  const auto complaints = complaints_about(
      "[plugins.chat]\nenable = true\nsha256 = \"abc\"\nunload = \"soon\"\nenabled = 1\nconfig = 3\n"
      "[plugins.chat2.config]\nat = 2026-01-01\n[plugins.\"a/b\"]\n");
  const auto has = [&](std::string_view words) {
    return std::any_of(complaints.begin(), complaints.end(),
                       [&](const std::string& text) { return text.find(words) != text.npos; });
  };
  CHECK(complaints.size() == 7);
  CHECK(has("2:1: unknown key 'enable' in [plugins.chat]; did you mean 'enabled'?"));
  CHECK(has("3:10: plugins.chat.sha256: expected 64 hexadecimal digits"));
  CHECK(has("4:10: plugins.chat.unload: expected one of \"never\", \"drained\""));
  CHECK(has("5:11: plugins.chat.enabled: expected true or false"));
  CHECK(has("6:10: plugins.chat.config: expected a table"));
  CHECK(has("8:6: plugins.chat2.config.at: expected a text, a number or a boolean"));
  CHECK(has("a plugin's name has 1 to 63"));
  CHECK(complaints_about("[plugins]\npath = \"x\"\n").front().find("did you mean 'paths'?") != std::string::npos);
}

TEST_CASE("what is shown of plugins is what was read") {
  const LoadedConfig first = load(kChat);
  const LoadedConfig again = load(show_config(first, Detail::kValues));
  CHECK(again.config.plugins.named == first.config.plugins.named);
  CHECK(show_config_json(first).find(R"("plugins.*":{"chat":{"enabled":false)") != std::string::npos);
}
