#include "library_words.h"

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <kj/io.h>

#include "godwit.capnp.h"

namespace godwit::wire {

Words words_by_library(const Envelope& envelope) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<proto::Envelope>();
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
  out.setBodyBytes(envelope.body_bytes);
  if (!envelope.action.empty()) out.setAction(std::string(envelope.action).c_str());
  if (!envelope.text.empty()) out.setText(std::string(envelope.text).c_str());
  if (!envelope.headers.empty()) {
    auto headers = out.initHeaders(static_cast<unsigned>(envelope.headers.size()));
    for (unsigned i = 0; i < envelope.headers.size(); ++i) {
      headers[i].setName(std::string(envelope.headers[i].name).c_str());
      headers[i].setValue(std::string(envelope.headers[i].value).c_str());
    }
  }
  const auto segment = message.getSegmentsForOutput()[0];
  const auto* begin = reinterpret_cast<const uint64_t*>(segment.begin());
  return {begin, begin + segment.size()};
}

ByteVector packed_by_library(const Words& words) {
  ByteVector out(words.size() * 10 + 16);
  kj::ArrayOutputStream stream(kj::arrayPtr(out.data(), out.size()));
  capnp::_::PackedOutputStream(stream).write(words.data(), words.size() * 8);
  out.resize(stream.getArray().size());
  return out;
}

Words unpacked_by_library(Bytes packed) {
  const kj::ArrayPtr<const kj::byte> bytes(packed.data(), packed.size());
  Words words(capnp::computeUnpackedSizeInWords(bytes));
  kj::ArrayInputStream stream(bytes);
  capnp::_::PackedInputStream(stream).read(words.data(), words.size() * 8);
  return words;
}

}  // namespace godwit::wire
