#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "wire/message.h"

namespace godwit::wire {

/// A message that outlives the buffers it arrived in: one allocation holds the strings, the header table and (unless it
/// was moved in) the body. Movable; views stay valid across moves.
class StoredMessage {
 public:
  StoredMessage() = default;
  StoredMessage(const Envelope& envelope, Bytes body) : envelope_(envelope) {
    copy_strings(body.size());
    body_ = append(body);
  }
  /// Takes a large body over without copying it.
  StoredMessage(const Envelope& envelope, std::vector<uint8_t> body) : envelope_(envelope), large_(std::move(body)) {
    copy_strings(0);
    body_ = large_;
  }

  const Envelope& envelope() const { return envelope_; }
  Bytes body() const { return body_; }
  /// What it costs to keep, for bounds.
  size_t bytes() const { return capacity_ + large_.capacity() + sizeof(*this); }

 private:
  void copy_strings(size_t body_bytes) {
    const std::span<const Header> headers = envelope_.headers;
    size_t strings = envelope_.action.size() + envelope_.text.size();
    for (const Header& header : headers) strings += header.name.size() + header.value.size();
    const size_t table = headers.size() * sizeof(Header);
    capacity_ = table + strings + body_bytes;
    memory_ = std::make_unique_for_overwrite<uint8_t[]>(capacity_);
    used_ = table;
    auto* copies = reinterpret_cast<Header*>(memory_.get());
    for (size_t i = 0; i < headers.size(); ++i) {
      new (copies + i) Header{append(headers[i].name), append(headers[i].value)};
    }
    envelope_.headers = {copies, headers.size()};
    envelope_.action = append(envelope_.action);
    envelope_.text = append(envelope_.text);
  }

  Bytes append(Bytes bytes) {
    uint8_t* at = memory_.get() + used_;
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    used_ += bytes.size();
    return {at, bytes.size()};
  }
  std::string_view append(std::string_view text) { return as_text(append(as_bytes(text))); }

  Envelope envelope_;
  std::unique_ptr<uint8_t[]> memory_;
  std::vector<uint8_t> large_;
  size_t capacity_ = 0;
  size_t used_ = 0;
  Bytes body_;
};

}  // namespace godwit::wire
