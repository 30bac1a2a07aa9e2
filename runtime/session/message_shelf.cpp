#include "session/message_shelf.h"

#include <cstring>

#include "base/check.h"

namespace godwit::session {
namespace {

/// In front of a kept message; behind it come action, text, headers (two lengths, name, value) and body.
struct Head {
  uint64_t id;
  uint64_t correlates;
  int64_t kept_at_ns;
  uint32_t after_delta;
  uint32_t deadline_ms;
  uint32_t ttl_ms;
  uint32_t body_bytes;  ///< 0 when the body is shared
  uint16_t flags;
  uint16_t code;
  uint16_t action_bytes;
  uint16_t text_bytes;
  uint16_t headers;
  wire::Kind kind;
  wire::Priority priority;
  wire::Status status;
};
struct HeaderLengths {
  uint16_t name;
  uint16_t value;
};

size_t bytes_of(const wire::Envelope& envelope, size_t body_bytes) {
  size_t bytes = sizeof(Head) + envelope.action.size() + envelope.text.size() + body_bytes;
  for (const wire::Header& header : envelope.headers)
    bytes += sizeof(HeaderLengths) + header.name.size() + header.value.size();
  return bytes;
}

class Writer {
 public:
  explicit Writer(uint8_t* at) : at_(at) {}
  template <typename T>
  void value(const T& value) {
    bytes({reinterpret_cast<const uint8_t*>(&value), sizeof value});
  }
  void text(std::string_view text) { bytes(as_bytes(text)); }
  void bytes(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  uint8_t* at_;
};

class Reader {
 public:
  explicit Reader(const uint8_t* at) : at_(at) {}
  template <typename T>
  T value() {
    T value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string_view text(size_t size) { return as_text(bytes(size)); }
  Bytes bytes(size_t size) {
    const Bytes bytes(at_, size);
    at_ += size;
    return bytes;
  }

 private:
  const uint8_t* at_;
};

}  // namespace

KeptMessage MessageShelf::put(const wire::Envelope& envelope, Bytes body, const SharedBody& shared, Timestamp now) {
  KeptMessage message;
  if (shared) {
    message.body_ = shared;
    body = {};
  }
  uint8_t* at = room(bytes_of(envelope, body.size()), message);
  message.data_ = at;
  Writer out(at);
  out.value(Head{.id = envelope.id,
                 .correlates = envelope.correlates,
                 .kept_at_ns = now.time_since_epoch().count(),
                 .after_delta = envelope.after_delta,
                 .deadline_ms = envelope.deadline_ms,
                 .ttl_ms = envelope.ttl_ms,
                 .body_bytes = static_cast<uint32_t>(body.size()),
                 .flags = envelope.flags,
                 .code = static_cast<uint16_t>(envelope.code),
                 .action_bytes = static_cast<uint16_t>(envelope.action.size()),
                 .text_bytes = static_cast<uint16_t>(envelope.text.size()),
                 .headers = static_cast<uint16_t>(envelope.headers.size()),
                 .kind = envelope.kind,
                 .priority = envelope.priority,
                 .status = envelope.status});
  out.text(envelope.action);
  out.text(envelope.text);
  for (const wire::Header& header : envelope.headers) {
    out.value(HeaderLengths{static_cast<uint16_t>(header.name.size()), static_cast<uint16_t>(header.value.size())});
    out.text(header.name);
    out.text(header.value);
  }
  out.bytes(body);
  return message;
}

uint8_t* MessageShelf::room(size_t bytes, KeptMessage& message) {
  if (bytes > pool_->block_bytes()) {
    message.alone_ = std::make_unique_for_overwrite<uint8_t[]>(bytes);
    return message.alone_.get();
  }
  if (blocks_.empty() || used_ + bytes > pool_->block_bytes()) {
    blocks_.push_back({pool_->take(), 0});
    used_ = 0;
  }
  Shared& newest = blocks_.back();
  ++newest.messages;
  message.block_ = first_ + blocks_.size() - 1;
  return newest.block.get() + std::exchange(used_, used_ + bytes);
}

void MessageShelf::drop(KeptMessage& message) {
  const KeptMessage dropped = std::exchange(message, {});
  if (dropped.block_ == 0) return;
  Shared& shared = blocks_[dropped.block_ - first_];
  GW_CHECK(shared.messages > 0);
  if (--shared.messages > 0) return;
  shared.block.reset();
  // The newest may go as well: then the next message begins another one.
  if (&shared == &blocks_.back()) used_ = pool_->block_bytes();
  while (!blocks_.empty() && !blocks_.front().block) {
    blocks_.pop_front();
    ++first_;
  }
}

MessageShelf::View MessageShelf::read(const KeptMessage& message) {
  Reader in(message.data_);
  const Head head = in.value<Head>();
  View view{.envelope = {.after_delta = head.after_delta,
                         .id = head.id,
                         .correlates = head.correlates,
                         .kind = head.kind,
                         .priority = head.priority,
                         .status = head.status,
                         .code = static_cast<Code>(head.code),
                         .flags = head.flags,
                         .deadline_ms = head.deadline_ms,
                         .ttl_ms = head.ttl_ms},
            .body = {},
            .kept_at = Timestamp(Duration(head.kept_at_ns))};
  view.envelope.action = in.text(head.action_bytes);
  view.envelope.text = in.text(head.text_bytes);
  headers_.clear();
  for (uint16_t i = 0; i < head.headers; ++i) {
    const auto lengths = in.value<HeaderLengths>();
    const std::string_view name = in.text(lengths.name);
    headers_.push_back({name, in.text(lengths.value)});
  }
  view.envelope.headers = headers_;
  view.body = message.body_ ? Bytes(*message.body_) : in.bytes(head.body_bytes);
  return view;
}

}  // namespace godwit::session
