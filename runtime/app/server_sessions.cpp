#include "app/server_sessions.h"

#include <charconv>

#include "app/config/identity_files.h"

namespace godwit::app {
namespace {

constexpr size_t kPageMax = 1000;

std::optional<host::SessionKey> parse_key(std::string_view text) {
  host::SessionKey key = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(key) : std::nullopt;
}

admin::SessionView view_of(const host::SessionInfo& info) {
  return {info.key, info.client_id, info.uid, info.address, info.worker, info.connected_unix_us};
}

}  // namespace

std::vector<host::SessionInfo> ServerSessions::find(const admin::SessionQuery& query) const {
  if (query.by.empty()) return directory_.list({.after = query.after, .limit = std::min(query.limit, kPageMax)});
  std::vector<host::SessionKey> keys;
  if (query.by == "uid") keys = directory_.sessions_of(query.name);
  if (query.by == "client") {
    if (const auto key = directory_.session_of(query.name)) keys.push_back(*key);
  }
  if (query.by == "session") {
    if (const auto key = parse_key(query.name)) keys.push_back(*key);
  }
  std::vector<host::SessionInfo> found;
  for (const host::SessionKey key : keys) {
    if (auto info = directory_.find(key)) found.push_back(std::move(*info));
  }
  return found;
}

std::vector<admin::SessionView> ServerSessions::list(const admin::SessionQuery& query) const {
  std::vector<admin::SessionView> views;
  for (const host::SessionInfo& info : find(query)) views.push_back(view_of(info));
  return views;
}

Result<size_t> ServerSessions::kick(const admin::SessionQuery& query) {
  size_t ended = 0;
  for (const host::SessionInfo& info : find(query)) {
    const Status asked = workers_.front()->services().close(info.key, Code::kForbidden, "ended by an operator");
    // It may have gone by itself.
    if (!asked && asked.error().code != Code::kStaleHandle) return tl::unexpected(asked.error());
    ended += asked.has_value();
  }
  return ended;
}

Result<bool> ServerSessions::revoke(const admin::SessionQuery& query) {
  const auto what = parse_revoked(query.by);
  if (!what || query.name.empty() || query.name.find('\n') != std::string::npos)
    return fail(Code::kUsageInvalid, "revoked are a uid, a client or a token");
  auto kept = identities_.revoke({*what, query.name});
  end_revoked();
  return kept;
}

void ServerSessions::end_revoked() {
  for (const auto& worker : workers_) {
    Worker* one = worker.get();
    const bool posted = one->loop().post([this, one] { one->core().end_revoked(identities_.revocations()); });
    if (!posted)
      log_.error("a worker's mailbox is full; sessions of revoked users live on", {{"worker", one->index()}});
  }
}

}  // namespace godwit::app
