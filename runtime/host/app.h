#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/timer_heap.h"
#include "host/handler.h"
#include "host/kv.h"
#include "host/once.h"
#include "host/services.h"
#include "port/clock.h"

namespace godwit::session {
class Authenticator;
}

namespace godwit::transfer {
class Strategy;
}

namespace godwit {
class Entropy;
class HttpClient;
class Mailbox;
class MetricStore;
class Store;
class WorkPool;
}  // namespace godwit

namespace godwit::host {

class Authorizer;
class Codec;
class KeyRelay;
class Router;
class SessionListener;

struct AppLimits {
  size_t memory_bytes_max = 64 << 20;  ///< per VM; allocation beyond fails inside the script
  Duration burst_max = 250ms;          ///< longest run without returning to the host
  Duration cpu_max = 1s;               ///< processor time of a handler or task after it first waited, all in all
  Duration load_timeout = 5s;
  Duration handler_timeout = 30s;     ///< for a handler that waits, all in all; then its message fails
  size_t coroutines_max = 10'000;     ///< that wait at one time, per VM
  size_t timers_max = 1024;           ///< gw.every and gw.cron; gw.after counts among the coroutines
  Duration drain_timeout = 30s;       ///< for what waits in a generation that was replaced
  size_t source_bytes_max = 1 << 20;  ///< per file
  size_t events_max = 10'000;         ///< that wait for the app, per VM; further ones are dropped
};

/// What an operator says of one app.
struct AppSettings {
  enum class Trust : uint8_t {
    kSandbox,  ///< reaches what the API offers, and nothing else
    kTrusted,  ///< files, processes and C modules, too, with the rights of the server
  } trust = Trust::kSandbox;
  std::string config = "{}";  ///< what stands in [app.NAME.config], as JSON

  bool operator==(const AppSettings&) const = default;
};

/// The text of an app, read once: what every worker's VM is built from, so that all workers run the same bytes.
struct AppSource {
  std::string name;  ///< folder name
  std::filesystem::path folder;
  struct File {
    std::string path;  ///< relative to the folder: "main.lua", "lib/util.lua"
    std::string text;
  };
  std::vector<File> files;
  uint64_t hash = 0;  ///< over names and contents
  AppSettings settings;
};

/// Reads `folder`/main.lua and every other *.lua below it. ScriptLoadFailed names the file.
Result<AppSource> read_app(const std::filesystem::path& folder, const AppLimits& limits);

/// All folders directly below `path` that contain a main.lua, by name; `path` itself when it contains one.
Result<std::vector<std::filesystem::path>> find_apps(const std::filesystem::path& path);

struct Registration {
  std::string pattern;
  std::string where;                ///< "main.lua:12", for messages about it
  std::optional<Duration> timeout;  ///< nullopt: AppLimits::handler_timeout
  bool ordered = true;              ///< later messages of a session wait while this handler waits
  enum class OnError : uint8_t {
    kFail,
    kPass,   ///< as if it had returned
    kClose,  ///< as kFail, and the sender's session is closed
  } on_error = OnError::kFail;
  int priority = 100;  ///< of equally specific patterns the lower one gets the message
  /// Commands with an idempotency key are executed once; nullopt: the key means nothing.
  std::optional<OnceOptions::BrokenOff> once{};
  std::string key{};  ///< the header whose value orders its messages, instead of their session; empty: none
};

/// What operators may call by name.
struct Command {
  std::string name;
  std::string help;       ///< one line
  std::string arguments;  ///< how they are written: "UID [REASON]"
};

/// Ends scripts that run too long: one thread for all VMs of the process. A VM says when it enters and leaves Lua; on
/// overrun the watchdog arms an asynchronous hook and keeps it armed until control is back in the host.
class Watchdog;
/// `stuck_after`, by the wall clock: then the log says whose code does not come back.
std::shared_ptr<Watchdog> make_watchdog(Duration stuck_after = 5s);

struct AppWorld {
  const Clock& clock;
  TimerHeap& timers;
  Log log;
  std::shared_ptr<Watchdog> watchdog;
  uint32_t worker_index = 0;
  uint32_t worker_count = 1;
  Mailbox* mailbox = nullptr;  ///< of the worker; null: nothing comes from other threads
  WorkPool* pool = nullptr;
  Services* services = nullptr;    ///< null: nobody is there
  KeyRelay* relay = nullptr;       ///< null: keys of messages mean nothing, as where there is one worker
  KvStore* kv = nullptr;           ///< null: nothing is kept
  Once* once = nullptr;            ///< null: nothing can be executed once
  Entropy* entropy = nullptr;      ///< null: there are no ids to be had
  MetricStore* metrics = nullptr;  ///< null: nobody looks at what is counted
  HttpClient* http = nullptr;      ///< null: nothing outside can be asked
};

constexpr size_t kStateBytesMax = 1 << 20;  ///< what a generation leaves to the next, per worker

struct AppStats {
  size_t memory_bytes = 0;
  uint64_t handled = 0;
  uint64_t errors = 0;
  uint64_t timeouts = 0;

  AppStats& operator+=(const AppStats& other) {
    memory_bytes += other.memory_bytes;
    handled += other.handled;
    errors += other.errors;
    timeouts += other.timeouts;
    return *this;
  }
};

/// One generation of one app on one worker: a LuaJIT VM with its registrations. Built whole or not at all; destroying
/// it closes the VM. Entered by one thread at a time: its worker's, once that runs; it may be built on another.
class App : public Handler {
 public:
  /// It is live from here on: its timers begin. Again after `retire`, when it takes over a second time.
  virtual void start() {}
  /// Another generation took its place: its timers end; handlers that wait go on to their end.
  virtual void retire() {}
  /// Handlers and tasks that wait for something, and deferred messages: it must not be destroyed before there are none,
  /// or they are told by `cancel`.
  virtual size_t pins() const { return 0; }
  /// Ends whatever waits: messages fail with the code.
  virtual void cancel(Code, ReplySink&) {}
  /// Goes on with what can go on, until the sink has had enough. True when something is left.
  virtual bool run_ready(ReplySink&) { return false; }

  virtual uint32_t generation() const = 0;
  virtual const std::vector<Registration>& registrations() const = 0;
  virtual AppStats stats() const = 0;

  /// The checks that the app brought along, run on every worker when it has been built and before any is live. An error
  /// keeps the generation from going live and says what did not hold.
  virtual Status selftest() { return {}; }

  /// True: what it keeps in memory moves to its successor. The old generation is then brought to rest first.
  virtual bool has_state() const { return false; }
  /// Its state in a form of its own, at most kStateBytesMax. Changes nothing: when the successor refuses it, this
  /// generation goes on.
  virtual Result<std::string> export_state() { return std::string(); }
  /// What the generation before has exported, once, before the first message.
  virtual Status import_state(std::string_view) { return {}; }

  /// What it is besides a handler; null: it is none. Theirs as long as it lives.
  virtual Router* router() { return nullptr; }
  virtual session::Authenticator* authenticator() { return nullptr; }
  virtual Authorizer* authorizer() { return nullptr; }
  virtual SessionListener* session_listener() { return nullptr; }
  virtual transfer::Strategy* strategy() { return nullptr; }
  virtual Codec* codec() { return nullptr; }
  virtual Store* store() { return nullptr; }

  /// What operators may call beside messages.
  virtual std::span<const Command> commands() const { return {}; }
  /// Runs one of them. `done` hears its result as JSON text, once: before `run_command` returns, or on the same thread
  /// at any later time until the app ends.
  virtual void run_command(std::string_view, std::span<const std::string>,
                           std::function<void(Result<std::string>)> done) {
    done(fail(Code::kCommandUnknown, std::string(name()) + " has no commands"));
  }

  /// Runs what an operator typed inside of the live app, under its limits, and returns the result as text.
  virtual Result<std::string> eval(std::string_view) {
    return fail(Code::kUsageInvalid, std::string(name()) + " has no code that could be typed in");
  }
};

/// Runs the app's main.lua under its limits. An error says file:line and leaves nothing behind.
Result<std::unique_ptr<App>> load_app(std::shared_ptr<const AppSource> source, uint32_t generation,
                                      const AppLimits& limits, AppWorld world);

/// "LuaJIT 2.1.…", for people.
std::string_view lua_version();

}  // namespace godwit::host
