#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <map>

#include "app/config/tokens.h"
#include "temp_folder.h"

using namespace godwit;
using namespace godwit::app;

namespace {

struct TokenFolder : TempFolder {
  std::filesystem::path file(std::string_view text, mode_t mode = 0600) const {
    const auto path = write("tokens.toml", text);
    if (chmod(path.c_str(), mode) != 0) FAIL("chmod");
    return path;
  }
};

std::string only_error(const std::filesystem::path& path) {
  const auto table = load_tokens(path);
  REQUIRE_FALSE(table);
  REQUIRE(table.error().size() == 1);
  return table.error()[0].text.substr(path.string().size());
}

}  // namespace

TEST_CASE("each token belongs to a uid") {
  const TokenFolder folder;
  const auto tokens =
      load_tokens(folder.file("[tokens]\nabc = \"alice\"\n\"s3cret +/=\" = \"bob\"\nabd = \"alice\"\n"));
  REQUIRE(tokens);
  std::map<std::string, std::string> uids;
  for (const auto& entry : *tokens) uids[entry.token] = entry.uid;
  REQUIRE(uids == std::map<std::string, std::string>{{"abc", "alice"}, {"abd", "alice"}, {"s3cret +/=", "bob"}});
}

TEST_CASE("an empty file has no tokens") {
  const TokenFolder folder;
  const auto tokens = load_tokens(folder.file(""));
  REQUIRE(tokens);
  REQUIRE(tokens->empty());
}

TEST_CASE("tokens that others could read or the group could write are refused") {
  const TokenFolder folder;
  for (const mode_t mode : {0600u, 0640u, 0400u, 0440u}) REQUIRE(load_tokens(folder.file("", mode)));
  for (const mode_t mode : {0644u, 0660u, 0604u, 0602u, 0700u, 0641u})
    REQUIRE_FALSE(load_tokens(folder.file("", mode)));
  const auto path = folder.file("", 0644);
  REQUIRE(only_error(path) ==
          ": mode 0644 lets others at the tokens, expected 0600 or 0640: chmod 0600 " + path.string());
}

TEST_CASE("complaints about tokens never show one") {
  const TokenFolder folder;
  const std::string_view texts[] = {
      "[tokens]\nhush = \"alice\"\nhush = \"bob\"\n",
      "[tokens]\nhush = 3\n",
      "[tokens]\nhush = hush\n",
      "[tokens]\nhush\n",
      "[tokens]\nhush = \"\"\n",
      "[hush]\n",
      "hush = \"alice\"\n",
      "[tokens]\n\"hush\n",
      "[tokens]\nhush = \"a\\u0007\"\n",
  };
  for (const auto text : texts) {
    INFO(text);
    const auto table = load_tokens(folder.file(text));
    REQUIRE_FALSE(table);
    for (const Error& error : table.error()) REQUIRE_THAT(error.text, !Catch::Contains("hush"));
  }
}

TEST_CASE("complaints about tokens name the place") {
  const TokenFolder folder;
  REQUIRE(only_error(folder.file("[tokens]\na = \"\"\n")) ==
          ":2:1: expected \"token\" = \"uid\", the uid 1 to 128 printable bytes");
  REQUIRE(only_error(folder.file("[tokens]\na = \"x\"\n  a = \"y\"\n")) ==
          ":3:3: not valid TOML, or a token is given twice");
  REQUIRE(only_error(folder.file("[token]\n")) == ":1:2: expected a table [tokens] and nothing else");
  REQUIRE(only_error(folder.file("[tokens]\n" + std::string(4097, 'a') + " = \"x\"\n")) ==
          ":2:1: expected a token of 1 to 4096 bytes");
  REQUIRE(only_error(folder.path() / "none.toml") == ": No such file or directory");
}

TEST_CASE("there are at most so many tokens as a login can compare with") {
  const TokenFolder folder;
  std::string text = "[tokens]\n";
  for (size_t i = 0; i < kTokensMax; ++i) text += std::to_string(i) + " = \"u\"\n";
  REQUIRE(load_tokens(folder.file(text))->size() == kTokensMax);
  REQUIRE_THAT(only_error(folder.file(text + "more = \"u\"\n")), Catch::Contains("more than 4096 tokens"));
}
