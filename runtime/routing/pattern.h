#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/message.h"

namespace godwit::routing {

inline constexpr size_t kActionBytesMax = 256;
inline constexpr size_t kActionLevelsMax = 16;

/// What a handler is bound to: `action` or `kind/action`, where action is levels separated by dots; `*` stands for
/// exactly one level,
/// `**` as the last level for the rest (one level or more). Matching is linear in the action's length.
///   "echo"   "query/time.*"   "*/chat.**"   "command/reboot"   "**"
class Pattern {
 public:
  /// PatternInvalid says what and where.
  static Result<Pattern> parse(std::string_view text);

  bool matches(wire::Kind kind, std::string_view action) const;

  const std::string& text() const { return text_; }
  /// No wildcard: matches exactly one action.
  bool is_exact() const { return exact_; }
  std::optional<wire::Kind> kind() const { return kind_; }
  std::string_view action() const { return action_; }

  /// More specific patterns win: exact before `*` before `**`, level by level from the left, a named kind before any
  /// kind. Negative: this one is more specific.
  int compare_specificity(const Pattern& other) const;

 private:
  std::string text_;
  std::string action_;
  std::optional<wire::Kind> kind_;
  bool exact_ = true;
};

/// ActionInvalid unless 1 … 256 bytes, at most 16 non-empty levels of printable UTF-8 (base/text.h), no `*`, no `/`.
Status check_action(std::string_view action);

}  // namespace godwit::routing
