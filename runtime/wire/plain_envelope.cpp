#include "wire/plain_envelope.h"

#include <bit>
#include <cstring>
#include <optional>

namespace godwit::wire {

static_assert(std::endian::native == std::endian::little, "words are little-endian on the wire");

namespace {

/// The data section of schema/godwit.capnp's Envelope. Fields with a default are stored as the difference to it.
struct Data {
  uint64_t seq;
  uint32_t deadline_ms;
  uint16_t kind;
  uint16_t flags;
  uint64_t correlates;
  uint32_t after_delta_xor_default;
  uint16_t status;
  uint16_t code;
  uint32_t ttl_ms;
  uint16_t priority;
  uint16_t unused;
  uint64_t id;
  uint64_t body_bytes;
};
static_assert(sizeof(Data) == 8 * kEnvelopeDataWords);
constexpr uint32_t kAfterDeltaDefault = 1;

// Where the words stand: root pointer, data, pointers to action, text and headers, then the action.
constexpr size_t kDataAt = 1;
constexpr size_t kActionAt = kDataAt + kEnvelopeDataWords;
constexpr size_t kTextAt = kActionAt + 1;
constexpr size_t kHeadersAt = kTextAt + 1;
constexpr size_t kFixedWords = kHeadersAt + 1;

/// To a struct directly behind: offset 0, sizes of both sections.
constexpr uint64_t kRootPointer = uint64_t{kEnvelopeDataWords} << 32 | uint64_t{kEnvelopePointers} << 48;

// A list pointer: kind in the two low bits, offset from its own end in 30, element size in 3, length in 29.
constexpr uint64_t kListKind = 1;
constexpr uint64_t kByteElements = 2;
constexpr uint64_t kActionPointer = kListKind | uint64_t{kFixedWords - kActionAt - 1} << 2 | kByteElements << 32;
constexpr int kListLengthShift = 35;

Data data_of(const Envelope& envelope, uint64_t body_bytes) {
  return {
      .seq = envelope.seq,
      .deadline_ms = envelope.deadline_ms,
      .kind = static_cast<uint16_t>(envelope.kind),
      .flags = envelope.flags,
      .correlates = envelope.correlates,
      .after_delta_xor_default = envelope.after_delta ^ kAfterDeltaDefault,
      .status = static_cast<uint16_t>(envelope.status),
      .code = static_cast<uint16_t>(envelope.code),
      .ttl_ms = envelope.ttl_ms,
      .priority = static_cast<uint16_t>(envelope.priority),
      .unused = 0,
      .id = envelope.id,
      .body_bytes = body_bytes,
  };
}

void take_data(const Data& data, Envelope& out) {
  out.seq = data.seq;
  out.after_delta = data.after_delta_xor_default ^ kAfterDeltaDefault;
  out.id = data.id;
  out.correlates = data.correlates;
  out.kind = static_cast<Kind>(data.kind);
  out.priority = static_cast<Priority>(data.priority);
  out.status = static_cast<Status>(data.status);
  out.code = static_cast<Code>(data.code);
  out.flags = data.flags;
  out.deadline_ms = data.deadline_ms;
  out.ttl_ms = data.ttl_ms;
  out.body_bytes = data.body_bytes;
}

bool are_known(const Data& data) {
  return data.kind <= static_cast<uint16_t>(Kind::kResponse) &&
         data.status <= static_cast<uint16_t>(Status::kTimeout) &&
         data.priority <= static_cast<uint16_t>(Priority::kCritical);
}

/// The text that an action's pointer stands for, when it is the one that `write_plain` makes.
std::optional<std::string_view> action_at(std::span<const uint64_t> words) {
  const uint64_t pointer = words[kActionAt];
  if (pointer == 0) return std::string_view{};
  const uint64_t length = pointer >> kListLengthShift;
  if ((pointer ^ length << kListLengthShift) != kActionPointer || length == 0) return std::nullopt;
  if (length > (words.size() - kFixedWords) * 8) return std::nullopt;
  const char* const text = reinterpret_cast<const char*>(words.data() + kFixedWords);
  if (text[length - 1] != '\0') return std::nullopt;
  return std::string_view(text, length - 1);
}

}  // namespace

bool is_plain(const Envelope& envelope) {
  return envelope.headers.empty() && envelope.text.empty() && envelope.action.size() <= kPlainActionBytesMax;
}

std::span<const uint64_t> write_plain(const Envelope& envelope, uint64_t body_bytes, PlainWords& words) {
  const Data data = data_of(envelope, body_bytes);
  words[0] = kRootPointer;
  std::memcpy(&words[kDataAt], &data, sizeof(data));
  words[kTextAt] = 0;
  words[kHeadersAt] = 0;
  if (envelope.action.empty()) {
    words[kActionAt] = 0;
    return {words.data(), kFixedWords};
  }
  const uint64_t length = envelope.action.size() + 1;  // with its NUL
  words[kActionAt] = kActionPointer | length << kListLengthShift;
  const size_t used = kFixedWords + (length + 7) / 8;
  words[used - 1] = 0;
  std::memcpy(&words[kFixedWords], envelope.action.data(), envelope.action.size());
  return {words.data(), used};
}

bool read_plain(std::span<const uint64_t> words, Envelope& out) {
  if (words.size() < kFixedWords || words[0] != kRootPointer) return false;
  if (words[kTextAt] != 0 || words[kHeadersAt] != 0) return false;
  const std::optional<std::string_view> action = action_at(words);
  Data data;
  std::memcpy(&data, &words[kDataAt], sizeof(data));
  if (!action || !are_known(data)) return false;
  take_data(data, out);
  out.action = *action;
  return true;
}

}  // namespace godwit::wire
