#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "host/once.h"
#include "session/order.h"
#include "wire/message.h"

namespace godwit::host {

struct Outgoing;

/// Names one message that waits for its handler's verdict. A ticket answers once; afterwards, and after its deadline,
/// it is stale, which is an ordinary error and never harms anybody.
struct Ticket {
  uint64_t bits = 0;
  explicit operator bool() const { return bits != 0; }
};

/// What a handler may know of who sent a message. Borrowed for the call.
struct SessionView {
  uint64_t id = 0;
  std::string_view client_id;
  std::string_view uid;
  std::string_view address;
};

/// One message on its way into a handler. All views are valid until `handle` returns.
struct Delivery {
  Ticket ticket;
  uint32_t handler = 0;  ///< index into the handler's own registrations
  wire::Kind kind{};
  wire::Priority priority{};
  uint64_t message_id = 0;
  std::string_view action;
  std::span<const wire::Header> headers;
  Bytes body;
  const SessionView* session = nullptr;
  Timestamp deadline = kNever;
};

enum class ReplyOutcome : uint8_t { kAccepted, kStale, kNotExpected, kTooLarge, kQueueFull };

/// Where verdicts go. Each delivered ticket gets exactly one, while `handle` runs or, once suspended, later: a reply, a
/// failure, or `done` (for events; for a request that was not answered `done` turns into NoReply). Worker's thread
/// only. Copies what it is given.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual ReplyOutcome reply(Ticket ticket, Bytes body, std::span<const wire::Header> headers) = 0;
  virtual ReplyOutcome fail(Ticket ticket, Code code, std::string_view text) = 0;
  /// The same, and the sender of a request hears when to try again. Zero: nothing is said about that.
  virtual ReplyOutcome fail_for(Ticket ticket, Code code, std::string_view text, Duration /*retry_after*/) {
    return fail(ticket, code, text);
  }
  virtual void done(Ticket ticket) = 0;
  /// Another action's handler has the verdict from here on: HandlerNotFound, ActionInvalid and StaleHandle leave it
  /// where it was, ForwardLimit has been the verdict. `delivery` is the message as it was handed out, or a copy.
  virtual Status forward(const Delivery&, std::string_view /*action*/) { return godwit::fail(Code::kNotSupported); }
  /// An event for the sender of a request, which it handles before or after the response. `of` is the message as it was
  /// handed out, or a copy. What comes after a response that was given already goes out at once, as long as its handler
  /// has the message; StaleHandle: the response was given, or nobody waits for one.
  virtual Status notify(const Delivery&, session::Bound, const Outgoing&) { return godwit::fail(Code::kNotSupported); }
  /// From within `handle`: this message's handler goes on later, and its verdict comes then. The batch ends with it
  /// (`enough`). While it is `ordered`, no later ordered message of its session enters a handler before the verdict.
  virtual void suspend(Ticket ticket, bool ordered) = 0;
  /// The turn's time is used up, or the batch is over for another reason: a handler with more of its batch ahead
  /// returns, and gets the rest in a later turn.
  virtual bool enough() const = 0;
};

/// Code that handles messages: a generation of a Lua app, a plugin, a built-in. Gets batches so that the cost of
/// entering it is shared; must return soon, never throws.
class Handler {
 public:
  virtual ~Handler() = default;
  /// How many it took, from the front, at least one: fewer than the batch only once the sink has said `enough`.
  virtual size_t handle(std::span<const Delivery> batch, ReplySink& sink) = 0;
  /// The sender of a message that it has suspended waits no longer: its ticket is stale from here on, and whatever
  /// works on it may stop.
  virtual void withdraw(Ticket, ReplySink&) {}
  /// Whether messages for this handler wait for earlier ones of their session that are suspended.
  virtual bool ordered(uint32_t) const { return true; }
  /// How commands with an idempotency key are executed once; nullopt: each time, as if they had none.
  virtual std::optional<OnceOptions::BrokenOff> once(uint32_t) const { return std::nullopt; }
  /// For logs and metrics: "echo@3".
  virtual std::string_view name() const = 0;
};

}  // namespace godwit::host
