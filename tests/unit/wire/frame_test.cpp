#include "golden.h"
#include "wire/varint.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

constexpr uint64_t kMax = 16 * 1024;

ByteVector frame_of(uint64_t length, uint8_t type = static_cast<uint8_t>(FrameType::kPing)) {
  ByteVector bytes(kVarintBytesMax + length);
  uint8_t* const begin = put_varint(bytes.data(), length);
  bytes.resize(begin - bytes.data() + length);
  bytes[bytes.size() - length] = type;
  return bytes;
}

ByteVector varint(uint64_t value) {
  ByteVector bytes(kVarintBytesMax);
  bytes.resize(put_varint(bytes.data(), value) - bytes.data());
  return bytes;
}

}  // namespace

TEST_CASE("variable-length integers follow RFC 9000") {
  // The examples of its appendix A.1.
  CHECK(varint(37) == ByteVector{0x25});
  CHECK(varint(15'293) == ByteVector{0x7b, 0xbd});
  CHECK(varint(494'878'333) == ByteVector{0x9d, 0x7f, 0x3e, 0x7d});
  CHECK(varint(151'288'809'941'952'652) == ByteVector{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c});
  CHECK(get_varint(ByteVector{0x40, 0x25})->value == 37);

  for (const uint64_t value : {uint64_t{0}, uint64_t{63}, uint64_t{64}, uint64_t{16'383}, uint64_t{16'384},
                               (uint64_t{1} << 30) - 1, uint64_t{1} << 30, kVarintMax}) {
    const ByteVector bytes = varint(value);
    CHECK(bytes.size() == varint_bytes(value));
    CHECK(get_varint(bytes)->value == value);
    CHECK(get_varint(bytes)->bytes == bytes.size());
    CHECK_FALSE(get_varint(Bytes(bytes).first(bytes.size() - 1)));
  }
}

TEST_CASE("a frame cut at any byte needs more, and whole it is found with what follows left alone") {
  for (const auto& [name, bytes] : encoded_samples()) {
    INFO(name);
    for (size_t length = 0; length < bytes.size(); ++length) {
      const Result<FrameCut> cut = cut_frame(Bytes(bytes).first(length), kMax);
      REQUIRE(cut);
      CHECK(cut->state == FrameCut::State::kNeedMore);
      CHECK((cut->bytes == bytes.size() || (length < 2 && cut->bytes == 0)));
    }
    ByteVector followed = bytes;
    followed.insert(followed.end(), {0xff, 0xff, 0xff});
    const Result<FrameCut> cut = cut_frame(followed, kMax);
    REQUIRE(cut);
    CHECK(cut->state == FrameCut::State::kFrame);
    CHECK(cut->bytes == bytes.size());
    CHECK(cut->frame.payload.data() + cut->frame.payload.size() == followed.data() + bytes.size());
  }
}

TEST_CASE("a frame may announce its limit and no byte more") {
  for (const uint64_t length : {kMax - 1, kMax}) {
    const Result<FrameCut> cut = cut_frame(frame_of(length), kMax);
    REQUIRE(cut);
    CHECK(cut->frame.type == FrameType::kPing);
    CHECK(cut->frame.payload.size() == length - 1);
  }
  CHECK(code_of(cut_frame(frame_of(kMax + 1), kMax)) == Code::kFrameTooLarge);
}

TEST_CASE("a length above the limit is refused before anything else has come") {
  CHECK(code_of(cut_frame(varint(kMax + 1), kMax)) == Code::kFrameTooLarge);
  CHECK(code_of(cut_frame(varint(kVarintMax), kMax)) == Code::kFrameTooLarge);
  CHECK(cut_frame(varint(kMax), kMax)->state == FrameCut::State::kNeedMore);
}

TEST_CASE("a frame without a type is malformed") {
  CHECK(code_of(cut_frame(ByteVector{0}, kMax)) == Code::kFrameMalformed);
  CHECK(code_of(cut_frame(ByteVector{0x40, 0}, kMax)) == Code::kFrameMalformed);
}

TEST_CASE("only the frame types of the protocol are let in, as soon as the type can be read") {
  const std::string known = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11";
  for (int type = 0; type < 256; ++type) {
    INFO(type);
    const bool is_known = known.find(static_cast<char>(type)) != std::string::npos;
    const Code expected = is_known ? Code::kOk : Code::kFrameUnknown;
    CHECK(code_of(cut_frame(frame_of(10, static_cast<uint8_t>(type)), kMax)) == expected);
    CHECK(code_of(cut_frame(ByteVector{10, static_cast<uint8_t>(type)}, kMax)) == expected);
  }
}

TEST_CASE("two frames behind each other are cut one by one") {
  const std::map<std::string, ByteVector> samples = encoded_samples();
  ByteVector stream = samples.at("request");
  const ByteVector& second = samples.at("ping");
  stream.insert(stream.end(), second.begin(), second.end());
  const Result<FrameCut> first = cut_frame(stream, kMax);
  REQUIRE(first);
  CHECK(first->frame.type == FrameType::kMessage);
  const Result<FrameCut> next = cut_frame(Bytes(stream).subspan(first->bytes), kMax);
  REQUIRE(next);
  CHECK(next->frame.type == FrameType::kPing);
  CHECK(first->bytes + next->bytes == stream.size());
}
