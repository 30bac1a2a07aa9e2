#include "counted_memory.h"
#include "samples.h"
#include "wire/varint.h"
#include "wire_helpers.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

constexpr uint64_t kFourGiB = uint64_t{4} << 30;

ByteVector varint(uint64_t value) {
  ByteVector bytes(kVarintBytesMax);
  bytes.resize(put_varint(bytes.data(), value) - bytes.data());
  return bytes;
}

}  // namespace

TEST_CASE("the allocator is watched") {
  const Allocations seen = allocations_of([] { delete new ByteVector(100'000); });
  CHECK((seen.bytes >= 100'000) == is_counting());
}

TEST_CASE("a frame that announces 4 GiB is refused for the price of the refusal's text") {
  const ByteVector bytes = varint(kFourGiB);
  const Allocations seen = allocations_of(
      [&] { CHECK(code_of(cut_frame(bytes, CodecLimits{}.shared_frame_bytes_max)) == Code::kFrameTooLarge); });
  CHECK(seen.bytes < 2048);
}

TEST_CASE("a body announced with 4 GiB is refused for the price of the refusal's text") {
  Codec codec;
  CodecLimits careless;
  careless.inline_bytes_max = kFourGiB;
  Envelope envelope = samples::request();
  envelope.body_bytes = kFourGiB;
  const ByteVector head = copy_of(*Codec(careless).encode_message_head(envelope));
  const Bytes payload = whole_frame(head).payload;
  const Allocations seen =
      allocations_of([&] { CHECK(code_of(codec.decode_message_head(payload)) == Code::kMessageTooLarge); });
  CHECK(seen.bytes < 2048);
}

TEST_CASE("zeros that are only announced cost no more than the bound of an honest frame") {
  Codec codec;
  ByteVector bomb;
  while (bomb.size() + 2 <= codec.limits().envelope_bytes_max) bomb.insert(bomb.end(), {0x00, 0xff});
  const Allocations seen =
      allocations_of([&] { CHECK(code_of(codec.decode_message_head(bomb)) == Code::kFrameMalformed); });
  CHECK(seen.bytes < 4 * codec.limits().envelope_bytes_max + 4096);
  CHECK(code_of(codec.decode_hello(Bytes(bomb).first(16'000))) == Code::kFrameMalformed);
}

TEST_CASE("once warm, messages are encoded and decoded without an allocation") {
  Codec codec;
  std::vector<ByteVector> frames;
  const Envelope envelopes[] = {samples::request(), samples::response(), samples::failure(), samples::event()};
  const auto exchange = [&] {
    for (const Envelope& envelope : envelopes) {
      frames.push_back(encode_message(codec, envelope, "hello"));
      CHECK(codec.decode_message(whole_frame(frames.back()).payload));
    }
  };
  exchange();
  const Allocations seen = allocations_of([&] {
    for (size_t i = 0; i < std::size(envelopes); ++i) {
      (void)codec.encode_message(envelopes[i], 5);
      (void)codec.decode_message(Bytes(frames[i]).subspan(frames[i][0] < 0x40 ? 2 : 3));
    }
  });
  CHECK(seen.count == 0);
}
