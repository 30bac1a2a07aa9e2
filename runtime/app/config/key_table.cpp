#include "app/config/key.h"
#include "base/limits.h"

namespace godwit::app {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kGiB = 1024 * kMiB;

constexpr ReloadClass kLive = ReloadClass::kLive;
constexpr ReloadClass kNew = ReloadClass::kNewConnections;
constexpr ReloadClass kRestart = ReloadClass::kRestart;

constexpr Range kSomePath(1, 4095);  ///< bytes: not none, and what Linux takes
constexpr std::string_view kClientAuthNames[] = {"none", "request", "require"};
constexpr std::string_view kCongestionNames[] = {"cubic", "bbr"};
constexpr std::string_view kAuthModeNames[] = {"none", "token", "plugin", "lua", "signed"};
constexpr std::string_view kOverflowNames[] = {"reject", "drop_oldest", "disconnect"};
constexpr std::string_view kActivityNames[] = {"anything", "messages"};
constexpr std::string_view kReloadNames[] = {"watch", "manual"};
constexpr std::string_view kEngineNames[] = {"memory", "durable", "plugin"};
constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::string_view kFormatNames[] = {"text", "json"};

/// Names stand in the order of the enumerators, which count from 0.
template <typename Enum>
Choice choice(Enum& value, std::span<const std::string_view> names) {
  static_assert(sizeof(Enum) == 1);
  return {reinterpret_cast<uint8_t*>(&value), names};
}

constexpr Section kSections[] = {
    {"server", "The process: where it listens, its threads, how it ends."},
    {"tls", "The certificate that the server shows, and what it asks of clients."},
    {"quic", "The transport: flow control, packet sizes, and the defence of the handshake."},
    {"session", "What outlives a connection: heartbeats, and the bounds of a session's queues."},
    {"message", "Single messages: sizes, deadlines, and the queue in front of the handlers."},
    {"auth", "Who may come in."},
    {"scripts",
     "Apps written in Lua, and their limits; new limits hold from the next load of an app on. [app.NAME] is about one "
     "of "
     "them: memory_max, burst_max, load_timeout, handler_timeout, cpu_max, coroutines_max and http_allow of its own, "
     "trust "
     "(\"sandbox\", or "
     "\"trusted\": files, processes and C modules, with the rights of the server); its own settings, which it finds in "
     "gw.config, stand in [app.NAME.config]."},
    {"app", "One app each: [app.NAME]."},
    {"plugins",
     "Handlers, routers and authenticators as shared objects. [plugins.NAME] is about one of them: enabled (true), "
     "optional (false: the server does not start without it), sha256 (of the only file that is loaded; \"\" = any), "
     "unload (\"never\", or \"drained\" where the plugin "
     "allows it); its own settings stand in [plugins.NAME.config]."},
    {"offline", "Events for users who are away, where who sends them asks for that; in memory."},
    {"kv", "What apps keep in gw.kv, on all workers together; in memory, for the life of the process."},
    {"store", "What must outlive its writer: the outcomes of gw.once and of commands with an idempotency key."},
    {"operations", "What is executed once: gw.once, and commands with an idempotency key. Kept in the store."},
    {"admin", "The admin plane: health and metrics over HTTP."},
    {"log", "What is logged, and where to."},
};

// AT spells where a key's value lives; IN the same for bytes.
#define AT(member) [](Config& config) -> Field { return &config.member; }
#define IN_BYTES(member) [](Config& config) -> Field { return ByteCount{&config.member}; }
#define ONE_OF(member, names) [](Config& config) -> Field { return choice(config.member, names); }

constexpr Key kKeys[] = {
    {"server", "listen", AT(server.listen), kRestart, Range(1, 16), Form::kAddress,
     "Where QUIC is served: one address or a list of them. Port 0 takes any free port."},
    {"server", "workers", AT(server.workers), kRestart, Range(0, 256), Form::kAny,
     "Threads, each with a loop, a socket and sessions of its own. 0 = one per core."},
    {"server", "data_dir", AT(server.data_dir), kRestart, kSomePath, Form::kAny,
     "Folder for what the server makes itself, such as the certificate of serve --dev."},
    {"server", "busy_poll", AT(server.busy_poll), kRestart, Range(0s, 1s), Form::kAny,
     "How long a loop polls before it sleeps, only after recent traffic. 0 = off. 20us to 50us takes the wake-up of a "
     "thread out of the latency, at the price of its core."},
    {"server", "drain_timeout", AT(server.drain_timeout), kLive, Range(0s, 1h), Form::kAny,
     "How long a stopping server waits for the answers of what is in flight."},
    {"server", "receive_buffer", IN_BYTES(server.receive_buffer), kRestart, Range(64 * kKiB, kGiB), Form::kAny,
     "Wanted of the kernel for each socket, so that bursts are not lost; it grants up to net.core.rmem_max."},
    {"server", "send_buffer", IN_BYTES(server.send_buffer), kRestart, Range(64 * kKiB, kGiB), Form::kAny,
     "Wanted of the kernel for each socket; it grants up to net.core.wmem_max."},

    {"tls", "certificate", AT(tls.certificate), kNew, Range(), Form::kAny,
     "Chain in PEM, leaf first; P-256 or Ed25519 keeps handshakes cheap. \"\" = none, then only serve --dev starts."},
    {"tls", "key", AT(tls.key), kNew, Range(), Form::kAny, "Private key of the certificate, in PEM."},
    {"tls", "client_ca", AT(tls.client_ca), kNew, Range(), Form::kAny,
     "Authorities, in PEM, whose client certificates are accepted."},
    {"tls", "client_auth", ONE_OF(tls.client_auth, kClientAuthNames), kNew, Range(), Form::kAny,
     "Whether clients show a certificate: not asked for, asked for, or required."},
    {"tls", "tickets", AT(tls.tickets), kNew, Range(), Form::kAny,
     "Clients that come back begin with a ticket instead of the certificate. Sealed under keys that change every 24 h, "
     "of which three are kept; never with early data, and never where client_auth asks for certificates."},

    {"quic", "idle_timeout", AT(quic.idle_timeout), kNew, Range(1s, 1h), Form::kAny,
     "Silence that ends a connection. Longer than heartbeat_interval times heartbeat_timeout_count of [session], so "
     "that the heartbeat finds a dead peer first."},
    {"quic", "handshake_timeout", AT(quic.handshake_timeout), kNew, Range(100ms, 1min), Form::kAny,
     "First packet to confirmed handshake. Frees the slots of peers that stall."},
    {"quic", "max_streams_bidi", AT(quic.max_streams_bidi), kNew, Range(1, 100'000), Form::kAny,
     "Bidirectional streams that a peer may have open at one time."},
    {"quic", "max_streams_uni", AT(quic.max_streams_uni), kNew, Range(2, 100'000), Form::kAny,
     "Unidirectional streams that a peer may have open at one time: its medium messages in flight."},
    {"quic", "stream_window", IN_BYTES(quic.stream_window_bytes), kNew, Range(16 * kKiB, kGiB), Form::kAny,
     "What a peer may send on one stream before it is read, at first."},
    {"quic", "stream_window_max", IN_BYTES(quic.stream_window_bytes_max), kNew, Range(0, kGiB), Form::kAny,
     "Up to where stream_window grows for fast, long paths. 0 = it does not grow."},
    {"quic", "new_stream_window", IN_BYTES(quic.new_stream_window_bytes), kNew, Range(64 * kKiB, kGiB), Form::kAny,
     "What a peer may send on a unidirectional stream (but for its first) before there is room for its message, which "
     "message.arriving_max bounds. Larger bodies cost a round trip more."},
    {"quic", "conn_window", IN_BYTES(quic.connection_window_bytes), kNew, Range(16 * kKiB, kGiB), Form::kAny,
     "What a peer may send on all streams together before it is read, at first: memory per connection."},
    {"quic", "conn_window_max", IN_BYTES(quic.connection_window_bytes_max), kNew, Range(0, kGiB), Form::kAny,
     "Up to where conn_window grows. 0 = it does not grow."},
    {"quic", "cc", ONE_OF(quic.congestion_control, kCongestionNames), kNew, Range(), Form::kAny,
     "Congestion control. bbr holds its rate on paths that lose packets without being full."},
    {"quic", "max_udp_payload", AT(quic.max_udp_payload_bytes), kNew, Range(1200, limits::kDatagramBytesMax),
     Form::kAny, "Bytes of the largest packet. 1452 fits Ethernet with IPv6; more helps on loopback and jumbo frames."},
    {"quic", "pmtud", AT(quic.pmtud), kNew, Range(), Form::kAny,
     "Whether larger packets, up to max_udp_payload, are probed for; otherwise they stay at 1200 bytes."},
    {"quic", "max_datagram_frame", AT(quic.max_datagram_frame_bytes), kNew, Range(0, 65'535), Form::kAny,
     "Bytes of the largest QUIC datagram (unreliable events) taken in. 0 = none."},
    {"quic", "keep_alive", AT(quic.keep_alive), kNew, Range(0s, 1h), Form::kAny,
     "Interval of the server's own pings. 0 = none: clients send heartbeats."},
    {"quic", "version2", AT(quic.version2), kNew, Range(), Form::kAny, "Whether QUIC version 2 (RFC 9369) is offered."},
    {"quic", "qlog_dir", AT(quic.qlog_dir), kNew, Range(), Form::kAny,
     "Folder for one qlog trace per connection. \"\" = off; it costs speed and disk."},
    {"quic", "qlog_max", IN_BYTES(quic.qlog_bytes_max), kNew, Range(kKiB, kGiB), Form::kAny,
     "Where the trace of one connection stops."},
    {"quic", "connections_max", AT(quic.connections_max), kNew, Range(1, 10'000'000), Form::kAny,
     "Connections of one worker; above, new ones are refused."},
    {"quic", "half_open_max", AT(quic.half_open_max), kNew, Range(1, 1'000'000), Form::kAny,
     "Handshakes of one worker at one time; above, new ones are refused."},
    {"quic", "half_open_retry", AT(quic.half_open_retry), kNew, Range(0, 1'000'000), Form::kAny,
     "Handshakes of one worker from which on a peer must prove its address first (Retry). 0 = always."},
    {"quic", "half_open_per_prefix_max", AT(quic.half_open_per_prefix_max), kNew, Range(1, 1'000'000), Form::kAny,
     "Handshakes at one time from one network (/24 of IPv4, /56 of IPv6); loopback is exempt."},
    {"quic", "retry_token_lifetime", AT(quic.retry_token_lifetime), kNew, Range(1s, 10min), Form::kAny,
     "How long the proof of an address by Retry holds. Short, because it can be replayed from that address."},
    {"quic", "stateless_resets_per_s", AT(quic.stateless_resets_per_s), kNew, Range(0, 1'000'000), Form::kAny,
     "Answers to packets of unknown connections, per second and worker. 0 = none."},
    {"quic", "version_negotiations_per_s", AT(quic.version_negotiations_per_s), kNew, Range(0, 1'000'000), Form::kAny,
     "Answers to packets of unknown versions, per second and worker. 0 = none."},

    {"session", "heartbeat_interval", AT(session.heartbeat_interval), kNew, Range(100ms, 1h), Form::kAny,
     "How often clients are told to ping."},
    {"session", "heartbeat_timeout_count", AT(session.heartbeat_timeout_count), kNew, Range(1, 100), Form::kAny,
     "Silence for so many intervals ends the connection."},
    {"session", "login_timeout", AT(session.login_timeout), kNew, Range(100ms, 1min), Form::kAny,
     "Handshake to Hello. Frees the slots of peers that connect and say nothing."},
    {"session", "max_clients", AT(session.max_clients), kLive, Range(1, 10'000'000), Form::kAny,
     "Sessions of all workers together; above, a Hello is refused."},
    {"session", "outbox_messages_max", AT(session.outbox_messages_max), kNew, Range(1, 1'000'000), Form::kAny,
     "Messages sent to one session and not yet acknowledged."},
    {"session", "outbox_bytes_max", IN_BYTES(session.outbox_bytes_max), kNew, Range(64 * kKiB, 4 * kGiB), Form::kAny,
     "Bytes of those messages: the memory that one slow client can hold."},
    {"session", "overflow", ONE_OF(session.overflow, kOverflowNames), kNew, Range(), Form::kAny,
     "What becomes of an event for a session that is full. reject: its sender is told. drop_oldest: it waits for room, "
     "with as many others as the outbox holds, of which the oldest go. disconnect: the session ends."},
    {"session", "holdback_messages_max", AT(session.holdback_messages_max), kNew, Range(1, 1'000'000), Form::kAny,
     "Messages of one session that arrived before one they must follow."},
    {"session", "holdback_bytes_max", IN_BYTES(session.holdback_bytes_max), kNew, Range(64 * kKiB, 4 * kGiB),
     Form::kAny, "Bytes of those messages."},
    {"session", "ack_delay", AT(session.ack_delay), kNew, Range(0s, 10s), Form::kAny,
     "How long an acknowledgement waits for others to share its frame."},
    {"session", "ack_every", AT(session.ack_every), kNew, Range(1, 10'000), Form::kAny,
     "After so many messages an acknowledgement is sent at once."},
    {"session", "ack_timeout", AT(session.ack_timeout), kNew, Range(100ms, 1h), Form::kAny,
     "Nothing at all acknowledged for so long, ack_retries times over, ends the connection; its session can be "
     "resumed."},
    {"session", "ack_retries", AT(session.ack_retries), kNew, Range(1, 1000), Form::kAny,
     "How often ack_timeout may pass."},
    {"session", "durable", AT(session.durable), kRestart, Range(), Form::kAny,
     "Sessions, and the events that handlers send with `durable`, outlive the death of the process: they are written "
     "to "
     "the store before anybody is told that they are accepted. Needs store.engine = \"durable\"; costs each new "
     "session a "
     "write."},
    {"session", "resume_window", AT(session.resume_window), kNew, Range(0s, 24h), Form::kAny,
     "A session whose connection was lost is kept for so long, with all that is not acknowledged; 0 ends it at once."},
    {"session", "idle_timeout", AT(session.idle_timeout), kLive, Range(0s, 24h), Form::kAny,
     "A session that has a connection and is idle for so long ends, at most 30 s later. 0 = never."},
    {"session", "activity", ONE_OF(session.activity, kActivityNames), kLive, Range(), Form::kAny,
     "What keeps a session from being idle. anything: whatever its client sends, heartbeats as well. messages: only "
     "messages, in either direction."},

    {"message", "inline_max", IN_BYTES(message.inline_max), kRestart, Range(kKiB, limits::kInlineBodyBytesMax),
     Form::kAny, "The largest body of one message; it is held in memory whole."},
    {"message", "arriving_max", IN_BYTES(message.arriving_bytes_max), kNew, Range(64 * kKiB, 4 * kGiB), Form::kAny,
     "Bodies that one connection is sending on streams of their own at one time; further ones are held by flow "
     "control. "
     "16MiB lets sixteen of the largest arrive side by side."},
    {"message", "default_timeout", AT(message.default_timeout), kLive, Range(1ms, 24h), Form::kAny,
     "The deadline of requests that name none."},
    {"message", "promise_max", AT(message.promise_max), kRestart, Range(1, 10'000'000), Form::kAny,
     "Replies and awaited acknowledgements of one worker at one time."},
    {"message", "promise_warn_ratio", AT(message.promise_warn_ratio), kRestart, Range(), Form::kAny,
     "The share of promise_max from which on the log warns."},
    {"message", "dispatch_queue", AT(message.dispatch_queue), kLive, Range(1, 1'000'000), Form::kAny,
     "Messages of one worker that wait for a handler; above, they are answered with DispatcherFull."},
    {"message", "dispatch_queue_bytes", IN_BYTES(message.dispatch_queue_bytes_max), kLive, Range(64 * kKiB, 64 * kGiB),
     Form::kAny,
     "Bytes of those messages, from which on further ones are answered with DispatcherFull: the memory that slow "
     "handlers "
     "cost one worker. 64MiB is the whole queue of messages of 64KiB."},
    {"message", "turn_budget", AT(message.turn_budget), kLive, Range(1ms, 1s), Form::kAny,
     "How long a loop runs handlers before it looks at the network again."},

    {"auth", "mode", ONE_OF(auth.mode, kAuthModeNames), kRestart, Range(), Form::kAny,
     "none: clients are who they say they are, or their certificate says. token: a client shows a token of "
     "tokens_file, which says who it is. signed: one that a key of keys_file signed (godwit token make), which says "
     "who "
     "it is, for how long, and what it may do. "
     "plugin: the plugins that decide who may come in are asked; lua: the apps that do (gw.authenticate). Without one "
     "nobody comes in."},
    {"auth", "tokens_file", AT(auth.tokens_file), kRestart, Range(), Form::kAny,
     "TOML file with a table [tokens] of \"token\" = \"uid\"; mode 0600 or 0640."},
    {"auth", "keys_file", AT(auth.keys_file), kLive, Range(), Form::kAny,
     "TOML file with a table [keys] of \"id\" = \"secret\" (32 bytes and more), which sign tokens; mode 0600 or 0640. "
     "Read again with the configuration: a new key is added to all servers, then used, then the old one is removed."},
    {"auth", "rights_file", AT(auth.rights_file), kLive, Range(), Form::kAny,
     "TOML file with a table [uid.NAME] for each user, \"*\" for everybody else: groups, actions (patterns such as "
     "\"command/chat.*\"; none: all), body_max, sessions_max. Adds to what credentials say; of two bounds the smaller "
     "holds. Read again with the configuration, for new sessions and such that are resumed."},
    {"auth", "revoked_file", AT(auth.revoked_file), kLive, Range(), Form::kAny,
     "Who is no longer let in, a line each: `uid NAME`, `client NAME` or `token ID`. `godwit session revoke` adds to "
     "it; "
     "read again with the configuration. Live sessions of whom it names end."},

    {"scripts", "paths", AT(scripts.paths), kRestart, Range(0, 64), Form::kAny,
     "Apps (folders with a main.lua), or folders of apps."},
    {"scripts", "reload", ONE_OF(scripts.reload, kReloadNames), kRestart, Range(), Form::kAny,
     "watch: a saved file is loaded at once. manual: on SIGHUP and `godwit reload` only."},
    {"scripts", "memory_max", IN_BYTES(scripts.memory_max), kLive, Range(kMiB, 64 * kGiB), Form::kAny,
     "Memory of one app on one worker; beyond, allocation fails inside the script."},
    {"scripts", "burst_max", AT(scripts.burst_max), kLive, Range(1ms, 1min), Form::kAny,
     "The longest run of a handler; then it is ended, because it holds up the whole worker."},
    {"scripts", "cpu_max", AT(scripts.cpu_max), kLive, Range(1ms, 1h), Form::kAny,
     "Processor time of a handler or task after it first waited, over all its runs; then it is ended."},
    {"scripts", "load_timeout", AT(scripts.load_timeout), kLive, Range(10ms, 5min), Form::kAny,
     "The longest run of a script while it loads."},
    {"scripts", "handler_timeout", AT(scripts.handler_timeout), kLive, Range(1ms, 24h), Form::kAny,
     "The longest that a handler may take in all, waiting included; then its message fails. A generation that was "
     "replaced may finish what it began for so long."},
    {"scripts", "coroutines_max", AT(scripts.coroutines_max), kLive, Range(1, 1'000'000), Form::kAny,
     "Handlers and tasks of one app on one worker that may wait at one time."},
    {"scripts", "debounce", AT(scripts.debounce), kRestart, Range(0s, 1min), Form::kAny,
     "Quiet time after a save before the app is loaded, so that several saved files are one reload."},
    {"scripts", "pause_max", AT(scripts.pause_max), kLive, Range(1ms, 30s), Form::kAny,
     "How long messages may wait while an app that hands its state to its next version comes to rest; then the reload "
     "fails."},
    {"scripts", "probation", AT(scripts.probation), kLive, Range(0s, 24h), Form::kAny,
     "How long the version before is kept ready after a reload, to take over again by itself. 0 = not at all."},
    {"scripts", "rollback_errors", AT(scripts.rollback_errors), kLive, Range(1, 1'000'000'000), Form::kAny,
     "Errors of a version on probation from which on it may be rolled back ..."},
    {"scripts", "rollback_factor", AT(scripts.rollback_factor), kLive, Range(1, 100), Form::kAny,
     "... when they are so many times as frequent as those of the version before, which counts as 1 % at least."},
    {"scripts", "rollback_timeouts", AT(scripts.rollback_timeouts), kLive, Range(1, 1'000'000'000), Form::kAny,
     "Handlers that ran too long on probation from which on the same happens, because each of them holds up a worker."},
    {"scripts", "drain_timeout", AT(scripts.drain_timeout), kLive, Range(0s, 24h), Form::kAny,
     "How long what waits in a version that was replaced may go on; then its senders are told to send again."},
    {"scripts", "http_allow", AT(scripts.http_allow), kLive, Range(0, 256), Form::kAny,
     "Hosts that gw.http.request may ask: \"api.example.com\", \"*.example.com\" (what is below it), \"*\"; with a "
     "port "
     "where it is not that of http or https: \"api.example.com:8443\"."},
    {"scripts", "http_private", AT(scripts.http_private), kLive, Range(0, 256), Form::kAny,
     "Networks whose addresses those hosts may have beyond public ones: \"10.1.0.0/16\", \"127.0.0.1/32\". Without, "
     "loopback, private, link-local and metadata addresses are refused, whatever a name leads to."},
    {"scripts", "http_requests_max", AT(scripts.http_requests_max), kLive, Range(1, 10'000), Form::kAny,
     "Requests of one app that may be under way at one time, on all workers together."},

    {"plugins", "paths", AT(plugins.paths), kRestart, Range(0, 64), Form::kAny,
     "Plugins (files NAME.so), or folders of plugins. Files and folders belong to root or the server's user, and "
     "nobody "
     "else may write to them."},
    {"plugins", "reload", ONE_OF(plugins.reload, kReloadNames), kRestart, Range(), Form::kAny,
     "watch: a new file is loaded at once. manual: on SIGHUP and `godwit reload`, and when another file brings a "
     "reload."},
    {"plugins", "call_warn", AT(plugins.call_warn), kLive, Range(10us, 1min), Form::kAny,
     "A call into a plugin that takes so long is logged, because the whole worker waits for it."},
    {"plugins", "call_max", AT(plugins.call_max), kLive, Range(10us, 1min), Form::kAny,
     "A call that takes so long is counted as a timeout of the plugin; it cannot be ended."},
    {"plugins", "pending_max", AT(plugins.pending_max), kLive, Range(0, 10'000'000), Form::kAny,
     "Messages that one plugin may have deferred on one worker."},
    {"plugins", "work_threads", AT(plugins.work_threads), kRestart, Range(0, 256), Form::kAny,
     "Threads in which plugins and gw.work do what would hold up a worker; up to 10,000 tasks wait for them. 0 = four "
     "for "
     "each core."},

    {"offline", "ttl", AT(offline.ttl), kRestart, Range(0s, 1h), Form::kAny,
     "How long a user counts as away, and an event is kept, at most. 0 = none is."},
    {"offline", "messages_max", AT(offline.messages_max), kRestart, Range(1, 100'000), Form::kAny,
     "Events for one user; the oldest make room."},
    {"offline", "bytes_max", IN_BYTES(offline.bytes_max), kRestart, Range(kKiB, kGiB), Form::kAny,
     "Bytes of those events."},
    {"offline", "total_bytes_max", IN_BYTES(offline.total_bytes_max), kRestart, Range(64 * kKiB, 64 * kGiB), Form::kAny,
     "Bytes of the events for all users; beyond, senders are told."},

    {"kv", "entries_max", AT(kv.entries_max), kRestart, Range(1, 100'000'000), Form::kAny,
     "Entries of one app; beyond, writes are refused, because what an app relies on must not vanish."},
    {"kv", "bytes_max", IN_BYTES(kv.bytes_max), kRestart, Range(64 * kKiB, 64 * kGiB), Form::kAny,
     "Bytes of one app's entries: keys, values, and 128 for each."},

    {"store", "engine", ONE_OF(store.engine, kEngineNames), kRestart, Range(), Form::kAny,
     "memory: for the life of the process. durable: in a file that is synced before anybody hears that something is "
     "kept; it survives kill -9 and power loss. plugin: with store.plugin, as durable as that makes it."},
    {"store", "path", AT(store.path), kRestart, kSomePath, Form::kAny,
     "The file of the durable engine, below server.data_dir; with -wal and .lock there are two more beside it."},
    {"store", "plugin", AT(store.plugin), kRestart, Range(), Form::kAny,
     "The plugin, of those that plugins.paths loads, that keeps the entries where store.engine is \"plugin\"."},
    {"store", "bytes_max", IN_BYTES(store.bytes_max), kRestart, Range(kMiB, 1024 * kGiB), Form::kAny,
     "Bytes of all entries; beyond, writes are refused, because what was promised to be kept must not vanish. A plugin "
     "has its own bound."},

    {"operations", "ttl", AT(operations.ttl), kRestart, Range(1s, 30 * 24h), Form::kAny,
     "How long an outcome is kept and told again; longer than any client goes on repeating its command."},
    {"operations", "lease", AT(operations.lease), kRestart, Range(100ms, 24h), Form::kAny,
     "How long an execution counts as under way after its server died. Longer than scripts.handler_timeout, so that "
     "nothing that still runs is taken for dead."},
    {"operations", "entries_max", AT(operations.entries_max), kRestart, Range(1, 100'000'000), Form::kAny,
     "Keys that are kept at one time; beyond, new ones are refused with StoreFull."},
    {"operations", "bytes_max", IN_BYTES(operations.bytes_max), kRestart, Range(64 * kKiB, 64 * kGiB), Form::kAny,
     "Bytes of their outcomes, with 256 for each: below store.bytes_max."},

    {"admin", "http", AT(admin.http), kRestart, Range(), Form::kAddressOrOff,
     "Where /health and /metrics are served: on loopback only, because there is neither encryption nor login. Port 0 "
     "takes any free port."},
    {"admin", "socket", AT(admin.socket), kRestart, Range(), Form::kAny,
     "The unix socket that godwit script, plugin and reload talk to; only the server's own user and root get in. \"\" "
     "= "
     "admin.socket in server.data_dir, \"off\" = none."},
    {"admin", "eval", AT(admin.eval), kLive, Range(), Form::kAny,
     "Whether godwit script eval may run any code inside of an app. Each time is in the log, with who did it."},

    {"log", "level", ONE_OF(log.level, kLevelNames), kLive, Range(), Form::kAny,
     "The least severe records that are kept."},
    {"log", "format", ONE_OF(log.format, kFormatNames), kRestart, Range(), Form::kAny,
     "text for people, json for machines: one object per line."},
    {"log", "file", AT(log.file), kRestart, Range(), Form::kAny, "Where the log goes. \"\" = standard error."},
    {"log", "max_size", IN_BYTES(log.max_size), kRestart, Range(64 * kKiB, 4 * kGiB), Form::kAny,
     "The size at which a new file is begun."},
    {"log", "max_files", AT(log.max_files), kRestart, Range(1, 1000), Form::kAny,
     "Old files kept beside the one being written."},
    {"log", "modules", AT(log.modules), kLive, Range(0, 64), Form::kAny,
     "Levels of single modules, such as {quic = \"warn\"}."},
};

#undef AT
#undef IN_BYTES
#undef ONE_OF

}  // namespace

std::span<const Section> all_sections() { return kSections; }

std::span<const Key> all_keys() { return kKeys; }

}  // namespace godwit::app
