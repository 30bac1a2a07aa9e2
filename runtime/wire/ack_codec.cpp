#include <algorithm>

#include "base/check.h"
#include "wire/capnp_words.h"
#include "wire/codec.h"
#include "wire/envelope_check.h"
#include "wire/scratch.h"

namespace godwit::wire {

namespace {

/// What the texts of all nacks share: with kNacksMax nacks and kAckRangeWordsMax words beside them a control frame is
/// not full.
constexpr size_t kNackTextBytes = 4096;

size_t nack_text_bytes_max(size_t nacks, const CodecLimits& limits) {
  return std::min<size_t>(limits.text_bytes_max, kNackTextBytes / std::max<size_t>(nacks, 1));
}

size_t ack_words(const Ack& ack, size_t text_bytes_max) {
  const size_t nack_words = words_of<proto::Nack>() + text_bytes_max / 8 + 1;
  return 2 + words_of<proto::Ack>() + ack.ranges.size() + ack.nacks.size() * nack_words;
}

void put_nack(proto::Nack::Builder out, const Nack& nack, size_t text_bytes_max, std::string& room) {
  out.setSeq(nack.seq);
  out.setCode(static_cast<uint16_t>(nack.code));
  put_text(readable_text(nack.text, text_bytes_max, room), [&](unsigned bytes) { return out.initText(bytes); });
}

Result<Ack> take_ack(proto::Ack::Reader in, Scratch& scratch, const CodecLimits& limits) {
  const auto ranges = in.getRanges();
  const auto nacks = in.getNacks();
  if (ranges.size() > kAckRangeWordsMax || nacks.size() > kNacksMax) {
    return fail(Code::kFrameMalformed, "Ack: too many ranges or nacks");
  }
  scratch.ranges.clear();
  for (const uint64_t word : ranges) scratch.ranges.push_back(word);
  scratch.nacks.clear();
  for (const auto nack : nacks) {
    const std::string_view text = view_of(nack.getText());
    if (text.size() > limits.text_bytes_max || !is_utf8(text)) {
      return fail(Code::kFrameMalformed, "Ack: a nack's text is too long or not UTF-8");
    }
    scratch.nacks.push_back({nack.getSeq(), static_cast<Code>(nack.getCode()), text});
  }
  return Ack{in.getCumulative(), scratch.ranges, scratch.nacks};
}

}  // namespace

Bytes Codec::encode(const Ack& ack) {
  GW_CHECK(ack.ranges.size() <= kAckRangeWordsMax && ack.nacks.size() <= kNacksMax);
  const size_t text_bytes_max = nack_text_bytes_max(ack.nacks.size(), limits_);
  WordBuilder builder(scratch_->build.at_least(ack_words(ack, text_bytes_max)));
  auto out = builder.root<proto::Ack>();
  out.setCumulative(ack.cumulative);
  if (!ack.ranges.empty()) {
    auto ranges = out.initRanges(static_cast<unsigned>(ack.ranges.size()));
    for (unsigned i = 0; i < ack.ranges.size(); ++i) ranges.set(i, ack.ranges[i]);
  }
  if (!ack.nacks.empty()) {
    auto nacks = out.initNacks(static_cast<unsigned>(ack.nacks.size()));
    for (unsigned i = 0; i < ack.nacks.size(); ++i) {
      put_nack(nacks[i], ack.nacks[i], text_bytes_max, scratch_->text);
    }
  }
  return scratch_->frame(FrameType::kAck, builder.words()).bytes;
}

Result<Ack> Codec::decode_ack(Bytes payload) {
  const auto words = scratch_->unpack(payload, scratch_->control_words_max);
  if (!words) return tl::unexpected(words.error());
  return read_words<proto::Ack>(*words, "Ack", [&](proto::Ack::Reader in) { return take_ack(in, *scratch_, limits_); });
}

}  // namespace godwit::wire
