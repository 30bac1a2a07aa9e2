#include <string>

#include "wire/codec.h"
#include "wire/varint.h"

namespace godwit::wire {

namespace {

bool is_known(uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kRefuse:
    case FrameType::kPing:
    case FrameType::kPong:
    case FrameType::kAck:
    case FrameType::kGoodbye:
    case FrameType::kRenewal:
    case FrameType::kCancel:
    case FrameType::kMessage:
    case FrameType::kMessageHead: return true;
  }
  return false;
}

FrameCut need_more(size_t bytes) { return {FrameCut::State::kNeedMore, {}, bytes}; }

}  // namespace

Result<FrameCut> cut_frame(Bytes readable, uint64_t frame_bytes_max) {
  const std::optional<Varint> length = get_varint(readable);
  if (!length) return need_more(0);
  if (length->value > frame_bytes_max) {
    return fail(Code::kFrameTooLarge, "a frame of " + std::to_string(length->value) + " bytes is announced, " +
                                          std::to_string(frame_bytes_max) + " are allowed");
  }
  if (length->value == 0) return fail(Code::kFrameMalformed, "a frame without a type");

  const size_t frame_bytes = length->bytes + length->value;
  if (readable.size() == length->bytes) return need_more(frame_bytes);
  const uint8_t type = readable[length->bytes];
  if (!is_known(type)) return fail(Code::kFrameUnknown, "frame type " + std::to_string(type));
  if (readable.size() < frame_bytes) return need_more(frame_bytes);

  const Bytes payload = readable.subspan(length->bytes + 1, length->value - 1);
  return FrameCut{FrameCut::State::kFrame, {static_cast<FrameType>(type), payload}, frame_bytes};
}

}  // namespace godwit::wire
