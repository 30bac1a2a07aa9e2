#include "host/lua_match.h"

#include <cctype>
#include <cstring>

namespace godwit::host {
namespace {

constexpr size_t kDepthMax = 200;  ///< recursions; each is some 100 bytes of C stack
constexpr size_t kStepsPerQuestion = 4096;

bool in_class(unsigned char byte, unsigned char letter) {
  switch (letter | 0x20) {
    case 'a': return std::isalpha(byte);
    case 'c': return std::iscntrl(byte);
    case 'd': return std::isdigit(byte);
    case 'g': return std::isgraph(byte);
    case 'l': return std::islower(byte);
    case 'p': return std::ispunct(byte);
    case 's': return std::isspace(byte);
    case 'u': return std::isupper(byte);
    case 'w': return std::isalnum(byte);
    case 'x': return std::isxdigit(byte);
    case 'z': return byte == 0;
    default: return false;
  }
}

/// Whether `%letter` stands for the byte: a class, its complement in upper case, or the letter itself.
bool matches_escape(unsigned char byte, unsigned char letter) {
  if (!std::isalpha(letter) || !std::strchr("acdglpsuwxz", letter | 0x20)) return byte == letter;
  return in_class(byte, letter) != (std::isupper(letter) != 0);
}

}  // namespace

LuaMatch::LuaMatch(std::string_view subject, std::string_view pattern, Caret caret, Interrupt interrupt)
    : subject_(subject),
      pattern_(pattern),
      interrupt_(interrupt),
      anchored_(caret == Caret::kAnchors && pattern.starts_with('^')) {}

std::optional<size_t> LuaMatch::match_at(size_t position) {
  level_ = 0;
  depth_ = 0;
  const size_t end = match(position, anchored_ ? 1 : 0);
  if (end == kNone) return std::nullopt;
  for (size_t i = 0; i < level_; ++i) {
    if (captures_[i].open == Open::kOpen) return give_up("unfinished capture"), std::nullopt;
  }
  return end;
}

std::optional<size_t> LuaMatch::search(size_t position, size_t& found) {
  for (; position <= subject_.size() && !error_; ++position) {
    if (const auto end = match_at(position)) {
      found = position;
      return end;
    }
    if (anchored_) break;
  }
  return std::nullopt;
}

/// Walks along the pattern; recursion happens only where a choice may have to be taken back.
size_t LuaMatch::match(size_t subject, size_t pattern) {
  if (++depth_ > kDepthMax) return give_up("pattern too complex");
  bool goes_on = true;
  while (goes_on) {
    if (!keeps_going()) return kNone;
    if (pattern == pattern_.size()) break;
    subject = match_item(subject, pattern, goes_on);
    if (subject == kNone) break;
  }
  --depth_;
  return subject;
}

/// Matches one item at `pattern` and moves behind it; or, with `goes_on` false, everything to the end of the pattern.
size_t LuaMatch::match_item(size_t subject, size_t& pattern, bool& goes_on) {
  const char first = pattern_[pattern];
  const char second = pattern + 1 < pattern_.size() ? pattern_[pattern + 1] : '\0';
  goes_on = false;
  if (first == '(') {
    return second == ')' ? begin_capture(subject, pattern + 2, true) : begin_capture(subject, pattern + 1, false);
  }
  if (first == ')') return end_capture(subject, pattern + 1);
  if (first == '$' && pattern + 1 == pattern_.size()) return subject == subject_.size() ? subject : kNone;
  if (first == '%' && second == 'b') {
    subject = match_balanced(subject, pattern + 2);
    pattern += 4;
    goes_on = true;
    return subject;
  }
  if (first == '%' && second == 'f') {
    const size_t set = pattern + 2;
    if (set >= pattern_.size() || pattern_[set] != '[') return give_up("missing '[' after '%f' in pattern");
    const size_t set_end = item_end(set);
    if (error_ || !at_frontier(subject, set, set_end)) return kNone;
    pattern = set_end;
    goes_on = true;
    return subject;
  }
  if (first == '%' && std::isdigit(static_cast<unsigned char>(second))) {
    subject = match_back_reference(subject, pattern + 1);
    pattern += 2;
    goes_on = true;
    return subject;
  }

  const size_t item = pattern;
  const size_t end = item_end(item);
  if (error_) return kNone;
  switch (end < pattern_.size() ? pattern_[end] : '\0') {
    case '?': return match_optional(subject, item, end);
    case '*': return match_greedy(subject, item, end);
    case '+': return matches_one(subject, item, end) ? match_greedy(subject + 1, item, end) : kNone;
    case '-': return match_lazy(subject, item, end);
    default: break;
  }
  if (!matches_one(subject, item, end)) return kNone;
  pattern = end;
  goes_on = true;
  return subject + 1;
}

size_t LuaMatch::match_greedy(size_t subject, size_t item, size_t item_end) {
  size_t count = 0;
  while (matches_one(subject + count, item, item_end)) {
    ++count;
    if (!keeps_going()) return kNone;
  }
  for (;; --count) {
    const size_t end = match(subject + count, item_end + 1);
    if (end != kNone || error_ || count == 0) return end;
  }
}

size_t LuaMatch::match_lazy(size_t subject, size_t item, size_t item_end) {
  for (;; ++subject) {
    const size_t end = match(subject, item_end + 1);
    if (end != kNone || error_) return end;
    if (!matches_one(subject, item, item_end)) return kNone;
  }
}

size_t LuaMatch::match_optional(size_t subject, size_t item, size_t item_end) {
  if (matches_one(subject, item, item_end)) {
    const size_t end = match(subject + 1, item_end + 1);
    if (end != kNone || error_) return end;
  }
  return match(subject, item_end + 1);
}

size_t LuaMatch::match_balanced(size_t subject, size_t pattern) {
  if (pattern + 1 >= pattern_.size()) return give_up("unbalanced pattern");
  const char open = pattern_[pattern];
  const char close = pattern_[pattern + 1];
  if (subject >= subject_.size() || subject_[subject] != open) return kNone;
  size_t nesting = 1;
  for (size_t at = subject + 1; at < subject_.size(); ++at) {
    if (!keeps_going()) return kNone;
    if (subject_[at] == close) {
      if (--nesting == 0) return at + 1;
    } else if (subject_[at] == open) {
      ++nesting;
    }
  }
  return kNone;
}

bool LuaMatch::at_frontier(size_t subject, size_t set, size_t set_end) const {
  const unsigned char before = subject == 0 ? 0 : byte_of(subject - 1);
  return !in_set(before, set, set_end) && in_set(byte_of(subject), set, set_end);
}

size_t LuaMatch::begin_capture(size_t subject, size_t pattern, bool is_position) {
  if (level_ >= kCapturesMax) return give_up("too many captures");
  captures_[level_] = {{subject, 0, is_position}, is_position ? Open::kClosed : Open::kOpen};
  ++level_;
  const size_t end = match(subject, pattern);
  if (end == kNone) --level_;
  return end;
}

size_t LuaMatch::end_capture(size_t subject, size_t pattern) {
  size_t index = level_;
  while (index > 0 && captures_[index - 1].open == Open::kClosed) --index;
  if (index == 0) return give_up("invalid pattern capture");
  Slot& slot = captures_[index - 1];
  slot.value.size = subject - slot.value.begin;
  slot.open = Open::kClosed;
  const size_t end = match(subject, pattern);
  if (end == kNone) slot.open = Open::kOpen;
  return end;
}

size_t LuaMatch::match_back_reference(size_t subject, size_t pattern) {
  const size_t index = static_cast<size_t>(pattern_[pattern] - '1');
  if (index >= level_ || captures_[index].open == Open::kOpen) return give_up("invalid capture index");
  const Capture& capture = captures_[index].value;
  if (capture.is_position) return kNone;
  const std::string_view text = subject_.substr(capture.begin, capture.size);
  return subject_.substr(subject).starts_with(text) ? subject + text.size() : kNone;
}

/// Behind the single-byte item that begins at `pattern`.
size_t LuaMatch::item_end(size_t pattern) {
  const char first = pattern_[pattern++];
  if (first == '%') {
    if (pattern == pattern_.size()) return give_up("malformed pattern (ends with '%')");
    return pattern + 1;
  }
  if (first != '[') return pattern;
  if (pattern < pattern_.size() && pattern_[pattern] == '^') ++pattern;
  // A ']' in the first place stands for itself.
  for (bool is_first = true;; is_first = false) {
    if (pattern >= pattern_.size()) return give_up("malformed pattern (missing ']')");
    const char byte = pattern_[pattern++];
    if (byte == ']' && !is_first) return pattern;
    if (byte == '%') ++pattern;
  }
}

bool LuaMatch::matches_one(size_t subject, size_t item, size_t item_end) const {
  if (subject >= subject_.size()) return false;
  const unsigned char byte = byte_of(subject);
  switch (pattern_[item]) {
    case '.': return true;
    case '%': return matches_escape(byte, static_cast<unsigned char>(pattern_[item + 1]));
    case '[': return in_set(byte, item, item_end);
    default: return static_cast<unsigned char>(pattern_[item]) == byte;
  }
}

/// `set` is at the '[', `set_end` behind the ']'.
bool LuaMatch::in_set(unsigned char byte, size_t set, size_t set_end) const {
  const size_t last = set_end - 1;
  size_t at = set + 1;
  const bool wanted = pattern_[at] != '^';
  if (!wanted) ++at;
  while (at < last) {
    const auto low = static_cast<unsigned char>(pattern_[at]);
    if (low == '%' && at + 1 < last) {
      if (matches_escape(byte, static_cast<unsigned char>(pattern_[at + 1]))) return wanted;
      at += 2;
    } else if (at + 2 < last && pattern_[at + 1] == '-') {
      if (low <= byte && byte <= static_cast<unsigned char>(pattern_[at + 2])) return wanted;
      at += 3;
    } else {
      if (low == byte) return wanted;
      at += 1;
    }
  }
  return !wanted;
}

unsigned char LuaMatch::byte_of(size_t subject) const {
  return subject < subject_.size() ? static_cast<unsigned char>(subject_[subject]) : 0;
}

bool LuaMatch::keeps_going() {
  if (++steps_ % kStepsPerQuestion == 0 && interrupt_.asked && interrupt_.asked(interrupt_.context)) {
    interrupted_ = true;
    give_up("interrupted");
  }
  return error_ == nullptr;
}

size_t LuaMatch::give_up(const char* reason) {
  if (!error_) error_ = reason;
  return kNone;
}

}  // namespace godwit::host
