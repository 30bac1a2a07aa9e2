#include "routing/rewrite.h"

#include <array>
#include <vector>

#include "base/text.h"
#include "routing/levels.h"

namespace godwit::routing {
namespace {

bool is_wildcard(std::string_view level) { return level == "*" || level == "**"; }

std::vector<std::string_view> wildcards_of(std::string_view pattern) {
  std::vector<std::string_view> wildcards;
  for (Levels levels(pattern); !levels.done();) {
    if (const std::string_view level = levels.next(); is_wildcard(level)) wildcards.push_back(level);
  }
  return wildcards;
}

tl::unexpected<Error> invalid(std::string_view target, std::string_view what) {
  return fail(Code::kPatternInvalid, "target '" + escape_for_log(target, kActionBytesMax) + "': " + std::string(what));
}

}  // namespace

Result<Rewrite> Rewrite::parse(std::string_view pattern, std::string_view target) {
  auto from = Pattern::parse(pattern);
  if (!from) return tl::unexpected(std::move(from.error()));
  if (target.find('/') != target.npos) return invalid(target, "an action without a kind; the message keeps its own");
  if (auto to = Pattern::parse(target); !to) return tl::unexpected(std::move(to.error()));
  const auto wanted = wildcards_of(target);
  if (!wanted.empty() && wanted != wildcards_of(from->action())) {
    return invalid(target, "it has the wildcards of the pattern, in the same order, or none");
  }
  return Rewrite(std::move(*from), std::string(target));
}

void Rewrite::apply(std::string_view action, std::string& out) const {
  std::array<std::string_view, kActionLevelsMax> matched;
  size_t count = 0;
  std::string_view rest = action;
  for (Levels wanted(pattern_.action()); !wanted.done();) {
    const std::string_view level = wanted.next();
    const std::string_view given = level == "**" ? rest : rest.substr(0, rest.find('.'));
    if (is_wildcard(level)) matched[count++] = given;
    rest.remove_prefix(std::min(given.size() + 1, rest.size()));
  }
  out.clear();
  size_t next = 0;
  for (Levels levels(target_); !levels.done();) {
    const std::string_view level = levels.next();
    if (!out.empty()) out += '.';
    out += is_wildcard(level) ? matched[next++] : level;
  }
}

}  // namespace godwit::routing
