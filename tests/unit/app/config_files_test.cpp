#include <catch2/catch.hpp>

#include "app/config/config_text.h"
#include "app/config/diff.h"
#include "app/config/file_reader.h"
#include "config_helpers.h"
#include "source_root.h"

using namespace godwit;
using namespace godwit::app;

namespace {

const std::filesystem::path kConf = testing::source_root() / "conf";

struct Shipped {
  Profile profile;
  const char* file;
  const char* argument;
};
constexpr Shipped kShipped[] = {
    {Profile::kDefaults, "godwit.toml", ""},
    {Profile::kStandard, "standard.toml", " --profile standard"},
    {Profile::kHighPerformance, "high-performance.toml", " --profile high-performance"},
};

Config load(const std::filesystem::path& path) {
  const auto loaded = load_config({.file = path});
  if (!loaded) FAIL(loaded.error().front().text);
  return loaded->config;
}

}  // namespace

TEST_CASE("the files in conf/ are what the key table says") {
  for (const Shipped& shipped : kShipped) {
    INFO("write it anew: build/godwit config default" << shipped.argument << " > conf/" << shipped.file);
    const auto text = read_text_file(kConf / shipped.file, 1 << 20);
    REQUIRE(text);
    REQUIRE(*text == profile_file(shipped.profile));
  }
}

TEST_CASE("a generated file names every key once, and loading it gives the values it was made from") {
  for (const Shipped& shipped : kShipped) {
    const auto loaded = load_config({.file = kConf / shipped.file});
    REQUIRE(loaded);
    REQUIRE(describe(diff_configs(profile_config(shipped.profile), loaded->config)) == "nothing changed\n");
    for (const Key& key : all_keys()) {
      INFO(key.full_name());
      REQUIRE(loaded->source_of(key).origin == Origin::kFile);
    }
  }
}

TEST_CASE("profiles are sized for their sessions") {
  REQUIRE(profile_config(Profile::kStandard).session.max_clients == 10'000);
  REQUIRE(profile_config(Profile::kHighPerformance).session.max_clients == 100'000);
  REQUIRE(diff_configs(Config{}, profile_config(Profile::kDefaults)).empty());
}

TEST_CASE("the file for development loads the shipped apps and serves the admin plane") {
  const Config config = load(kConf / "dev.toml");
  REQUIRE(config.server.listen == std::vector<std::string>{"127.0.0.1:8453"});
  REQUIRE(config.scripts.paths == std::vector<std::filesystem::path>{"scripts"});
  REQUIRE(config.scripts.reload == ReloadWhen::kWatch);
  REQUIRE(config.admin.http == "127.0.0.1:8080");
  REQUIRE(config.log.format == LogSection::Format::kText);
}

TEST_CASE("what is shown loads again to the same values") {
  const TempFolder folder;
  const auto loaded = load_config({.settings = {"log.modules={quic = \"warn\"}", "log.file=a\\\"b", "server.workers=3",
                                                "server.listen=[\"127.0.0.1:0\", \"[::1]:0\"]", "quic.cc=bbr",
                                                "message.promise_warn_ratio=1", "session.ack_delay=1500us"}});
  REQUIRE(loaded);
  for (const Detail detail : {Detail::kValues, Detail::kOrigins}) {
    const auto path = folder.write("shown.toml", show_config(*loaded, detail));
    REQUIRE(describe(diff_configs(loaded->config, load(path))) == "nothing changed\n");
  }
}

TEST_CASE("origins are shown beside the values") {
  const auto loaded = load_config({.environment = {"GODWIT_LOG__LEVEL=debug"}, .settings = {"admin.http=off"}});
  REQUIRE(loaded);
  const std::string plain = show_config(*loaded, Detail::kValues);
  const std::string origins = show_config(*loaded, Detail::kOrigins);
  REQUIRE_THAT(plain, Catch::Contains("\n[log]\nlevel = \"debug\"\n"));
  REQUIRE_THAT(origins, Catch::Contains("\nlevel = \"debug\"  # environment GODWIT_LOG__LEVEL\n"));
  REQUIRE_THAT(origins, Catch::Contains("\nhttp = \"off\"  # command line --set admin.http\n"));
  REQUIRE_THAT(origins, Catch::Contains("\nformat = \"text\"  # default\n"));
}

TEST_CASE("the shown configuration is also JSON") {
  const auto loaded = load_config({.settings = {"log.modules={quic = \"warn\"}"}});
  REQUIRE(loaded);
  const std::string json = show_config_json(*loaded);
  REQUIRE_THAT(json,
               Catch::StartsWith(R"({"server":{"listen":{"value":["127.0.0.1:8453"],"origin":"default","place":"",)"
                                 R"("reload":"restart"},"workers":{"value":0,)"));
  REQUIRE_THAT(json, Catch::EndsWith(R"("modules":{"value":{"quic":"warn"},"origin":"command line",)"
                                     R"("place":"--set log.modules","reload":"live"}}})"));
}
