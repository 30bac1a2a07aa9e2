#include "library_words.h"
#include "samples.h"

using namespace godwit;
using namespace godwit::wire;

// Envelopes as nobody honest builds them, word by word: the root pointer, 7 words of data, pointers to action, text and
// headers, then what these point to.

namespace {

constexpr size_t kAction = 8, kText = 9, kHeaders = 10, kFree = 11;
constexpr uint64_t kBytesOf = 2, kPointersOf = 6, kStructs = 7;  // element sizes of lists

/// A list pointer; `ahead` counts words from its own end.
uint64_t list(int64_t ahead, uint64_t elements, uint64_t count) {
  return 1 | (static_cast<uint64_t>(ahead << 2) & 0xffff'ffff) | elements << 32 | count << 35;
}
uint64_t structure(int64_t ahead, uint64_t data_words, uint64_t pointers) {
  return (static_cast<uint64_t>(ahead << 2) & 0xffff'ffff) | data_words << 32 | pointers << 48;
}
/// What stands in front of a list of structures.
uint64_t list_tag(uint64_t count, uint64_t data_words, uint64_t pointers) {
  return count << 2 | data_words << 32 | pointers << 48;
}
constexpr uint64_t kEcho = 0x6f686365;  // "echo", NUL

Words request_words() {
  Words words(kFree + 1, 0);
  words[0] = structure(0, 7, 3);
  words[1] = 1;
  words[2] = uint64_t{static_cast<uint16_t>(Kind::kQuery)} << 32;
  words[kAction] = list(2, kBytesOf, 5);
  words[kFree] = kEcho;
  return words;
}

Code decoded(const Words& words) { return code_of(Codec().decode_message_head(packed_by_library(words))); }

/// A request whose headers are `list`, built behind the action.
Words with_headers(uint64_t pointer, const Words& list) {
  Words words = request_words();
  words[kHeaders] = pointer;
  words.insert(words.end(), list.begin(), list.end());
  return words;
}

}  // namespace

TEST_CASE("the words these tests spoil are those of an honest request") {
  Envelope envelope = samples::request();
  envelope.deadline_ms = 0;
  envelope.body_bytes = 0;
  CHECK(request_words() == words_by_library(envelope));
  CHECK(decoded(request_words()) == Code::kOk);
}

TEST_CASE("kinds, priorities and statuses that nobody knows are malformed") {
  const auto [shift, word, last] = GENERATE(table<int, size_t, uint64_t>({{32, 2, 3}, {32, 4, 3}, {32, 5, 3}}));
  for (const uint64_t value : {last, last + 1, uint64_t{255}, uint64_t{256}, uint64_t{0xffff}}) {
    INFO("word " << word << " value " << value);
    Words words = request_words();
    words[word] = value << shift;
    CHECK(decoded(words) == (value <= last ? Code::kOk : Code::kFrameMalformed));
  }
}

TEST_CASE("text without its NUL, of no bytes, or not UTF-8 is malformed") {
  Words words = request_words();
  words[kAction] = list(2, kBytesOf, 4);
  CHECK(decoded(words) == Code::kFrameMalformed);
  words[kAction] = list(2, kBytesOf, 0);
  CHECK(decoded(words) == Code::kFrameMalformed);
  for (const uint64_t bytes :
       {uint64_t{0x6f6863ff}, uint64_t{0x6f80c063}, uint64_t{0x80a0ed65}}) {  // a stray byte, overlong, a surrogate
    words = request_words();
    words[kFree] = bytes;
    CHECK(decoded(words) == Code::kFrameMalformed);
    words = request_words();
    words[kText] = list(2, kBytesOf, 5);
    words.push_back(bytes);
    CHECK(decoded(words) == Code::kFrameMalformed);
    words = with_headers(list(1, kStructs, 2),
                         {list_tag(1, 0, 2), list(1, kBytesOf, 5), list(1, kBytesOf, 5), kEcho, bytes});
    CHECK(decoded(words) == Code::kFrameMalformed);
  }
}

TEST_CASE("pointers beyond the message are malformed, by one word or by far") {
  for (const size_t pointer : {kAction, kText, kHeaders}) {
    for (const int64_t ahead : {3, 4, 1000, (1 << 29) - 1, -12, -1000, -(1 << 29)}) {
      INFO("pointer " << pointer << " ahead " << ahead);
      Words words = request_words();
      words[pointer] = pointer == kHeaders ? list(ahead, kStructs, 0) : list(ahead, kBytesOf, 5);
      const bool within = pointer == kHeaders ? ahead == 3 : false;
      if (!within) CHECK(decoded(words) == Code::kFrameMalformed);
    }
  }
  Words words = request_words();
  words[kAction] = list(2, kBytesOf, 9);  // starts within, ends beyond
  CHECK(decoded(words) == Code::kFrameMalformed);
  words = request_words();
  words[kAction] = list(2, kBytesOf, (1 << 29) - 1);
  CHECK(decoded(words) == Code::kFrameMalformed);
}

TEST_CASE("pointers of another type are malformed") {
  for (const uint64_t pointer : {structure(2, 1, 0), list(2, kPointersOf, 1), list(2, kStructs, 0), uint64_t{3},
                                 uint64_t{2} | 11 << 3 | uint64_t{1} << 32}) {  // capability; far, to another segment
    Words words = request_words();
    words[kAction] = pointer;
    CHECK(decoded(words) == Code::kFrameMalformed);
  }
}

TEST_CASE("a message that is no structure, or none at all, is malformed") {
  CHECK(decoded({}) == Code::kFrameMalformed);
  CHECK(decoded({list(0, kBytesOf, 5), kEcho}) == Code::kFrameMalformed);
  CHECK(decoded({structure(0, 7, 3)}) == Code::kFrameMalformed);
  CHECK(decoded({structure(0, 0xffff, 0xffff), 0, 0}) == Code::kFrameMalformed);
  CHECK(decoded({structure(-1, 1, 0)}) == Code::kFrameMalformed);  // the root over itself
}

TEST_CASE("a header list that contains itself is malformed") {
  // The pointer to the list stands where its tag should be.
  CHECK(decoded(with_headers(list(-1, kStructs, 1), {})) == Code::kFrameMalformed);
  // A header whose name is the list it stands in.
  CHECK(decoded(with_headers(list(1, kStructs, 2), {list_tag(1, 0, 2), list(-2, kStructs, 2), 0})) ==
        Code::kFrameMalformed);
}

TEST_CASE("headers that share one text are malformed: what is read must have been sent") {
  constexpr uint64_t kCount = 64, kValueWords = 32;
  Words headers{list_tag(kCount, 0, 2)};
  for (uint64_t i = 0; i < kCount; ++i) {
    const int64_t name_ahead = static_cast<int64_t>(2 * kCount - 2 * i - 1);
    headers.push_back(list(name_ahead, kBytesOf, 5));
    headers.push_back(list(name_ahead, kBytesOf, 8 * kValueWords));
  }
  headers.push_back(kEcho);
  for (uint64_t i = 0; i < kValueWords - 1; ++i) headers.push_back(0x6161'6161'6161'6161);
  headers.push_back(0x0061'6161'6161'6161);
  CHECK(decoded(with_headers(list(1, kStructs, 2 * kCount), headers)) == Code::kFrameMalformed);
}

TEST_CASE("a list of half a billion headers of no size is refused at once") {
  constexpr uint64_t kMany = (1 << 29) - 1;
  for (const uint64_t count : {uint64_t{65}, kMany}) {
    const Code code = decoded(with_headers(list(1, kStructs, 0), {list_tag(count, 0, 0)}));
    CHECK((code == Code::kHeadersInvalid || code == Code::kFrameMalformed));
    CHECK(decoded(with_headers(list(1, 0, count), {})) != Code::kOk);
  }
}

TEST_CASE("65 structures within each other are malformed where a text is due") {
  Words words{structure(0, 0, 1)};
  for (int depth = 0; depth < 65; ++depth) words.push_back(structure(0, 0, 1));
  words.push_back(0);
  // Read as an envelope without data, its first pointer, the action, leads to a structure.
  CHECK(decoded(words) == Code::kFrameMalformed);
}

TEST_CASE("an Ack with lists of no size or too many entries is malformed") {
  Codec codec;
  constexpr uint64_t kMany = (1 << 29) - 1;
  const auto ack = [&](uint64_t ranges, uint64_t nacks, const Words& rest) {
    Words words{structure(0, 1, 2), 1, ranges, nacks};
    words.insert(words.end(), rest.begin(), rest.end());
    return code_of(codec.decode_ack(packed_by_library(words)));
  };
  CHECK(ack(0, 0, {}) == Code::kOk);
  CHECK(ack(list(1, 5, 1), 0, {7}) == Code::kOk);
  CHECK(ack(list(1, 5, kAckRangeWordsMax), 0, Words(kAckRangeWordsMax, 1)) == Code::kOk);
  CHECK(ack(list(1, 5, kAckRangeWordsMax + 1), 0, Words(kAckRangeWordsMax + 1, 1)) == Code::kFrameMalformed);
  CHECK(ack(list(1, 0, kMany), 0, {}) == Code::kFrameMalformed);
  CHECK(ack(0, list(0, kStructs, 0), {list_tag(kMany, 0, 0)}) == Code::kFrameMalformed);
  CHECK(ack(0, list(0, kStructs, 2 * 513), [] {
          Words nacks{list_tag(kNacksMax + 1, 2, 0)};
          nacks.resize(1 + 2 * (kNacksMax + 1));
          return nacks;
        }()) == Code::kFrameMalformed);
}
