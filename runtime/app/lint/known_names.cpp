#include "app/lint/known_names.h"

#include <fmt/format.h>

#include <sstream>

#include "app/spec/virtual_clock.h"
#include "host/spec.h"

namespace godwit::app {
namespace {

class Silence final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// The names in a table, and in the tables within it, each on a line.
constexpr std::string_view kList = R"((function(root)
  local names = {}
  for name, value in pairs(root) do
    names[#names + 1] = name
    if type(value) == "table" and name ~= "_G" then
      for field in pairs(value) do names[#names + 1] = name .. "." .. tostring(field) end
    end
  end
  return table.concat(names, "\n")
end)({}))";

Result<KnownNames::Names> list(const host::UnitSource& unit, std::string_view table) {
  Silence silence;
  const VirtualClock clock;
  TimerHeap timers;
  const auto app = unit.build(
      1, {}, {.clock = clock, .timers = timers, .log = Log(silence, "lint"), .watchdog = host::make_watchdog()});
  if (!app) return tl::unexpected(app.error());
  std::string question(kList);
  question.replace(question.size() - 3, 2, table);
  const auto answer = (*app)->eval(question);
  if (!answer) return tl::unexpected(answer.error());
  KnownNames::Names names;
  std::istringstream lines(*answer);
  for (std::string name; std::getline(lines, name);) names.insert(name);
  return names;
}

host::AppSource empty_app() {
  host::AppSource source;
  source.name = "lint";
  source.files = {{"main.lua", "local gw"}, {"spec/lint_spec.lua", "local gw"}};
  return source;
}

std::string std_of(const KnownNames::Names& names) {
  std::string out;
  for (const std::string& name : names) {
    if (name.find('.') != std::string::npos) continue;
    out += fmt::format("    {} = {{", name);
    std::string fields;
    for (auto field = names.upper_bound(name + "."); field != names.end() && field->starts_with(name + "."); ++field)
      fields += fmt::format("{} = {{}}, ", field->substr(name.size() + 1));
    // A function and its like; of what has no fields that are known, any may be used.
    out += fields.empty() ? "other_fields = true},\n" : fmt::format("fields = {{{}}}}},\n", fields);
  }
  return out;
}

}  // namespace

Result<KnownNames> known_names() {
  const auto app = list(*host::make_unit(empty_app()), "_G");
  if (!app) return tl::unexpected(app.error());
  const auto spec = list(*host::make_spec_unit(empty_app(), "spec/lint_spec.lua"), "_G");
  if (!spec) return tl::unexpected(spec.error());
  const auto api = list(*host::make_unit(empty_app()), "gw");
  if (!api) return tl::unexpected(api.error());
  return KnownNames{*app, *spec, *api};
}

std::string luacheck_config(const KnownNames& names) {
  return fmt::format(
      "-- What luacheck needs to know of godwit: the globals that scripts have, and those of specs.\n"
      "stds.godwit = {{\n  read_globals = {{\n{}  }},\n}}\n\nstds.godwit_spec = {{\n  read_globals = {{\n{}  "
      "}},\n}}\n\n"
      "std = \"godwit\"\nallow_defined_top = true\nmax_line_length = false\nexclude_files = "
      "{{\".godwit\"}}\nunused_args = false\nfiles[\"spec\"].std = "
      "\"godwit_spec\"\n",
      std_of(names.app), std_of(names.spec));
}

}  // namespace godwit::app
