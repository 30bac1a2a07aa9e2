#include "app/config/rules.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/units.h"
#include "port/address.h"

namespace godwit::app {
namespace {

using Violations = std::vector<Violation>;

const Key* key_of(std::string_view section, std::string_view name) {
  const Key* key = find_key(section, name);
  GW_CHECK(key != nullptr);
  return key;
}

void check_tls(const TlsSection& tls, Violations& out) {
  const Key* certificate = key_of("tls", "certificate");
  const Key* key = key_of("tls", "key");
  if (tls.certificate.empty() && !tls.key.empty()) out.push_back({{key}, "a key needs tls.certificate as well"});
  if (!tls.certificate.empty() && tls.key.empty())
    out.push_back({{certificate}, "a certificate needs tls.key as well"});
  if (tls.client_auth != TlsSection::ClientAuth::kNone && tls.client_ca.empty()) {
    out.push_back({{key_of("tls", "client_auth")}, "certificates are checked against tls.client_ca, which is empty"});
  }
}

void check_window(std::string_view name, uint64_t first, uint64_t last, Violations& out) {
  if (last == 0 || last >= first) return;
  out.push_back(
      {{key_of("quic", fmt::format("{}_max", name)), key_of("quic", name)},
       fmt::format("expected 0, or at least quic.{} ({}), got {}", name, format_bytes(first), format_bytes(last))});
}

void check_quic(const QuicSection& quic, Violations& out) {
  check_window("stream_window", quic.stream_window_bytes, quic.stream_window_bytes_max, out);
  check_window("conn_window", quic.connection_window_bytes, quic.connection_window_bytes_max, out);
  if (quic.half_open_retry > quic.half_open_max) {
    out.push_back(
        {{key_of("quic", "half_open_retry"), key_of("quic", "half_open_max")},
         fmt::format("expected at most quic.half_open_max ({}), got {}", quic.half_open_max, quic.half_open_retry)});
  }
  if (quic.keep_alive != Duration::zero() && quic.keep_alive >= quic.idle_timeout) {
    out.push_back({{key_of("quic", "keep_alive"), key_of("quic", "idle_timeout")},
                   fmt::format("expected less than quic.idle_timeout ({}), got {}", format_duration(quic.idle_timeout),
                               format_duration(quic.keep_alive))});
  }
}

void check_session(const Config& config, Violations& out) {
  const SessionSection& session = config.session;
  const Duration silence = session.heartbeat_interval * session.heartbeat_timeout_count;
  if (silence >= config.quic.idle_timeout) {
    out.push_back({{key_of("session", "heartbeat_interval"), key_of("session", "heartbeat_timeout_count"),
                    key_of("quic", "idle_timeout")},
                   fmt::format("times heartbeat_timeout_count it is {}, expected less than quic.idle_timeout ({})",
                               format_duration(silence), format_duration(config.quic.idle_timeout))});
  }
  if (session.outbox_bytes_max < config.message.inline_max) {
    out.push_back({{key_of("session", "outbox_bytes_max"), key_of("message", "inline_max")},
                   fmt::format("expected at least message.inline_max ({}), got {}",
                               format_bytes(config.message.inline_max), format_bytes(session.outbox_bytes_max))});
  }
}

void check_message(const MessageSection& message, Violations& out) {
  const auto check_room = [&](std::string_view name, uint64_t bytes) {
    if (bytes >= message.inline_max) return;
    out.push_back({{key_of("message", name), key_of("message", "inline_max")},
                   fmt::format("expected at least message.inline_max ({}), got {}", format_bytes(message.inline_max),
                               format_bytes(bytes))});
  };
  check_room("arriving_max", message.arriving_bytes_max);
  check_room("dispatch_queue_bytes", message.dispatch_queue_bytes_max);
}

void check_store(const Config& config, Violations& out) {
  if (config.store.engine != StoreSection::Engine::kPlugin) return;
  const Key* engine = key_of("store", "engine");
  if (config.store.plugin.empty()) out.push_back({{engine}, "\"plugin\" needs store.plugin, the name of one"});
  if (config.plugins.paths.empty()) out.push_back({{engine}, "\"plugin\" needs plugins.paths, which is empty"});
}

void check_auth(const AuthSection& auth, Violations& out) {
  if (auth.mode == AuthSection::Mode::kToken && auth.tokens_file.empty()) {
    out.push_back({{key_of("auth", "mode")}, "\"token\" needs auth.tokens_file"});
  }
  if (auth.mode == AuthSection::Mode::kSigned && auth.keys_file.empty()) {
    out.push_back({{key_of("auth", "mode")}, "\"signed\" needs auth.keys_file"});
  }
}

void check_admin(const AdminSection& admin, Violations& out) {
  const auto address = SocketAddress::parse(admin.http);
  if (!address || address->is_loopback()) return;
  out.push_back(
      {{key_of("admin", "http")},
       fmt::format("expected a loopback address or \"off\", because the admin plane asks nobody who he is, got {}",
                   admin.http)});
}

}  // namespace

Violations check_rules_of(const Config& config) {
  Violations out;
  if (config.session.durable && config.store.engine != StoreSection::Engine::kDurable) {
    out.push_back({{key_of("session", "durable")}, "needs store.engine = \"durable\""});
  }
  check_tls(config.tls, out);
  check_quic(config.quic, out);
  check_session(config, out);
  check_message(config.message, out);
  check_auth(config.auth, out);
  check_store(config, out);
  check_admin(config.admin, out);
  return out;
}

}  // namespace godwit::app
