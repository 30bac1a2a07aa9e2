#include "routing/pattern.h"

#include "base/text.h"
#include "routing/levels.h"

namespace godwit::routing {

namespace {

constexpr std::string_view kOneLevel = "*";
constexpr std::string_view kTheRest = "**";
constexpr wire::Kind kBindable[] = {wire::Kind::kCommand, wire::Kind::kEvent, wire::Kind::kQuery};

/// How the bytes are called that no level of an action has: patterns have them in their places.
struct WildcardFaults {
  std::string_view star;
  std::string_view slash;
};
constexpr WildcardFaults kInPattern{"a * beside other bytes of a level", "a second /"};
constexpr WildcardFaults kInAction{"a *", "a /"};

/// What keeps a level from being part of an action; empty when nothing does.
std::string_view fault_of_level(std::string_view level, const WildcardFaults& faults) {
  if (level.empty()) return "an empty level";
  for (const char byte : level) {
    if (byte == '*') return faults.star;
    if (byte == '/') return faults.slash;
  }
  if (!is_printable(level)) return "a control character";
  return {};
}

tl::unexpected<Error> invalid(std::string_view pattern, std::string_view what) {
  return fail(Code::kPatternInvalid,
              "pattern '" + escape_for_log(pattern, kActionBytesMax) + "': " + std::string(what));
}

/// The kind before the slash; nullopt stands for any.
Result<std::optional<wire::Kind>> parse_kind(std::string_view pattern, std::string_view name) {
  if (name == kOneLevel) return std::nullopt;
  for (const wire::Kind kind : kBindable) {
    if (name == name_of(kind)) return kind;
  }
  return invalid(pattern, "the kind before / is command, event, query or *");
}

/// Says whether the action part is free of wildcards.
Result<bool> parse_levels(std::string_view pattern, std::string_view action) {
  bool exact = true;
  size_t count = 0;
  for (Levels levels(action); !levels.done();) {
    if (++count > kActionLevelsMax) return invalid(pattern, "more than 16 levels");
    const std::string_view level = levels.next();
    if (level == kOneLevel || level == kTheRest) {
      exact = false;
      if (level == kTheRest && !levels.done()) return invalid(pattern, "** stands at the end only");
    } else if (const std::string_view fault = fault_of_level(level, kInPattern); !fault.empty()) {
      return invalid(pattern, fault);
    }
  }
  return exact;
}

/// How special a level is: smaller is more.
int rank_of(std::string_view level) { return level == kTheRest ? 2 : level == kOneLevel ? 1 : 0; }

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  Pattern pattern;
  pattern.text_ = text;
  std::string_view action = text;
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto kind = parse_kind(text, text.substr(0, slash));
    if (!kind) return tl::unexpected(kind.error());
    pattern.kind_ = *kind;
    action.remove_prefix(slash + 1);
  }
  if (action.size() > kActionBytesMax) return invalid(text, "more than 256 bytes");
  const Result<bool> exact = parse_levels(text, action);
  if (!exact) return tl::unexpected(exact.error());
  pattern.action_ = action;
  pattern.exact_ = *exact;
  return pattern;
}

bool Pattern::matches(wire::Kind kind, std::string_view action) const {
  if (kind_ && *kind_ != kind) return false;
  if (exact_) return action == action_;
  Levels wanted(action_), given(action);
  while (!wanted.done() && !given.done()) {
    const std::string_view level = wanted.next();
    if (level == kTheRest) return true;
    if (const std::string_view other = given.next(); level != kOneLevel && level != other) return false;
  }
  return wanted.done() && given.done();
}

int Pattern::compare_specificity(const Pattern& other) const {
  Levels ours(action_), theirs(other.action_);
  while (!ours.done() && !theirs.done()) {
    if (const int difference = rank_of(ours.next()) - rank_of(theirs.next())) return difference;
  }
  // Patterns of different length that agree so far never match the same action: any order will do, as long as it is
  // one.
  if (ours.done() != theirs.done()) return ours.done() ? 1 : -1;
  return int{other.kind_.has_value()} - int{kind_.has_value()};
}

Status check_action(std::string_view action) {
  if (action.empty() || action.size() > kActionBytesMax) {
    return fail(Code::kActionInvalid, "an action of " + std::to_string(action.size()) + " bytes");
  }
  size_t count = 0;
  for (Levels levels(action); !levels.done();) {
    if (++count > kActionLevelsMax) return fail(Code::kActionInvalid, "an action of more than 16 levels");
    if (const std::string_view fault = fault_of_level(levels.next(), kInAction); !fault.empty()) {
      return fail(Code::kActionInvalid, "an action with " + std::string(fault));
    }
  }
  return {};
}

}  // namespace godwit::routing
