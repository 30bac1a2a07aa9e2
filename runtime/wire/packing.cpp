#include "wire/packing.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace godwit::wire {

static_assert(std::endian::native == std::endian::little, "words are little-endian on the wire");

namespace {

constexpr uint8_t kTagZeros = 0;
constexpr uint8_t kTagDense = 255;
constexpr ptrdiff_t kRunWordsMax = 255;  // its count is one byte

/// Bit i is set when byte i is not zero.
uint8_t tag_of(uint64_t word) {
  constexpr uint64_t kLow7 = 0x7f7f7f7f7f7f7f7f;
  const uint64_t high_bits = (((word & kLow7) + kLow7) | word) & ~kLow7;
  // The multiplication gathers the eight high bits, at distance 8, into the top byte.
  return static_cast<uint8_t>(((high_bits >> 7) * 0x0102040810204080) >> 56);
}

// Messages of one peer resemble each other, so the tags of their words repeat and these loops are predicted well; going
// through all eight bytes without a branch takes twice as long.

uint8_t* put_bytes(uint64_t word, uint8_t tag, uint8_t* out) {
  for (unsigned rest = tag; rest != 0; rest &= rest - 1) {
    *out++ = static_cast<uint8_t>(word >> 8 * std::countr_zero(rest));
  }
  return out;
}

/// As many bytes as the tag has bits must be readable.
uint64_t take_bytes(const uint8_t*& in, uint8_t tag) {
  uint64_t word = 0;
  for (unsigned rest = tag; rest != 0; rest &= rest - 1) {
    word |= uint64_t{*in++} << 8 * std::countr_zero(rest);
  }
  return word;
}

/// How many words from `word` on are worth leaving as they are: those with at most one zero byte.
ptrdiff_t dense_run(const uint64_t* word, const uint64_t* end) {
  end = word + std::min(end - word, kRunWordsMax);
  return std::find_if(word, end, [](uint64_t w) { return std::popcount(tag_of(w)) < 7; }) - word;
}

ptrdiff_t zero_run(const uint64_t* word, const uint64_t* end) {
  end = word + std::min(end - word, kRunWordsMax);
  return std::find_if(word, end, [](uint64_t w) { return w != 0; }) - word;
}

}  // namespace

size_t pack(std::span<const uint64_t> words, uint8_t* out) {
  uint8_t* const begin = out;
  const uint64_t* word = words.data();
  const uint64_t* const end = word + words.size();
  while (word != end) {
    const uint64_t value = *word++;
    const uint8_t tag = tag_of(value);
    *out++ = tag;
    if (tag == kTagZeros) {
      const ptrdiff_t run = zero_run(word, end);
      *out++ = static_cast<uint8_t>(run);
      word += run;
      continue;
    }
    out = put_bytes(value, tag, out);
    if (tag == kTagDense) {
      const ptrdiff_t run = dense_run(word, end);
      *out++ = static_cast<uint8_t>(run);
      std::memcpy(out, word, run * 8);
      out += run * 8;
      word += run;
    }
  }
  return out - begin;
}

namespace {

/// One call of `unpack`.
class Unpacker {
 public:
  Unpacker(Bytes packed, std::span<uint64_t> out)
      : in_(packed.data()),
        in_end_(in_ + packed.size()),
        out_(out.data()),
        out_begin_(out_),
        out_end_(out_ + out.size()) {}

  Unpacked run() {
    while (in_ != in_end_ && !failure_) step();
    return {static_cast<size_t>(out_ - out_begin_), failure_};
  }

 private:
  void step() {
    const uint8_t tag = *in_++;
    if (out_ == out_end_) return fail(UnpackFailure::kTooLarge);
    if (in_end_ - in_ < 8 && in_end_ - in_ < std::popcount(tag)) return fail(UnpackFailure::kTruncated);
    *out_++ = take_bytes(in_, tag);
    if (tag == kTagZeros || tag == kTagDense) take_run(tag);
  }

  void take_run(uint8_t tag) {
    if (in_ == in_end_) return fail(UnpackFailure::kTruncated);
    const size_t words = *in_++;
    if (words > static_cast<size_t>(out_end_ - out_)) return fail(UnpackFailure::kTooLarge);
    if (tag == kTagZeros) {
      std::fill_n(out_, words, 0);
    } else {
      if (words * 8 > static_cast<size_t>(in_end_ - in_)) return fail(UnpackFailure::kTruncated);
      std::memcpy(out_, in_, words * 8);
      in_ += words * 8;
    }
    out_ += words;
  }

  void fail(UnpackFailure failure) { failure_ = failure; }

  const uint8_t* in_;
  const uint8_t* const in_end_;
  uint64_t* out_;
  uint64_t* const out_begin_;
  uint64_t* const out_end_;
  std::optional<UnpackFailure> failure_;
};

}  // namespace

Unpacked unpack(Bytes packed, std::span<uint64_t> out) { return Unpacker(packed, out).run(); }

}  // namespace godwit::wire
