#include <godwit/plugin.hpp>

namespace {

/// Looks actions up without a prefix: "v1.chat.say" is handled by whoever is bound to "chat.say".
class RoutePrefix {
 public:
  explicit RoutePrefix(godwit::plugin::Host host)
      : strip_(with_dot(host.text("strip", ""))), add_(with_dot(host.text("add", ""))) {
    if (strip_.empty() && add_.empty())
      throw godwit::plugin::Failure(GW_ERROR_ARGUMENT_INVALID, "set config.strip, config.add, or both");
  }

  std::string route(int, std::string_view action) const {
    if (!action.starts_with(strip_) || action.size() == strip_.size()) return std::string(action);
    return add_ + std::string(action.substr(strip_.size()));
  }

 private:
  static std::string with_dot(std::string prefix) {
    if (!prefix.empty() && prefix.back() != '.') prefix += '.';
    return prefix;
  }

  const std::string strip_;
  const std::string add_;
};

}  // namespace

GW_PLUGIN_CLASS(RoutePrefix, .name = "route_prefix", .version = "1.0.0", .license = "GPL-3.0-or-later",
                .author = "the godwit project", .description = "Takes a prefix from actions, or puts one before them.")
