#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "host/app.h"
#include "host/lua_bridge_types.h"
#include "host/lua_waits.h"
#include "host/parked_messages.h"
#include "host/session_cache.h"

namespace godwit::host {

/// The C++ half of the crossing between messages and the Lua code that handles them: fills plain records which Lua
/// reads without a call, and takes verdicts through plain functions which compiled Lua calls directly. A message whose
/// handler waits, or defers its answer, is parked: it outlives its batch.
class LuaBridge {
 public:
  static constexpr size_t kBatchMax = std::size(gw_bridge{}.records);

  LuaBridge(const AppWorld& world, const AppLimits& limits, const std::vector<Registration>& registrations);
  LuaBridge(const LuaBridge&) = delete;
  LuaBridge& operator=(const LuaBridge&) = delete;

  gw_bridge* plain() { return &plain_; }
  const gw_bridge* plain() const { return &plain_; }
  uint32_t& turn() { return plain_.turn; }
  /// Lua runs next in the name of this message and task (0: none), with a time limit of its own.
  void begin_turn(double message, double task) {
    plain_.current = message;
    plain_.task = task;
    __atomic_store_n(&plain_.turn, plain_.turn + 1, __ATOMIC_RELEASE);  // the watchdog reads it
  }
  LuaWaits& waits() { return waits_; }
  ParkedMessages& parked() { return parked_; }
  const ParkedMessages& parked() const { return parked_; }

  /// Where verdicts go while Lua runs.
  void set_sink(ReplySink* sink) { sink_ = sink; }

  /// At most kBatchMax deliveries, borrowed until `end`.
  void begin(std::span<const Delivery> batch);
  bool has_next() const { return plain_.next < plain_.count; }
  /// After the loop broke off: makes the message whose handler did it `current`. Were all that a handler took finished,
  /// it is the next one, so that no failure repeats for ever. False when none is left.
  bool has_failed();
  const Delivery& current() const { return batch_[plain_.next - 1]; }
  /// Answers for the current message, unless its handler had done so, and ends it.
  void fail_current(Code code, std::string_view text, Duration retry_after = {});
  /// As if its handler had returned.
  void pass_current();
  /// The current message's handler waits. Its serial.
  double park_current();
  /// How many of the batch were begun: all, unless the sink said that it is enough.
  size_t end();

  /// Answers for a parked message that is still open, and forgets it.
  void fail_parked(double serial, Code code, std::string_view text, Duration retry_after = {});
  /// Its handler has come to its end, which is the verdict if there was none; a deferred one stays.
  void finish_parked(double serial);

  /// See ReplySink::notify: `serial` names the message, which must be one of `sender`.
  Status notify(double serial, SessionKey sender, session::Bound place, const Outgoing& event) const;
  /// How long the sender of the message in hand still waits; nullopt: there is none, or it does not say.
  std::optional<Duration> time_left() const;

  /// Parked messages whose time is over since the last call.
  std::vector<double> take_overdue() { return std::exchange(overdue_, {}); }
  bool has_overdue() const { return !overdue_.empty(); }

  /// Shows Lua what its wait ended with; `wake` must outlive the coroutine's run.
  void show(const Wake& wake);

 private:
  void fill(gw_record& record, const Delivery& delivery);
  uint32_t settle(gw_record& record, ReplyOutcome outcome);
  void stop_if_enough();
  bool in_batch(const gw_record& record) const;
  const Delivery* in_hand() const;
  const Delivery* find(double serial) const;

  static uint32_t reply(void* self, gw_record* record, const char* body, uint32_t body_size) noexcept;
  static uint32_t fail(void* self, gw_record* record, uint32_t code, const char* text, uint32_t text_size,
                       double retry_after) noexcept;
  static void done(void* self, gw_record* record) noexcept;
  static uint32_t forward(void* self, gw_record* record, const char* action, uint32_t action_size) noexcept;
  static bool reply_header(void* self, const char* name, uint32_t name_size, const char* value,
                           uint32_t value_size) noexcept;
  static void header(void* self, const gw_record* record, uint32_t position) noexcept;
  static void session(void* self, const gw_record* record) noexcept;
  static gw_record* find_parked(void* self, double serial) noexcept;
  static uint32_t defer(void* self, gw_record* record) noexcept;
  static void finish(void* self, double serial) noexcept;
  static double begin_wait(void* self) noexcept;
  static void forget_wait(void* self, double token) noexcept;
  static void wake_up(void* self, double token, uint32_t code, double number) noexcept;
  static void wake_after(void* self, double token, double seconds) noexcept;
  static double now(void* self) noexcept;
  static double unix_time(void* self) noexcept;

  static constexpr size_t kReplyHeadersMax = 64;

  const Clock& clock_;
  const Duration handler_timeout_;
  const std::vector<Registration>& registrations_;
  gw_bridge plain_{};
  SessionCache sessions_;
  LuaWaits waits_;
  ParkedMessages parked_;
  std::vector<double> overdue_;
  std::span<const Delivery> batch_;
  ReplySink* sink_ = nullptr;
  std::array<wire::Header, kReplyHeadersMax> reply_headers_;
  size_t reply_header_count_ = 0;
  std::vector<gw_header> wake_headers_;
};

}  // namespace godwit::host
