#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "wire/codec.h"

namespace godwit::wire {

using ByteVector = std::vector<uint8_t>;

inline ByteVector copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// The one frame that these bytes are.
inline Frame whole_frame(Bytes bytes, uint64_t frame_bytes_max = 1 << 30) {
  const Result<FrameCut> cut = cut_frame(bytes, frame_bytes_max);
  REQUIRE(cut);
  REQUIRE(cut->state == FrameCut::State::kFrame);
  REQUIRE(cut->bytes == bytes.size());
  return cut->frame;
}

inline ByteVector encode_message(Codec& codec, const Envelope& envelope, Bytes body) {
  const Result<Bytes> front = codec.encode_message(envelope, body.size());
  INFO((front ? "" : front.error().to_string()));
  REQUIRE(front);
  ByteVector frame = copy_of(*front);
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

inline ByteVector encode_message(Codec& codec, const Envelope& envelope, std::string_view body) {
  return encode_message(codec, envelope, as_bytes(body));
}

inline void check_equal(const Envelope& a, const Envelope& b) {
  CHECK(a.seq == b.seq);
  CHECK(a.after_delta == b.after_delta);
  CHECK(a.id == b.id);
  CHECK(a.correlates == b.correlates);
  CHECK(a.kind == b.kind);
  CHECK(a.priority == b.priority);
  CHECK(a.status == b.status);
  CHECK(a.code == b.code);
  CHECK(a.flags == b.flags);
  CHECK(a.deadline_ms == b.deadline_ms);
  CHECK(a.ttl_ms == b.ttl_ms);
  CHECK(a.body_bytes == b.body_bytes);
  CHECK(a.action == b.action);
  CHECK(a.text == b.text);
  REQUIRE(a.headers.size() == b.headers.size());
  for (size_t i = 0; i < a.headers.size(); ++i) {
    CHECK(a.headers[i].name == b.headers[i].name);
    CHECK(a.headers[i].value == b.headers[i].value);
  }
}

template <typename T>
Code code_of(const tl::expected<T, Error>& result) {
  return result ? Code::kOk : result.error().code;
}

}  // namespace godwit::wire
