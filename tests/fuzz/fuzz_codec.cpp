#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "wire/codec.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

/// Accepted values borrow from the codec that read them, so another one sends and reads them again.
struct Codecs {
  Codec first, second;
};

Bytes payload_of(Bytes frame) {
  const Result<FrameCut> cut = cut_frame(frame, uint64_t{1} << 30);
  GW_CHECK(cut && cut->state == FrameCut::State::kFrame && cut->bytes == frame.size());
  return cut->frame.payload;
}

bool equal(const Envelope& a, const Envelope& b) {
  const auto same_header = [](const Header& x, const Header& y) { return x.name == y.name && x.value == y.value; };
  return a.seq == b.seq && a.after_delta == b.after_delta && a.id == b.id && a.correlates == b.correlates &&
         a.kind == b.kind && a.priority == b.priority && a.status == b.status && a.code == b.code &&
         a.flags == b.flags && a.deadline_ms == b.deadline_ms && a.ttl_ms == b.ttl_ms && a.body_bytes == b.body_bytes &&
         a.action == b.action && a.text == b.text && std::ranges::equal(a.headers, b.headers, same_header);
}

void check_head(Codecs& codecs, Bytes payload) {
  const Result<Envelope> read = codecs.first.decode_message_head(payload);
  if (!read) return;
  const CodecLimits& limits = codecs.first.limits();
  GW_CHECK(read->action.size() <= limits.action_bytes_max && read->text.size() <= limits.text_bytes_max);
  GW_CHECK(read->headers.size() <= limits.headers_max && read->body_bytes <= limits.inline_bytes_max);
  GW_CHECK(is_valid_utf8(read->action) && is_valid_utf8(read->text));
  const Result<Bytes> sent = codecs.second.encode_message_head(*read);
  GW_CHECK(sent);
  const Result<Envelope> again = codecs.second.decode_message_head(payload_of(*sent));
  GW_CHECK(again && equal(*read, *again));
}

void check_message(Codecs& codecs, Bytes payload) {
  const Result<Codec::Message> read = codecs.first.decode_message(payload);
  if (!read) return;
  GW_CHECK(read->body.size() == read->envelope.body_bytes);
  GW_CHECK(read->body.empty() || read->body.data() + read->body.size() == payload.data() + payload.size());
}

void check_hello(Codecs& codecs, Bytes payload) {
  const Result<Hello> read = codecs.first.decode_hello(payload);
  if (!read) return;
  const Result<Hello> again = codecs.second.decode_hello(payload_of(codecs.second.encode(*read)));
  GW_CHECK(again && again->client_id == read->client_id && again->token == read->token &&
           again->features == read->features);
}

void check_ack(Codecs& codecs, Bytes payload) {
  const Result<Ack> read = codecs.first.decode_ack(payload);
  if (!read) return;
  const Result<Ack> again = codecs.second.decode_ack(payload_of(codecs.second.encode(*read)));
  GW_CHECK(again && again->cumulative == read->cumulative && std::ranges::equal(again->ranges, read->ranges));
  GW_CHECK(again->nacks.size() == read->nacks.size());
}

template <typename T>
void check_same(Codecs& codecs, const Result<T>& read, Result<T> (Codec::*decode)(Bytes)) {
  if (read) GW_CHECK((codecs.second.*decode)(payload_of(codecs.second.encode(*read))));
}

void check(Codecs& codecs, FrameType type, Bytes payload) {
  switch (type) {
    case FrameType::kMessage: return check_message(codecs, payload);
    case FrameType::kMessageHead: return check_head(codecs, payload);
    case FrameType::kHello: return check_hello(codecs, payload);
    case FrameType::kAck: return check_ack(codecs, payload);
    case FrameType::kWelcome: return check_same(codecs, codecs.first.decode_welcome(payload), &Codec::decode_welcome);
    case FrameType::kRefuse: return check_same(codecs, codecs.first.decode_refuse(payload), &Codec::decode_refuse);
    case FrameType::kGoodbye: return check_same(codecs, codecs.first.decode_goodbye(payload), &Codec::decode_goodbye);
    case FrameType::kPing: return check_same(codecs, codecs.first.decode_ping(payload), &Codec::decode_ping);
    case FrameType::kPong: return check_same(codecs, codecs.first.decode_pong(payload), &Codec::decode_pong);
    case FrameType::kRenewal: return check_same(codecs, codecs.first.decode_renewal(payload), &Codec::decode_renewal);
    case FrameType::kCancel: return check_same(codecs, codecs.first.decode_cancel(payload), &Codec::decode_cancel);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  Codecs codecs;
  // A whole frame as well as a bare type and payload: the first lets golden frames be seeds.
  const Bytes bytes(data, size);
  if (const auto cut = cut_frame(bytes, size); cut && cut->state == FrameCut::State::kFrame) {
    check(codecs, cut->frame.type, cut->frame.payload);
  }
  check(codecs, static_cast<FrameType>(data[0]), bytes.subspan(1));
  return 0;
}
