#include <algorithm>

#include "base/check.h"
#include "wire/codec.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

constexpr uint64_t kFrameBytesMax = 4096;

bool is_frame(const Result<FrameCut>& cut) { return cut && cut->state == FrameCut::State::kFrame; }

/// With fewer bytes a frame is not there yet; a refusal may come as soon as its reason can be read.
void check_prefixes(Bytes bytes, const FrameCut& whole) {
  for (size_t length = 0; length < whole.bytes; ++length) {
    const Result<FrameCut> cut = cut_frame(bytes.first(length), kFrameBytesMax);
    GW_CHECK(cut && cut->state == FrameCut::State::kNeedMore);
    GW_CHECK(cut->bytes == 0 || cut->bytes == whole.bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  for (;;) {
    const Result<FrameCut> cut = cut_frame(bytes, kFrameBytesMax);
    if (!is_frame(cut)) return 0;
    GW_CHECK(cut->bytes > 0 && cut->bytes <= bytes.size());
    GW_CHECK(cut->frame.payload.size() < kFrameBytesMax);
    GW_CHECK(cut->frame.payload.data() + cut->frame.payload.size() == bytes.data() + cut->bytes);
    check_prefixes(bytes, *cut);
    bytes = bytes.subspan(cut->bytes);
  }
}
