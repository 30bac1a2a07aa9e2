#include "wire/envelope_codec.h"

#include "wire/capnp_words.h"
#include "wire/plain_envelope.h"

namespace godwit::wire {

static_assert(proto::Envelope::_capnpPrivate::dataWordSize == kEnvelopeDataWords);
static_assert(proto::Envelope::_capnpPrivate::pointerCount == kEnvelopePointers);

namespace {

// The schema and the plain structs number alike, so that a cast translates.
static_assert(static_cast<int>(proto::Kind::RESPONSE) == static_cast<int>(Kind::kResponse));
static_assert(static_cast<int>(proto::Status::TIMEOUT) == static_cast<int>(Status::kTimeout));
static_assert(static_cast<int>(proto::Priority::CRITICAL) == static_cast<int>(Priority::kCritical));

void put_headers(proto::Envelope::Builder out, std::span<const Header> headers) {
  if (headers.empty()) return;
  auto list = out.initHeaders(static_cast<unsigned>(headers.size()));
  for (unsigned i = 0; i < headers.size(); ++i) {
    put_text(headers[i].name, [&](unsigned bytes) { return list[i].initName(bytes); });
    put_text(headers[i].value, [&](unsigned bytes) { return list[i].initValue(bytes); });
  }
}

void put_envelope(proto::Envelope::Builder out, const Envelope& envelope, uint64_t body_bytes) {
  out.setSeq(envelope.seq);
  out.setDeadlineMs(envelope.deadline_ms);
  out.setKind(static_cast<proto::Kind>(envelope.kind));
  out.setFlags(envelope.flags);
  out.setCorrelates(envelope.correlates);
  out.setAfterDelta(envelope.after_delta);
  out.setStatus(static_cast<proto::Status>(envelope.status));
  out.setCode(static_cast<uint16_t>(envelope.code));
  out.setTtlMs(envelope.ttl_ms);
  out.setPriority(static_cast<proto::Priority>(envelope.priority));
  out.setId(envelope.id);
  out.setBodyBytes(body_bytes);
  put_text(envelope.action, [&](unsigned bytes) { return out.initAction(bytes); });
  put_text(envelope.text, [&](unsigned bytes) { return out.initText(bytes); });
  put_headers(out, envelope.headers);
}

/// The library hands enumerations on as they came.
template <typename Enum, typename Wire>
bool take_enum(Wire value, Enum last, Enum& out) {
  if (static_cast<uint16_t>(value) > static_cast<uint16_t>(last)) return false;
  out = static_cast<Enum>(value);
  return true;
}

godwit::Status take_headers(proto::Envelope::Reader in, size_t headers_max, std::vector<Header>& out) {
  const auto list = in.getHeaders();
  if (list.size() > headers_max) {
    return fail(Code::kHeadersInvalid,
                std::to_string(list.size()) + " headers, " + std::to_string(headers_max) + " are allowed");
  }
  out.clear();
  for (const auto header : list) out.push_back({view_of(header.getName()), view_of(header.getValue())});
  return {};
}

godwit::Status take_envelope(proto::Envelope::Reader in, size_t headers_max, std::vector<Header>& headers,
                             Envelope& out) {
  out.seq = in.getSeq();
  out.after_delta = in.getAfterDelta();
  out.id = in.getId();
  out.correlates = in.getCorrelates();
  out.code = static_cast<Code>(in.getCode());
  out.flags = in.getFlags();
  out.deadline_ms = in.getDeadlineMs();
  out.ttl_ms = in.getTtlMs();
  out.body_bytes = in.getBodyBytes();
  if (!take_enum(in.getKind(), Kind::kResponse, out.kind) ||
      !take_enum(in.getPriority(), Priority::kCritical, out.priority) ||
      !take_enum(in.getStatus(), Status::kTimeout, out.status)) {
    return fail(Code::kFrameMalformed, "an envelope's kind, priority or status is out of range");
  }
  out.action = view_of(in.getAction());
  out.text = view_of(in.getText());
  godwit::Status status = take_headers(in, headers_max, headers);
  out.headers = headers;
  return status;
}

}  // namespace

size_t envelope_words(const Envelope& envelope) {
  size_t words = 1 + words_of<proto::Envelope>() + words_of(envelope.action) + words_of(envelope.text) + 1;
  for (const Header& header : envelope.headers) {
    words += words_of<proto::Header>() + words_of(header.name) + words_of(header.value);
  }
  return words;
}

void build_envelope(std::span<uint64_t> area, const Envelope& envelope, uint64_t body_bytes,
                    const std::function<void(std::span<const uint64_t>)>& use) {
  WordBuilder builder(area);
  put_envelope(builder.root<proto::Envelope>(), envelope, body_bytes);
  use(builder.words());
}

godwit::Status read_envelope(std::span<const uint64_t> words, size_t headers_max, std::vector<Header>& headers,
                             Envelope& out) {
  return read_words<proto::Envelope>(
      words, "envelope", [&](proto::Envelope::Reader in) { return take_envelope(in, headers_max, headers, out); });
}

}  // namespace godwit::wire
