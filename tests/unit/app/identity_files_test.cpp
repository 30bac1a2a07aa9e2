#include "app/config/identity_files.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "temp_folder.h"

using namespace godwit;
using namespace godwit::app;
using What = session::Revocations::What;

namespace {

struct Folder : TempFolder {
  std::filesystem::path secret(std::string_view text, mode_t mode = 0600) const {
    const auto path = write("keys.toml", text);
    if (chmod(path.c_str(), mode) != 0) FAIL("chmod");
    return path;
  }
};

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

std::string keys_of(std::string_view id, std::string_view secret) {
  return "[keys]\n" + std::string(id) + " = \"" + std::string(secret) + "\"\n";
}

template <typename Loaded>
std::string errors(const Loaded& loaded) {
  std::string all;
  if (!loaded) {
    for (const Error& error : loaded.error()) all += error.text.substr(error.text.rfind('/')) + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE_METHOD(Folder, "signing keys have names, and secrets that nobody guesses") {
  const auto keys = load_signing_keys(secret(keys_of("2026-08", kSecret)));
  REQUIRE(keys);
  REQUIRE(keys->size() == 1);
  CHECK(keys->front().id == "2026-08");
  CHECK(keys->front().secret == kSecret);
  for (const auto& text : {keys_of("short", kSecret.substr(1)), keys_of("\"a.b\"", kSecret), std::string("[key]\n"),
                           std::string("[keys]\nk = 1\n"), std::string("k = \"") + std::string(kSecret)}) {
    const auto refused = load_signing_keys(secret(text));
    CHECK_FALSE(refused);
    CHECK(errors(refused).find("0123") == std::string::npos);
  }
  CHECK_FALSE(load_signing_keys(secret(keys_of("k", kSecret), 0644)));
  CHECK_FALSE(load_signing_keys(path() / "none"));
}

TEST_CASE_METHOD(Folder, "rights are read for each user, and mistakes are named with their place") {
  const auto rights = load_rights(write("rights.toml", R"([uid.ada]
groups = ["staff"]
actions = ["command/chat.*", "query/**"]
body_max = "64KiB"
sessions_max = 3
[uid."*"]
actions = ["query/time"]
)"));
  REQUIRE(rights);
  const auto& ada = rights->at("ada");
  CHECK(ada.groups == std::vector<std::string>{"staff"});
  CHECK(ada.rights.actions == std::vector<std::string>{"command/chat.*", "query/**"});
  CHECK(ada.rights.body_bytes_max == 65536);
  CHECK(ada.rights.sessions_max == 3);
  CHECK(rights->at("*").rights.actions == std::vector<std::string>{"query/time"});

  const auto wrong = load_rights(write("wrong.toml", R"([uid.ada]
actions = ["a..b"]
body_max = "0"
sessions_max = 0
rolls = []
)"));
  CHECK(errors(wrong).find("/wrong.toml:2:11:") != std::string::npos);
  CHECK(errors(wrong).find("/wrong.toml:3:12:") != std::string::npos);
  CHECK(errors(wrong).find("/wrong.toml:4:16:") != std::string::npos);
  CHECK(errors(wrong).find("/wrong.toml:5:1: unknown key") != std::string::npos);
}

TEST_CASE_METHOD(Folder, "revocations are lines that can be added and read again") {
  const auto file = path() / "revoked";
  REQUIRE(load_revocations(file));
  CHECK(load_revocations(file)->empty());
  REQUIRE(append_revocation(file, {What::kUid, "ada lovelace"}));
  REQUIRE(append_revocation(file, {What::kToken, "t1"}));
  REQUIRE(append_revocation(file, {What::kClient, "phone"}));
  const auto read = load_revocations(file);
  REQUIRE(read);
  CHECK(*read == std::set<session::Revocations::Entry>{
                     {What::kUid, "ada lovelace"}, {What::kClient, "phone"}, {What::kToken, "t1"}});
  const auto wrong = load_revocations(write("wrong", "# comment\n\nuid ada\nuser eve\nuid\nuid \n"));
  CHECK(errors(wrong).find("/wrong:4:1:") != std::string::npos);
  CHECK(errors(wrong).find("/wrong:5:1:") != std::string::npos);
  CHECK(errors(wrong).find("/wrong:6:1:") != std::string::npos);
}
