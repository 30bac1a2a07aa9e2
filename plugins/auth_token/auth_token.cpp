#include <godwit/plugin.hpp>

#include <map>
#include <vector>

namespace {

struct Entry {
  std::string token;
  std::string uid;
};

/// Takes as long for a wrong first byte as for a wrong last one.
bool same_secret(std::string_view given, std::string_view known) {
  unsigned difference = given.size() != known.size();
  for (size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i] ^ known[known.empty() ? 0 : i % known.size()]);
  return difference == 0;
}

/// Lets clients in by tokens that stand in the configuration, each belonging to a uid.
class AuthToken {
 public:
  explicit AuthToken(godwit::plugin::Host host) {
    std::map<std::string, Entry> entries;
    host.each_value([&](std::string_view key, const gw_value& value) {
      const size_t dot = key.rfind('.');
      const std::string_view leaf = key.substr(dot + 1);
      if (!key.starts_with("users.") || (leaf != "uid" && leaf != "token") || value.type != GW_VALUE_TEXT)
        throw godwit::plugin::Failure(
            GW_ERROR_ARGUMENT_INVALID,
            "config." + std::string(key) + ": expected users = [{uid = \"…\", token = \"…\"}]");
      Entry& entry = entries[std::string(key.substr(0, dot))];
      (leaf == "uid" ? entry.uid : entry.token) = godwit::plugin::view(value.text);
    });
    for (auto& [place, entry] : entries) take(place, std::move(entry));
    if (entries_.empty()) throw godwit::plugin::Failure(GW_ERROR_ARGUMENT_INVALID, "config.users names nobody");
  }

  /// All entries are compared, so that the time does not tell which one was near.
  std::optional<std::string> authenticate(const gw_credentials& credentials) const {
    const std::string_view given = godwit::plugin::view(credentials.token);
    const std::string_view claimed = godwit::plugin::view(credentials.uid);
    if (given.empty()) return std::nullopt;
    const Entry* found = nullptr;
    for (const Entry& entry : entries_) {
      if (same_secret(given, entry.token) && !found) found = &entry;
    }
    if (!found) return std::nullopt;
    if (!claimed.empty() && claimed != found->uid) throw godwit::plugin::Failure(GW_ERROR_UNAUTHENTICATED);
    return found->uid;
  }

 private:
  static constexpr size_t kTokenBytesMin = 16;  ///< shorter ones can be guessed

  void take(const std::string& place, Entry entry) {
    if (entry.uid.empty() || entry.token.size() < kTokenBytesMin)
      throw godwit::plugin::Failure(GW_ERROR_ARGUMENT_INVALID,
                                    "config." + place + ": expected a uid, and a token of 16 bytes or more");
    entries_.push_back(std::move(entry));
  }

  std::vector<Entry> entries_;
};

}  // namespace

GW_PLUGIN_CLASS(AuthToken, .name = "auth_token", .version = "1.0.0", .license = "GPL-3.0-or-later",
                .author = "the godwit project", .description = "Lets clients in by tokens of the configuration.")
