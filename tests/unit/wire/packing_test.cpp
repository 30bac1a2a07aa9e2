#include "wire/packing.h"

#include <capnp/serialize-packed.h>

#include <kj/io.h>
#include <catch2/catch.hpp>

#include "base/prng.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

using Words = std::vector<uint64_t>;
using ByteVector = std::vector<uint8_t>;

ByteVector packed(const Words& words) {
  ByteVector out(packed_bytes_max(words.size()));
  out.resize(pack(words, out.data()));
  return out;
}

ByteVector packed_by_library(const Words& words) {
  ByteVector out(packed_bytes_max(words.size()) + 16);
  kj::ArrayOutputStream stream(kj::arrayPtr(out.data(), out.size()));
  capnp::_::PackedOutputStream(stream).write(words.data(), words.size() * 8);
  out.resize(stream.getArray().size());
  return out;
}

/// Words of the sorts that messages are made of, in runs of any length.
Words random_words(Prng& random, size_t count) {
  Words words;
  while (words.size() < count) {
    const uint64_t sort = random.below(5);
    for (uint64_t run = 1 + random.below(random.below(20) ? 6 : 600); run > 0 && words.size() < count; --run) {
      uint64_t word = random() | 0x0101010101010101;
      if (sort == 0) word = 0;
      if (sort == 1) word &= ~(uint64_t{0xff} << 8 * random.below(8));
      if (sort == 2) word &= random() & random();
      if (sort == 3) word = random.below(70'000);
      words.push_back(word);
    }
  }
  return words;
}

}  // namespace

TEST_CASE("packing gives the same bytes as the Cap'n Proto library, and both unpack them") {
  Prng random(7);
  for (int turn = 0; turn < 3000; ++turn) {
    const Words words = random_words(random, 1 + random.below(turn % 10 ? 40 : 1500));
    const ByteVector bytes = packed(words);
    REQUIRE(bytes == packed_by_library(words));
    REQUIRE(capnp::computeUnpackedSizeInWords(kj::arrayPtr(bytes.data(), bytes.size())) == words.size());

    Words back(words.size());
    const Unpacked result = unpack(bytes, back);
    REQUIRE_FALSE(result.failure);
    REQUIRE(result.words == words.size());
    REQUIRE(back == words);
  }
}

TEST_CASE("nothing packs to nothing and back") {
  CHECK(packed({}).empty());
  Words none;
  const Unpacked result = unpack({}, none);
  CHECK_FALSE(result.failure);
  CHECK(result.words == 0);
}

TEST_CASE("runs longer than their count byte can say go on in a second one") {
  for (const size_t count : {255, 256, 257, 512, 513, 600}) {
    for (const uint64_t word : {uint64_t{0}, ~uint64_t{0}}) {
      const Words words(count, word);
      CHECK(packed(words) == packed_by_library(words));
      Words back(count);
      CHECK(unpack(packed(words), back).words == count);
      CHECK(back == words);
    }
  }
}

TEST_CASE("one word less room than needed is too little") {
  Prng random(11);
  for (int turn = 0; turn < 500; ++turn) {
    const Words words = random_words(random, 1 + random.below(50));
    Words room(words.size() - 1);
    CHECK(unpack(packed(words), room).failure == UnpackFailure::kTooLarge);
  }
}

TEST_CASE("packed bytes cut anywhere give fewer words or a failure, never more") {
  Prng random(13);
  const Words words = random_words(random, 300);
  const ByteVector bytes = packed(words);
  size_t failures = 0;
  for (size_t length = 0; length < bytes.size(); ++length) {
    Words room(words.size());
    const Unpacked result = unpack(Bytes(bytes).first(length), room);
    failures += result.failure == UnpackFailure::kTruncated;
    if (!result.failure) {
      CHECK(result.words < words.size());
      CHECK(std::equal(room.begin(), room.begin() + result.words, words.begin()));
    }
  }
  CHECK(failures > 0);
}
