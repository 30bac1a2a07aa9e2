#include "app/once_record.h"

#include <cstring>

namespace godwit::app {
namespace {

constexpr uint8_t kFormat = 1;

void put_number(std::string& to, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) to.push_back(static_cast<char>(number >> shift));
}

void put_text(std::string& to, std::string_view text) {
  put_number(to, text.size());
  to += text;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  uint64_t number() {
    if (left_.size() < 8) return ok_ = false, 0;
    uint64_t number = 0;
    for (size_t i = 0; i < 8; ++i) number |= uint64_t{static_cast<uint8_t>(left_[i])} << (8 * i);
    left_.remove_prefix(8);
    return number;
  }
  std::string text() {
    const uint64_t size = number();
    if (size > left_.size()) return ok_ = false, std::string();
    std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace

/// Numbers of eight bytes, little-endian; texts behind their length.
std::string OnceRecord::encode() const {
  std::string bytes;
  put_number(bytes, kFormat);
  put_number(bytes, fingerprint);
  put_number(bytes, static_cast<uint64_t>(kept_after_lease.count()));
  if (!outcome) return bytes;
  put_number(bytes, static_cast<uint64_t>(outcome->code));
  put_text(bytes, outcome->text);
  put_text(bytes, outcome->body);
  for (const auto& [name, value] : outcome->headers) {
    put_text(bytes, name);
    put_text(bytes, value);
  }
  return bytes;
}

std::optional<OnceRecord> OnceRecord::decode(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.number() != kFormat) return std::nullopt;
  OnceRecord record;
  record.fingerprint = reader.number();
  record.kept_after_lease = Duration(static_cast<Duration::rep>(reader.number()));
  if (reader.at_end()) return record;
  host::OnceOutcome& outcome = record.outcome.emplace();
  outcome.code = static_cast<Code>(reader.number());
  outcome.text = reader.text();
  outcome.body = reader.text();
  while (reader.ok() && !reader.at_end()) {
    std::string name = reader.text();
    outcome.headers.emplace_back(std::move(name), reader.text());
  }
  return reader.ok() ? std::optional(std::move(record)) : std::nullopt;
}

}  // namespace godwit::app
