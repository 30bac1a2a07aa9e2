#ifndef GODWIT_PLUGIN_HPP
#define GODWIT_PLUGIN_HPP

#include <godwit/plugin.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/*
 * The plugin interface for C++20, on top of <godwit/plugin.h>, whose rules hold here as well. A plugin is a class:
 *
 *   class Hello {
 *    public:
 *     explicit Hello(godwit::plugin::Host host) : greeting_(host.text("greeting", "hello")) { host.bind("hello"); }
 *     void on_message(const godwit::plugin::Message& message) { message.reply(greeting_); }
 *
 *    private:
 *     std::string greeting_;
 *   };
 *   GW_PLUGIN_CLASS(Hello, .name = "hello", .version = "1.0.0", .license = "MIT")
 *
 * What the class has decides what it is: on_message makes it a handler, route a router, plan a strategy, authenticate
 * an auth plugin, which decides later when it takes a Login as well; encode and decode with the constants kContentType
 * and kHandlerType a codec; scan and apply a store; start, stop, save and restore take part in its
 * life where they are there. A strategy's constants kBodyBytesMin and kBodyBytesMax, where it has them, say which
 * bodies it plans for. An exception that leaves one of them is logged and becomes the call's failure; it never reaches
 * the server.
 */
namespace godwit::plugin {

inline gw_text plain(std::string_view text) { return {text.data(), text.size()}; }
inline gw_bytes plain_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view view(gw_text text) { return {text.data ? text.data : "", text.data ? text.size : 0}; }
inline std::string_view view(gw_bytes bytes) {
  return {bytes.data ? reinterpret_cast<const char*>(bytes.data) : "", bytes.data ? bytes.size : 0};
}

/// Thrown by what can fail here, and by plugins to fail a call with a status of their choice.
class Failure : public std::exception {
 public:
  explicit Failure(gw_status status, std::string text = {}) : status_(status), text_(std::move(text)) {}
  gw_status status() const { return status_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  gw_status status_;
  std::string text_;
};

inline void check(gw_status status, std::string_view what) {
  if (status != GW_OK) throw Failure(status, std::string(what));
}

/// How something that was begun has ended. Valid in the call that hears it.
class Reply {
 public:
  explicit Reply(const gw_reply& reply) : reply_(reply) {}
  const gw_reply& raw() const { return reply_; }
  gw_status status() const { return reply_.status; }
  bool ok() const { return reply_.status == GW_OK; }
  std::string_view text() const { return view(reply_.text); }
  std::string_view body() const { return view(reply_.body); }
  std::span<const gw_header> headers() const { return {reply_.headers, reply_.header_count}; }

 private:
  const gw_reply& reply_;
};
using OnReply = std::function<void(const Reply&)>;

/// What is sent beside action and body.
struct SendOptions {
  int64_t timeout_ns = 0;  ///< of requests; 0: the session's default
  int64_t ttl_ns = 0;      ///< 0: always worth handling
  int priority = GW_PRIORITY_NORMAL;
  bool unordered = false;
  std::span<const gw_header> headers = {};
};
inline gw_outgoing outgoing(int kind, std::string_view action, std::string_view body, const SendOptions& options) {
  gw_outgoing message{};
  message.struct_size = sizeof message;
  message.kind = static_cast<uint8_t>(kind);
  message.priority = static_cast<uint8_t>(options.priority);
  message.unordered = options.unordered;
  message.timeout_ns = options.timeout_ns;
  message.ttl_ns = options.ttl_ns;
  message.action = plain(action);
  message.body = plain_bytes(body);
  message.headers = options.headers.data();
  message.header_count = static_cast<uint32_t>(options.headers.size());
  return message;
}

/// One session of the server, on whichever worker: a value that may be kept. One that is gone answers GW_ERROR_STALE.
class Session {
 public:
  /// Failure where the server has no sessions to offer.
  Session(const gw_host* host, gw_session id) : host_(host), id_(id) {
    if (!GW_HAS(gw_host, host, sessions) || !GW_HAS(gw_host, host, groups))
      throw Failure(GW_ERROR_NOT_SUPPORTED, "no sessions");
  }
  gw_session id() const { return id_; }

  /// Its texts live until the next call.
  std::optional<gw_session_info> info() const {
    gw_session_info info{};
    info.struct_size = sizeof info;
    if (host_->sessions->info(host_, id_, &info) != GW_OK) return std::nullopt;
    return info;
  }
  /// An event. `done`, if there is one, hears that the client has it, or why not.
  gw_status send(std::string_view action, std::string_view body, OnReply done = {},
                 const SendOptions& options = {}) const {
    const gw_outgoing message = outgoing(GW_EVENT, action, body, options);
    if (!done) return host_->sessions->send(host_, id_, &message, nullptr, nullptr);
    return begin(host_->sessions->send, message, std::move(done));
  }
  /// A command, or a query; `done` hears the reply.
  gw_status request(std::string_view action, std::string_view body, OnReply done, const SendOptions& options = {},
                    int kind = GW_COMMAND) const {
    return begin(host_->sessions->request, outgoing(kind, action, body, options), std::move(done));
  }
  gw_status close(gw_status status, std::string_view text) const {
    return host_->sessions->close(host_, id_, status, plain(text));
  }
  std::optional<std::string> attribute(std::string_view name) const {
    gw_bytes value{};
    if (host_->sessions->attribute(host_, id_, plain(name), &value) != GW_OK) return std::nullopt;
    return std::string(view(value));
  }
  gw_status set_attribute(std::string_view name, std::string_view value, int64_t ttl_ns = 0) const {
    return host_->sessions->set_attribute(host_, id_, plain(name), plain_bytes(value), ttl_ns);
  }
  gw_status remove_attribute(std::string_view name) const {
    return host_->sessions->remove_attribute(host_, id_, plain(name));
  }
  gw_status join(std::string_view group) const { return host_->groups->join(host_, id_, plain(group)); }
  gw_status leave(std::string_view group) const { return host_->groups->leave(host_, id_, plain(group)); }

 private:
  struct Heard {
    const gw_host* host;
    OnReply done;
    static void hear(void*, void* argument, const gw_reply* reply) noexcept {
      const std::unique_ptr<Heard> own(static_cast<Heard*>(argument));
      try {
        own->done(Reply(*reply));
      } catch (...) {
        own->host->core->log(own->host, GW_LOG_ERROR, GW_TEXT("an exception left what hears a reply"), nullptr, 0);
      }
    }
  };
  using Begin = gw_status (*)(const gw_host*, gw_session, const gw_outgoing*, gw_on_reply, void*);
  gw_status begin(Begin begin, const gw_outgoing& message, OnReply done) const {
    auto heard = std::make_unique<Heard>(Heard{host_, std::move(done)});
    const gw_status status = begin(host_, id_, &message, &Heard::hear, heard.get());
    if (status == GW_OK) static_cast<void>(heard.release());  // it deletes itself when it hears
    return status;
  }

  const gw_host* host_;
  gw_session id_;
};

/// Named values that all workers share, each plugin its own.
class Store {
 public:
  /// Failure where the server has none to offer.
  explicit Store(const gw_host* host) : host_(host) {
    if (!GW_HAS(gw_host, host, kv)) throw Failure(GW_ERROR_NOT_SUPPORTED, "no named values");
  }
  struct Value {
    std::string bytes;
    uint64_t version = 0;
  };
  std::optional<Value> get(std::string_view key) const {
    gw_bytes bytes{};
    Value value;
    if (host_->kv->get(host_, plain(key), &bytes, &value.version) != GW_OK) return std::nullopt;
    value.bytes = view(bytes);
    return value;
  }
  gw_status put(std::string_view key, std::string_view bytes, int64_t ttl_ns = 0) const {
    return host_->kv->put(host_, plain(key), plain_bytes(bytes), ttl_ns);
  }
  /// Only when the version is still this one, 0 standing for absent; otherwise GW_ERROR_STALE.
  gw_status compare_and_put(std::string_view key, uint64_t version, std::string_view bytes, int64_t ttl_ns = 0) const {
    return host_->kv->compare_and_put(host_, plain(key), version, plain_bytes(bytes), ttl_ns);
  }
  /// The sum. Failure when the value is no number.
  int64_t add(std::string_view key, int64_t amount, int64_t ttl_ns = 0) const {
    int64_t sum = 0;
    check(host_->kv->add(host_, plain(key), amount, ttl_ns, &sum), "cannot add to " + std::string(key));
    return sum;
  }
  bool remove(std::string_view key) const { return host_->kv->remove(host_, plain(key)) == GW_OK; }

 private:
  const gw_host* host_;
};

/// The server, as one instance sees it. A handle: cheap to copy, valid as long as the instance.
class Host {
 public:
  explicit Host(const gw_host* host) : host_(host) {}
  const gw_host* raw() const { return host_; }
  uint32_t worker() const { return host_->worker; }
  uint32_t generation() const { return host_->generation; }

  /// [any thread]
  void log(int level, std::string_view message, std::span<const gw_log_field> fields = {}) const {
    host_->core->log(host_, level, plain(message), fields.data(), fields.size());
  }
  void info(std::string_view message) const { log(GW_LOG_INFO, message); }
  void warn(std::string_view message) const { log(GW_LOG_WARN, message); }
  void error(std::string_view message) const { log(GW_LOG_ERROR, message); }

  int64_t now_ns() const { return host_->core->now(host_); }

  // Configuration. A value of another type than asked for is a mistake of the operator: Failure names the key.
  std::string text(std::string_view key, std::string_view fallback) const {
    const auto value = find(key, GW_VALUE_TEXT, "a text");
    return std::string(value ? view(value->text) : fallback);
  }
  int64_t integer(std::string_view key, int64_t fallback) const {
    const auto value = find(key, GW_VALUE_INTEGER, "an integer");
    return value ? value->integer : fallback;
  }
  bool boolean(std::string_view key, bool fallback) const {
    const auto value = find(key, GW_VALUE_BOOLEAN, "true or false");
    return value ? value->boolean != 0 : fallback;
  }
  int64_t duration_ns(std::string_view key, int64_t fallback) const {
    return parsed(key, fallback, host_->config->duration_ns, "a duration such as \"250ms\"");
  }
  uint64_t size_bytes(std::string_view key, uint64_t fallback) const {
    return parsed(key, fallback, host_->config->size_bytes, "a size such as \"64KiB\"");
  }
  /// Calls `each(key, value)` for every value.
  template <typename Each>
  void each_value(Each each) const {
    gw_text key;
    gw_value value;
    for (size_t i = 0; host_->config->at(host_, i, &key, &value) == GW_OK; ++i) each(view(key), value);
  }

  /// Any session of the server; Message::session names the sender's.
  Session session(gw_session id) const { return {host_, id}; }
  Store store() const { return Store(host_); }
  size_t group_size(std::string_view group) const {
    return GW_HAS(gw_host, host_, groups) ? host_->groups->size(host_, plain(group)) : 0;
  }
  /// An event to all members of a group, or to everybody when it has no name, but `except`.
  gw_status publish(std::string_view group, std::string_view action, std::string_view body, gw_session except = 0,
                    const SendOptions& options = {}) const {
    if (!GW_HAS(gw_host, host_, groups)) return GW_ERROR_NOT_SUPPORTED;
    const gw_outgoing message = outgoing(GW_EVENT, action, body, options);
    return host_->groups->publish(host_, plain(group), except, &message);
  }

  /// While the instance is made. What messages for this pattern carry as their handler.
  uint32_t bind(std::string_view pattern) const {
    uint32_t handler = 0;
    check(host_->handlers->bind(host_, plain(pattern), &handler), "cannot bind " + std::string(pattern));
    return handler;
  }
  /// The same; `flags`: GW_BIND_….
  uint32_t bind(std::string_view pattern, uint32_t flags) const {
    if (!GW_HAS(gw_handlers_table, host_->handlers, bind_with))
      throw Failure(GW_ERROR_NOT_SUPPORTED, "the server has no handlers->bind_with");
    const gw_binding binding{sizeof(gw_binding), flags, plain(pattern)};
    uint32_t handler = 0;
    check(host_->handlers->bind_with(host_, &binding, &handler), "cannot bind " + std::string(pattern));
    return handler;
  }

 private:
  std::optional<gw_value> find(std::string_view key, int32_t type, std::string_view expected) const {
    gw_value value;
    if (host_->config->get(host_, plain(key), &value) != GW_OK) return std::nullopt;
    if (value.type == type) return value;
    throw Failure(GW_ERROR_ARGUMENT_INVALID, "config." + std::string(key) + ": expected " + std::string(expected));
  }
  template <typename Value>
  Value parsed(std::string_view key, Value fallback, gw_status (*parse)(const gw_host*, gw_text, Value*),
               std::string_view expected) const {
    const gw_status status = parse(host_, plain(key), &fallback);
    if (status == GW_OK || status == GW_ERROR_NOT_FOUND) return fallback;
    throw Failure(status, "config." + std::string(key) + ": expected " + std::string(expected));
  }

  const gw_host* host_;
};

/// A message whose verdict comes later. A value: may be kept, and moved between threads, but only used on the
/// instance's worker.
class Pending {
 public:
  Pending(const gw_host* host, gw_ticket ticket) : host_(host), ticket_(ticket) {}
  bool operator==(const Pending& other) const { return ticket_ == other.ticket_; }
  /// An event that the sender handles right before or after the response: GW_BEFORE_RESPONSE, GW_AFTER_RESPONSE.
  gw_status notify(int place, std::string_view action, std::string_view body, const SendOptions& options = {}) const {
    if (!GW_HAS(gw_messages_table, host_->messages, notify)) return GW_ERROR_NOT_SUPPORTED;
    const gw_outgoing event = outgoing(GW_EVENT, action, body, options);
    return host_->messages->notify(host_, ticket_, place, &event);
  }
  gw_status reply(std::string_view body, std::span<const gw_header> headers = {}) const {
    return host_->messages->reply(host_, ticket_, plain_bytes(body), headers.data(),
                                  static_cast<uint32_t>(headers.size()));
  }
  gw_status fail(gw_status status, std::string_view text) const {
    return host_->messages->fail(host_, ticket_, status, plain(text));
  }

 private:
  const gw_host* host_;
  gw_ticket ticket_;
};

/// The message in hand; views are valid until on_message returns.
class Message {
 public:
  Message(const gw_host* host, const gw_message& message) : host_(host), message_(message) {}
  const gw_message& raw() const { return message_; }
  uint32_t handler() const { return message_.handler; }
  bool is_event() const { return message_.kind == GW_EVENT; }
  std::string_view action() const { return view(message_.action); }
  std::string_view body() const { return view(message_.body); }
  std::string_view client_id() const { return view(message_.client_id); }
  std::string_view uid() const { return view(message_.uid); }
  gw_session session() const { return message_.session; }
  std::span<const gw_header> headers() const { return {message_.headers, message_.header_count}; }
  std::optional<std::string_view> header(std::string_view name) const {
    for (const gw_header& header : headers()) {
      if (view(header.name) == name) return view(header.value);
    }
    return std::nullopt;
  }

  gw_status reply(std::string_view body, std::span<const gw_header> headers = {}) const {
    return Pending(host_, message_.ticket).reply(body, headers);
  }
  gw_status fail(gw_status status, std::string_view text) const {
    return Pending(host_, message_.ticket).fail(status, text);
  }
  /// See Pending::notify; also after the reply, as long as on_message runs.
  gw_status notify(int place, std::string_view action, std::string_view body, const SendOptions& options = {}) const {
    return Pending(host_, message_.ticket).notify(place, action, body, options);
  }
  /// Failure where the server has no deferring, or the plugin too many messages pending.
  Pending defer(uint32_t flags = 0) const {
    if (!GW_HAS(gw_messages_table, host_->messages, defer)) throw Failure(GW_ERROR_NOT_SUPPORTED, "no defer");
    check(host_->messages->defer(host_, message_.ticket, flags), "defer");
    return {host_, message_.ticket};
  }

 private:
  const gw_host* host_;
  const gw_message& message_;
};

/// A client of whom it is said later whether it may come in. A value, as Pending is.
class Login {
 public:
  Login(const gw_host* host, gw_login login) : host_(host), login_(login) {}
  /// GW_ERROR_STALE from these: it was decided, or its time is over.
  gw_status admit(std::string_view uid) const { return host_->logins->admit(host_, login_, plain(uid)); }
  gw_status refuse(gw_status status = GW_ERROR_UNAUTHENTICATED) const {
    return host_->logins->refuse(host_, login_, status);
  }
  /// It is not known here: other plugins are asked.
  gw_status pass() const { return refuse(GW_ERROR_NOT_FOUND); }

 private:
  const gw_host* host_;
  gw_login login_;
};

/// What a store plugin is asked to end. A value, used once, on the instance's worker.
class Scan {
 public:
  Scan(gw_store_found done, void* operation) : done_(done), operation_(operation) {}
  void found(std::span<const gw_store_entry> entries) const {
    done_(operation_, GW_OK, entries.data(), static_cast<uint32_t>(entries.size()));
  }
  void fail(gw_status status) const { done_(operation_, status, nullptr, 0); }

 private:
  gw_store_found done_;
  void* operation_;
};
class Apply {
 public:
  Apply(gw_store_applied done, void* operation) : done_(done), operation_(operation) {}
  /// One for each step's key, 0 where it is absent now.
  void applied(std::span<const uint64_t> versions) const { done_(operation_, GW_OK, 0, versions.data()); }
  /// A step met another version, and nothing was changed.
  void conflict(size_t step) const { done_(operation_, GW_ERROR_STALE, static_cast<uint32_t>(step), nullptr); }
  void fail(gw_status status) const { done_(operation_, status, 0, nullptr); }

 private:
  gw_store_applied done_;
  void* operation_;
};

/// What a plugin says of itself.
struct About {
  std::string_view name = {};  ///< 1 to 63 letters, digits, _ and -
  std::string_view version = {};
  std::string_view license = {};
  std::string_view author = {};
  std::string_view description = {};
  /// Its code may be unmapped once it is drained, unless it keeps threads, or thread_local objects with destructors,
  /// beyond the instance.
  uint32_t flags = GW_FLAG_CAN_UNLOAD;
};

/// What makes the tables of a class. Nothing here is called by plugins.
template <typename Plugin>
struct Tables {
  struct Instance {
    Host host;
    Plugin plugin;
    std::string answer;  ///< keeps a returned text until the next call
  };

  template <typename Work>
  static gw_status guarded(const Host& host, const char* what, Work work) noexcept {
    try {
      return work();
    } catch (const Failure& failure) {
      report(host, what, failure.what());
      return failure.status() != GW_OK ? failure.status() : GW_ERROR_PLUGIN_FAILED;
    } catch (const std::bad_alloc&) {
      report(host, what, "out of memory");
      return GW_ERROR_OUT_OF_MEMORY;
    } catch (const std::exception& error) {
      report(host, what, error.what());
      return GW_ERROR_PLUGIN_FAILED;
    } catch (...) {
      report(host, what, "an exception that is no std::exception");
      return GW_ERROR_PLUGIN_FAILED;
    }
  }
  static void report(const Host& host, std::string_view what, std::string_view text) noexcept {
    const gw_log_field fields[] = {{GW_TEXT("in"), plain(what)}, {GW_TEXT("error"), plain(text)}};
    if (!text.empty()) host.log(GW_LOG_ERROR, "the plugin failed", fields);
  }

  static gw_status create(const gw_host* host, void** self) {
    return guarded(Host(host), "create", [&] {
      *self = new Instance{Host(host), Plugin(Host(host)), {}};
      return GW_OK;
    });
  }
  static void destroy(void* self) { delete static_cast<Instance*>(self); }
  static void start(void* self) {
    auto& own = *static_cast<Instance*>(self);
    guarded(own.host, "start", [&] { return own.plugin.start(), GW_OK; });
  }
  static void stop(void* self) {
    auto& own = *static_cast<Instance*>(self);
    guarded(own.host, "stop", [&] { return own.plugin.stop(), GW_OK; });
  }
  static gw_status save(void* self) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "save", [&] {
      const std::string state = own.plugin.save();
      return own.host.raw()->state->write(own.host.raw(), plain_bytes(state));
    });
  }
  static gw_status restore(void* self, gw_bytes state, gw_text version) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "restore", [&] { return own.plugin.restore(view(state), view(version)), GW_OK; });
  }
  static gw_status on_message(void* self, const gw_message* message) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "on_message",
                   [&] { return own.plugin.on_message(Message(own.host.raw(), *message)), GW_OK; });
  }
  static void on_cancel(void* self, gw_ticket ticket) {
    auto& own = *static_cast<Instance*>(self);
    guarded(own.host, "on_cancel", [&] { return own.plugin.on_cancel(Pending(own.host.raw(), ticket)), GW_OK; });
  }
  static gw_status route(void* self, const gw_route_request* request, gw_route_decision* out) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "route", [&] {
      own.answer = own.plugin.route(static_cast<int>(request->kind), view(request->action));
      out->action = plain(own.answer);
      return GW_OK;
    });
  }
  static gw_status plan(void* self, const gw_strategy_question* question, gw_strategy_plan* out) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "plan", [&] { return own.plugin.plan(*question, *out), GW_OK; });
  }
  static gw_status authenticate_later(void* self, const gw_credentials* credentials, gw_identity*) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "authenticate", [&] {
      const gw_host* host = own.host.raw();
      if (!GW_HAS(gw_host, host, logins) || !GW_REACHES(gw_credentials, credentials, login))
        throw Failure(GW_ERROR_NOT_SUPPORTED, "the server has no logins->defer");
      check(host->logins->defer(host, credentials->login), "defer");
      own.plugin.authenticate(*credentials, Login(host, credentials->login));
      return GW_OK;
    });
  }
  static gw_status authenticate(void* self, const gw_credentials* credentials, gw_identity* out) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "authenticate", [&]() -> gw_status {
      std::optional<std::string> uid = own.plugin.authenticate(*credentials);
      if (!uid) return GW_ERROR_NOT_FOUND;
      own.answer = std::move(*uid);
      out->uid = plain(own.answer);
      return GW_OK;
    });
  }

  /// What the class has made of it, into the room that there is.
  static gw_status hand_out(const std::string& text, uint8_t* out, size_t capacity, size_t* size) {
    if (text.size() > capacity) return GW_ERROR_MESSAGE_TOO_LARGE;
    text.copy(reinterpret_cast<char*>(out), text.size());
    *size = text.size();
    return GW_OK;
  }
  static gw_status encode(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "encode", [&] { return hand_out(own.plugin.encode(view(in)), out, capacity, size); });
  }
  static gw_status decode(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "decode", [&] { return hand_out(own.plugin.decode(view(in)), out, capacity, size); });
  }
  static gw_status scan(void* self, gw_text prefix, gw_text after, uint32_t limit, gw_store_found done,
                        void* operation) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "scan",
                   [&] { return own.plugin.scan(view(prefix), view(after), limit, Scan(done, operation)), GW_OK; });
  }
  static gw_status apply(void* self, const gw_store_step* steps, uint32_t count, gw_store_applied done,
                         void* operation) {
    auto& own = *static_cast<Instance*>(self);
    return guarded(own.host, "apply",
                   [&] { return own.plugin.apply(std::span(steps, count), Apply(done, operation)), GW_OK; });
  }

  static constexpr bool kHandles = requires(Plugin & p, const Message& m) { p.on_message(m); };
  static constexpr bool kRoutes = requires(Plugin & p) {
    { p.route(0, std::string_view()) } -> std::convertible_to<std::string>;
  };
  static constexpr bool kPlans = requires(Plugin & p, const gw_strategy_question& q, gw_strategy_plan& out) {
    p.plan(q, out);
  };
  static constexpr bool kAuthenticates = requires(Plugin & p, const gw_credentials& c) {
    { p.authenticate(c) } -> std::convertible_to<std::optional<std::string>>;
  };

  static constexpr bool kAuthenticatesLater = requires(Plugin & p, const gw_credentials& c, Login l) {
    p.authenticate(c, l);
  };

  static constexpr bool kTranslates = requires(Plugin & p) {
    { p.encode(std::string_view()) } -> std::convertible_to<std::string>;
    { p.decode(std::string_view()) } -> std::convertible_to<std::string>;
  };
  static constexpr bool kStores = requires(Plugin & p, Scan s, Apply a) {
    p.scan(std::string_view(), std::string_view(), uint32_t(), s);
    p.apply(std::span<const gw_store_step>(), a);
  };

  static constexpr gw_instance_table instance_table() {
    gw_instance_table table{};
    table.struct_size = sizeof table;
    table.create = create;
    table.destroy = destroy;
    if constexpr (requires(Plugin & p) { p.start(); }) table.start = start;
    if constexpr (requires(Plugin & p) { p.stop(); }) table.stop = stop;
    if constexpr (requires(Plugin & p) { std::string(p.save()); }) table.save = save;
    if constexpr (requires(Plugin & p) { p.restore(std::string_view(), std::string_view()); }) table.restore = restore;
    return table;
  }
  static constexpr gw_handler_kind handler_table() {
    gw_handler_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kHandles) table.on_message = on_message;
    if constexpr (requires(Plugin & p, const Pending& gone) { p.on_cancel(gone); }) table.on_cancel = on_cancel;
    return table;
  }
  static constexpr gw_router_kind router_table() {
    gw_router_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kRoutes) table.route = route;
    return table;
  }
  static constexpr gw_strategy_kind strategy_table() {
    gw_strategy_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kPlans) table.plan = plan;
    if constexpr (requires { Plugin::kBodyBytesMin; }) table.bytes_min = Plugin::kBodyBytesMin;
    if constexpr (requires { Plugin::kBodyBytesMax; }) table.bytes_max = Plugin::kBodyBytesMax;
    return table;
  }
  static constexpr gw_auth_kind auth_table() {
    gw_auth_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kAuthenticates) table.authenticate = authenticate;
    if constexpr (kAuthenticatesLater) table.authenticate = authenticate_later;
    return table;
  }

  static constexpr gw_codec_kind codec_table() {
    gw_codec_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kTranslates) {
      table.encode = encode;
      table.decode = decode;
      set_text(table.content_type, Plugin::kContentType);
      set_text(table.handler_type, Plugin::kHandlerType);
    }
    return table;
  }
  static constexpr gw_store_kind store_table() {
    gw_store_kind table{};
    table.struct_size = sizeof table;
    if constexpr (kStores) {
      table.scan = scan;
      table.apply = apply;
    }
    return table;
  }

  template <size_t size>
  static constexpr void set_text(char (&out)[size], std::string_view text) {
    if (text.size() >= size) throw Failure(GW_ERROR_LIMIT, "too long");  // at compile time: an error at this place
    for (size_t i = 0; i < text.size(); ++i) out[i] = text[i];
  }

  static constexpr gw_instance_table kInstance = instance_table();
  static constexpr gw_handler_kind kHandler = handler_table();
  static constexpr gw_router_kind kRouter = router_table();
  static constexpr gw_strategy_kind kStrategy = strategy_table();
  static constexpr gw_auth_kind kAuth = auth_table();
  static constexpr gw_codec_kind kCodec = codec_table();
  static constexpr gw_store_kind kStore = store_table();

  static constexpr gw_plugin descriptor(const About& about) {
    gw_plugin plugin{};
    plugin.magic = GW_PLUGIN_MAGIC;
    plugin.struct_size = sizeof plugin;
    plugin.abi_major = GW_ABI_MAJOR;
    plugin.abi_minor = GW_ABI_MINOR;
    plugin.kinds = kKinds;
    plugin.flags = about.flags;
    plugin.instance_size = sizeof(gw_instance_table);
    plugin.host_size = sizeof(gw_host);
    plugin.message_size = sizeof(gw_message);
    set_text(plugin.name, about.name);
    set_text(plugin.version, about.version);
    set_text(plugin.license, about.license);
    set_text(plugin.author, about.author);
    set_text(plugin.description, about.description);
    plugin.instance = &kInstance;
    plugin.handler = &kHandler;
    plugin.router = &kRouter;
    plugin.strategy = &kStrategy;
    plugin.auth = &kAuth;
    plugin.codec = &kCodec;
    plugin.store = &kStore;
    return plugin;
  }

  static constexpr uint32_t bit(bool there, uint32_t kind) { return there ? kind : 0; }
  static constexpr uint32_t kKinds = bit(kHandles, GW_KIND_HANDLER) | bit(kRoutes, GW_KIND_ROUTER) |
                                     bit(kPlans, GW_KIND_STRATEGY) |
                                     bit(kAuthenticates || kAuthenticatesLater, GW_KIND_AUTH) |
                                     bit(kTranslates, GW_KIND_CODEC) | bit(kStores, GW_KIND_STORE);
  static_assert(kKinds != 0,
                "a plugin class has on_message, route, plan, authenticate, encode and decode, or scan and apply");
};

}  // namespace godwit::plugin

/// Exports a class as the plugin of this shared object. What follows is what it says of itself, as in About.
#define GW_PLUGIN_CLASS(Class, ...)                          \
  GW_PLUGIN_EXPORT constinit const gw_plugin godwit_plugin = \
      ::godwit::plugin::Tables<Class>::descriptor(::godwit::plugin::About{__VA_ARGS__});

#endif  // GODWIT_PLUGIN_HPP
