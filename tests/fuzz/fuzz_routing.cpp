#include "base/check.h"
#include "routing/route_table.h"

using namespace godwit;
using namespace godwit::routing;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text({data, size});
  const size_t line = text.find('\n');
  const std::string_view first = text.substr(0, line);
  const std::string_view action = line == std::string_view::npos ? first : text.substr(line + 1);

  const bool is_action = bool(check_action(action));
  if (is_action) {
    const Result<Pattern> itself = Pattern::parse(action);
    GW_CHECK(itself && itself->is_exact() && itself->matches(wire::Kind::kEvent, action));
  }
  const Result<Pattern> pattern = Pattern::parse(first);
  if (!pattern) {
    GW_CHECK(pattern.error().code == Code::kPatternInvalid);
    return 0;
  }
  GW_CHECK(pattern->compare_specificity(*pattern) == 0);
  const bool matches = pattern->matches(wire::Kind::kQuery, action);
  if (pattern->is_exact()) GW_CHECK(!matches || action == pattern->action());

  RouteTable table({{*pattern, {1, 2}}, {*Pattern::parse("**"), {3, 4}, 50}});
  for (int turn = 0; turn < 2; ++turn) {
    const Target* found = table.find(wire::Kind::kQuery, action);
    GW_CHECK(is_action == (found != nullptr));
    const bool is_rest = pattern->action() == "**" && !pattern->kind();
    if (found && !is_rest) GW_CHECK((found->unit == 1) == matches);
  }
  return 0;
}
