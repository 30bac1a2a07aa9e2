#include "base/text.h"

#include <catch2/catch.hpp>

using namespace godwit;

TEST_CASE("printable text passes unchanged") {
  REQUIRE(escape_for_log("hello world", 100) == "hello world");
  REQUIRE(escape_for_log("grüße 你好 😀", 100) == "grüße 你好 😀");
  REQUIRE(escape_for_log("", 100).empty());
}

TEST_CASE("bytes that could drive a terminal or fake a line come out as hex") {
  REQUIRE(escape_for_log("\x1b[31mred", 100) == "\\x1b[31mred");
  REQUIRE(escape_for_log("a\nlevel=error", 100) == "a\\nlevel=error");
  REQUIRE(escape_for_log(std::string_view("\0\r\x7f", 3), 100) == "\\x00\\x0d\\x7f");
  REQUIRE(escape_for_log("\xc2\x9b", 100) == "\\xc2\\x9b");           // CSI in one code point
  REQUIRE(escape_for_log("\xe2\x80\xae", 100) == "\\xe2\\x80\\xae");  // right-to-left override
  REQUIRE(escape_for_log("back\\slash\t", 100) == "back\\\\slash\\t");
}

TEST_CASE("invalid UTF-8 is escaped byte by byte and the rest stays") {
  REQUIRE(escape_for_log("a\xff"
                         "b",
                         100) == "a\\xffb");
  REQUIRE(escape_for_log("\xc3", 100) == "\\xc3");
  REQUIRE(escape_for_log("\xc0\xaf", 100) == "\\xc0\\xaf");
}

TEST_CASE("long text is cut at a character and says so") {
  REQUIRE(escape_for_log("0123456789", 10) == "0123456789");
  REQUIRE(escape_for_log("01234567890", 10) == "0123456…");
  REQUIRE(escape_for_log("äääääää", 10) == "äää…");
  REQUIRE(escape_for_log("abc\x01\x01\x01", 10) == "abc\\x01…");
  REQUIRE(escape_for_log("abc", 2).empty());
  REQUIRE(escape_for_log(std::string(1 << 20, '\xff'), 64).size() <= 64);
}

TEST_CASE("only well-formed UTF-8 is valid") {
  REQUIRE(is_valid_utf8(""));
  REQUIRE(is_valid_utf8("grüße 你好 😀"));
  REQUIRE(is_valid_utf8("\xf4\x8f\xbf\xbf"));
  REQUIRE_FALSE(is_valid_utf8("\x80"));
  REQUIRE_FALSE(is_valid_utf8("\xc0\x80"));          // overlong
  REQUIRE_FALSE(is_valid_utf8("\xe0\x9f\xbf"));      // overlong
  REQUIRE_FALSE(is_valid_utf8("\xed\xa0\x80"));      // surrogate
  REQUIRE_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  REQUIRE_FALSE(is_valid_utf8("abc\xe4\xbd"));       // cut off
}

TEST_CASE("printable is valid UTF-8 that says what it looks like") {
  for (const char* good :
       {"", "device-7/β", "grüße 你好 😀", "back\\slash", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"}) {
    CAPTURE(good);
    REQUIRE(is_printable(good));
  }
  for (const char* bad : {"a\nb", "\x1b[31m", "\x7f", "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\xd8\x9c", "\xe2\x80\x8f",
                          "\xe2\x80\xa8", "user\xe2\x80\xaegpj", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xff", "\xc3"}) {
    CAPTURE(escape_for_log(bad, 100));
    REQUIRE_FALSE(is_printable(bad));
  }
  REQUIRE(is_printable("\xc2\xa0"));  // one beyond C1
}

TEST_CASE("edits are counted, a swap of neighbours as one") {
  REQUIRE(edit_distance("", "") == 0);
  REQUIRE(edit_distance("", "abc") == 3);
  REQUIRE(edit_distance("listen", "listen") == 0);
  REQUIRE(edit_distance("lisetn", "listen") == 1);
  REQUIRE(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a slip finds the word that was meant, nonsense finds none") {
  constexpr std::string_view kKeys[] = {"listen", "workers", "data_dir", "drain_timeout"};
  REQUIRE(nearest("lisen", kKeys) == "listen");
  REQUIRE(nearest("worker", kKeys) == "workers");
  REQUIRE(nearest("datadir", kKeys) == "data_dir");
  REQUIRE_FALSE(nearest("colour", kKeys));
  REQUIRE_FALSE(nearest("", kKeys));
  REQUIRE_FALSE(nearest(std::string(65, 'x'), kKeys));
}
