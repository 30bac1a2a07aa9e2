#include "app/config/diff.h"

#include <fmt/format.h>

#include "app/config/value_text.h"

namespace godwit::app {
namespace {

std::vector<Change>& list_for(ReloadClass reload, ConfigDiff& diff) {
  switch (reload) {
    case ReloadClass::kLive: return diff.applied;
    case ReloadClass::kNewConnections: return diff.for_new_connections;
    case ReloadClass::kRestart: break;
  }
  return diff.needs_restart;
}

/// Fields of the same key hold the same alternative.
void copy_field(const Key& key, const Config& from, Config& to) {
  const Field source = field_of(key, from);
  std::visit(
      [&](auto target) {
        const auto value = std::get<decltype(target)>(source);
        if constexpr (std::is_same_v<decltype(target), ByteCount>)
          *target.bytes = *value.bytes;
        else if constexpr (std::is_same_v<decltype(target), Choice>)
          *target.index = *value.index;
        else
          *target = *value;
      },
      key.field(to));
}

void describe_list(const std::vector<Change>& changes, std::string_view outcome, std::string& out) {
  for (const Change& change : changes) {
    out += fmt::format("{}: {} -> {} ({})\n", change.key->full_name(), change.before, change.after, outcome);
  }
}

}  // namespace

ConfigDiff diff_configs(const Config& before, const Config& after) {
  ConfigDiff diff;
  for (const Key& key : all_keys()) {
    Change change{&key, toml_value(key, before), toml_value(key, after)};
    if (change.before != change.after) list_for(key.reload, diff).push_back(std::move(change));
  }
  return diff;
}

Config after_reload(const Config& running, const Config& wanted) {
  Config result = wanted;
  for (const Key& key : all_keys()) {
    if (key.reload == ReloadClass::kRestart) copy_field(key, running, result);
  }
  return result;
}

std::string describe(const ConfigDiff& diff) {
  std::string out;
  describe_list(diff.applied, "applied", out);
  describe_list(diff.for_new_connections, "for new connections", out);
  describe_list(diff.needs_restart, "needs a restart", out);
  return out.empty() ? "nothing changed\n" : out;
}

}  // namespace godwit::app
