#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__GNUC__)
#define GODWIT_CLIENT_API __attribute__((visibility("default")))
#else
#define GODWIT_CLIENT_API
#endif

/// The client library of godwit for C++20. A request in one line:
///
///     godwit::Client client({.address = "127.0.0.1:8453", .ca_file = "ca.pem"});
///     godwit::Reply reply = client.request("echo", "hello").get();
///
/// Every call ends in exactly one Reply, within its timeout: the server's answer, or a code that says what is known.
/// Nothing here throws but what the standard library throws when memory is exhausted.
namespace godwit {

namespace client {
class Front;  // what a Client is made of; no part of the interface
}

using Headers = std::vector<std::pair<std::string, std::string>>;

/// What became of a call.
struct Reply {
  enum class Status : uint8_t {
    kSuccess,  ///< the handler's answer; of an event: it was handed to its handler
    kFailure,  ///< refused or failed, by the server or on the way
    kTimeout,  ///< no answer in time; whether the message was handled is not known
  };
  Status status = Status::kFailure;
  uint16_t code = 0;  ///< 0 on success, else one of `godwit errors`
  std::string name;   ///< of the code: "HandlerNotFound"; empty on success
  std::string text;   ///< for a person; empty on success
  Headers headers;
  std::string body;

  bool ok() const { return status == Status::kSuccess; }
};

/// A message that the server sends. The views are valid during the call.
struct Message {
  enum class Kind : uint8_t { kCommand, kEvent, kQuery } kind = Kind::kCommand;
  std::string_view action;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
};

/// What happens to the connection and the session of a client.
struct ClientEvent {
  enum class Kind : uint8_t {
    kConnecting,    ///< it tries, or tries again; `code` says why, where the last try failed
    kConnected,     ///< the server has let it in
    kResumed,       ///< … and has its session: nothing was lost. Comes before kConnected
    kSessionLost,   ///< … with a new session: what was not acknowledged has failed with SessionLost (1014). Before
                    ///< kConnected
    kDraining,      ///< the server is going to close
    kDisconnected,  ///< nothing is tried any more until the next call; `code` says why
    kClosed,        ///< by this client
    kHeartbeatTimeout,  ///< nothing was heard of the server for too long; kConnecting or kDisconnected follows
    kPromiseTimeout,    ///< a call got no answer in time
    kSent,              ///< with ClientOptions::message_events: a call was sent, or with a code: it was refused here
    kReceived,          ///< the same: a message of the server came
  } kind = Kind::kConnecting;
  uint64_t reconnects = 0;  ///< connections made after one was lost
  uint16_t code = 0;        ///< 0, or one of `godwit errors`
  std::string name{};       ///< of the code
  std::string text{};       ///< for a person
  std::string action{};     ///< of the message that it is about
};

/// Why a client goes, as the server's apps hear it.
enum class StopReason : uint8_t { kNone = 0, kLogout = 1, kAppClose = 2, kSwitchAccount = 3 };

struct ClientOptions {
  std::string address{};           ///< HOST:PORT, IPv6 as [HOST]:PORT
  std::string client_id{};         ///< who this client says it is; empty: a random name
  std::string uid{};               ///< the user it belongs to
  std::string token{};             ///< proof of that
  std::string ca_file{};           ///< PEM; whom to trust; empty: the system's list
  std::string certificate_file{};  ///< PEM chain of this client, where the server asks for one
  std::string key_file{};
  bool insecure = false;  ///< believe any server: for a test server of one's own only
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(30);  ///< of calls that name none
  std::chrono::nanoseconds linger = std::chrono::seconds(1);            ///< how long closing waits for calls under way
  size_t pending_max = 10'000;  ///< calls without a result; further ones fail at once with QueueFull (2002)
  /// When the connection is lost: connect again by itself (after 1 s, then twice as long each time, up to 60 s, ± 20 %,
  /// or when the server says), and go on with the session where the server still has it. Calls wait meanwhile, for as
  /// long as their timeouts; what the server had not acknowledged is sent again, once. False: they fail.
  bool reconnect = true;
  /// False: the client makes no thread, but for looking a name up. The program's own loop polls `Client::event_fd` and
  /// calls `Client::process`, in which everything happens, all callbacks included: where this says "the client's
  /// thread" it is then the program's. A future becomes ready only there: never wait for one on the thread that calls
  /// it.
  bool own_thread = true;
  /// Handles what the server sends, on the client's thread; what it returns answers commands and queries, and a failure
  /// refuses an event. Must neither block nor throw. Empty: the server is told HandlerNotFound.
  std::function<Reply(const Message&)> on_message{};
  /// Hears what happens to the connection, on the client's thread. Must neither block nor throw.
  std::function<void(const ClientEvent&)> on_event{};
  bool message_events = false;  ///< on_event hears of each message as well
};

struct CallOptions {
  std::chrono::nanoseconds timeout{0};  ///< from the call to its result, connecting included; 0: request_timeout
  std::chrono::nanoseconds ttl{0};      ///< not worth handling after so long; 0: always worth it
  Headers headers{};
  enum class Kind : uint8_t { kCommand, kQuery } kind = Kind::kCommand;  ///< of requests
  enum class Priority : uint8_t { kNormal, kLow, kHigh, kCritical } priority = Priority::kNormal;
  bool unordered = false;  ///< need not wait for messages sent before it
  /// Of events: sent in one packet (MessageTooLarge (4004) for what does not fit: about 1,150 bytes always do), lost
  /// with it, never sent again, in no order (RFC 9221). Success then says that it was sent. Requests ignore it.
  bool unreliable = false;
  /// Of commands: sent again under one idempotency key until the server has answered or the time is over, whatever
  /// happens to sessions and servers meanwhile. A handler that is idempotent executes it once.
  bool durable = false;
};

/// Names one call of a client, so that it can be withdrawn; 0: it was refused at once.
using CallId = uint64_t;

/// One session with one server, on a thread of its own or the program's (`ClientOptions::own_thread`). It connects when
/// it is made; when that fails, calls fail with the reason and the next one connects again. When a connection is lost
/// the session goes on over the next one
/// (`ClientOptions::reconnect`). Its members may be called from any thread; none
/// of them blocks but the destructor.
class GODWIT_CLIENT_API Client {
 public:
  /// Runs on the client's thread, or on the caller's when the call is refused at once. Must neither block nor throw.
  /// May call the client, but not destroy it.
  using OnReply = std::function<void(Reply)>;

  /// Never fails: what is wrong with the options is the result of every call.
  explicit Client(ClientOptions options);
  /// Waits for calls under way, at most `linger`; those without a result then fail with Cancelled (4006).
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Success once the server has let this client in. Only for those who want to know: calls wait for it by themselves.
  std::future<Reply> connected();

  /// A command (or query) and its answer. Bodies are bytes.
  std::future<Reply> request(std::string_view action, std::string_view body, CallOptions options = {});
  CallId request(std::string_view action, std::string_view body, CallOptions options, OnReply on_reply);

  /// An event and its acknowledgement: success says that the server handed it to its handler.
  std::future<Reply> send(std::string_view action, std::string_view body, CallOptions options = {});
  CallId send(std::string_view action, std::string_view body, CallOptions options, OnReply on_reply);

  /// The call ends with Cancelled (4006), soon, unless it has its result by then. A request that was sent already is
  /// withdrawn: the server's handler is told that it may stop, and what it has done until then is not known.
  void cancel(CallId call);

  /// Where the client waits before it tries to connect again: it tries now. For those who know that the network is
  /// back.
  void reconnect_now();

  /// Takes no more calls. Those under way go on as in the destructor, which however does not block here.
  void close(StopReason reason = StopReason::kNone);

  /// With `own_thread = false`: a descriptor that is readable when `process` has something to do, deadlines included;
  /// the same one all the time, and the client's. For poll, epoll or another loop, level-triggered. -1 with a thread of
  /// its own, and when the options are wrong, which the first call says.
  int event_fd() const;
  /// With `own_thread = false`: does what is due, callbacks included, and returns without waiting. One thread at a
  /// time, and not from a callback. Without it nothing happens, and heartbeats stay away: the server gives the
  /// connection up.
  void process();

 private:
  std::unique_ptr<client::Front> front_;
};

}  // namespace godwit
