#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace godwit {
namespace {

constexpr size_t kComparedBytesMax = 64;  // edit_distance is quadratic; config keys and actions are shorter
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 0;  // 0: the text does not start with a well-formed sequence
};

// How many bytes a sequence with this lead byte has; 0 for bytes that can not lead.
constexpr size_t sequence_bytes(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;  // continuation bytes, and C0/C1 which only overlong forms use
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t bytes = sequence_bytes(lead);
  if (bytes == 0 || bytes > text.size()) return {};
  char32_t value = bytes == 1 ? lead : lead & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    value = value << 6 | (next & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[bytes] || surrogate || value > 0x10ffff) return {};
  return {value, bytes};
}

// What could move a terminal's cursor, change its state, or make a line read differently from what it says.
constexpr bool is_deceptive(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
}

// Appends the first character of the text in its safe form; returns how many bytes it had.
size_t escape_first(std::string& out, std::string_view text) {
  const CodePoint c = first_code_point(text);
  const size_t bytes = std::max<size_t>(c.bytes, 1);
  const std::string_view raw = text.substr(0, bytes);
  if (raw == "\\")
    out += "\\\\";
  else if (raw == "\n")
    out += "\\n";
  else if (raw == "\t")
    out += "\\t";
  else if (c.bytes == 0 || is_deceptive(c.value))
    append_hex(out, raw);
  else
    out += raw;
  return bytes;
}

}  // namespace

std::string escape_for_log(std::string_view bytes, size_t bytes_max) {
  std::string out;
  out.reserve(std::min(bytes.size(), bytes_max));
  size_t cut_at = 0;  // end of the last character after which the ellipsis still fits
  while (!bytes.empty()) {
    bytes.remove_prefix(escape_first(out, bytes));
    if (out.size() > bytes_max) {
      out.resize(cut_at);
      return bytes_max < kEllipsis.size() ? out : out.append(kEllipsis);
    }
    if (out.size() + kEllipsis.size() <= bytes_max) cut_at = out.size();
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = first_code_point(text).bytes;
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    if (c.bytes == 0 || is_deceptive(c.value)) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

// Optimal string alignment: three rows of the usual table, as a swap looks two rows back.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) current[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, previous);
    std::swap(previous, current);
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] != b[j - 1]);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
  }
  return current[b.size()];
}

std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> candidates) {
  if (text.size() > kComparedBytesMax) return std::nullopt;
  std::optional<std::string_view> best;
  size_t best_distance = std::max<size_t>(1, text.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kComparedBytesMax) continue;
    const size_t distance = edit_distance(text, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace godwit
