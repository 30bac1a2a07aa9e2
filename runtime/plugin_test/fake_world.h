#pragma once

#include <godwit/plugin_test.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace godwit::plugin_test {

/// Something that the plugin has sent, with what its public face points to.
struct Sent {
  gw_test_sent face{};
  std::string group;
  std::string action;
  std::string body;
  gw_on_reply done = nullptr;
  void* argument = nullptr;
};

/// What is around the instances of a plugin and outlives them: sessions, groups, named values.
struct FakeWorld {
  struct Kept {
    std::string bytes;
    bool is_number = false;
    uint64_t version = 0;
    int64_t expires_ns = GW_NEVER;
  };
  using Values = std::map<std::string, Kept, std::less<>>;
  struct Session {
    std::string client_id;
    std::string uid;
    Values attributes;
    std::set<std::string, std::less<>> groups;
  };

  /// Null: there is none, or it has expired.
  static Kept* find(Values& values, std::string_view key, int64_t now_ns);
  Kept& put(Values& values, std::string_view key, std::string_view bytes, int64_t ttl_ns, int64_t now_ns);
  Session* find(gw_session session);
  Sent& keep(gw_session session, std::string_view group, gw_session except, int kind, const gw_outgoing& message);

  std::map<gw_session, Session> sessions;
  Values kv;
  uint64_t last_version = 0;
  std::deque<std::unique_ptr<Sent>> sent;
};

/// Fills in the tables for sessions, groups and named values.
void set_service_tables(gw_host& host);

}  // namespace godwit::plugin_test
