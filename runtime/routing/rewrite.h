#pragma once

#include <string>
#include <string_view>

#include "routing/pattern.h"

namespace godwit::routing {

/// Gives messages another address: those that match a pattern are looked up under `target`, in which wildcards stand
/// for what the pattern's wildcards matched. The kind stays.
///   "v1.**" → "**"   "old" → "new.name"   "query/*.status" → "device.*.state"
class Rewrite {
 public:
  /// The target has the pattern's wildcards in the same order, or none. PatternInvalid says what is wrong.
  static Result<Rewrite> parse(std::string_view pattern, std::string_view target);

  const Pattern& pattern() const { return pattern_; }
  bool matches(wire::Kind kind, std::string_view action) const { return pattern_.matches(kind, action); }
  /// Of an action that matches; what comes out may be too long to be one.
  void apply(std::string_view action, std::string& out) const;

 private:
  Rewrite(Pattern pattern, std::string target) : pattern_(std::move(pattern)), target_(std::move(target)) {}

  Pattern pattern_;
  std::string target_;
};

}  // namespace godwit::routing
