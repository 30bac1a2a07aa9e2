#pragma once

#include <array>
#include <span>

#include "host/handler.h"
#include "host/lua_bridge_types.h"
#include "host/session_cache.h"
#include "port/clock.h"

namespace godwit::host {

/// The C++ half of the crossing between a batch and the Lua loop that handles it: fills plain records which Lua reads
/// without a call, and takes verdicts through plain functions which compiled Lua calls directly.
class LuaBridge {
 public:
  static constexpr size_t kBatchMax = std::size(gw_bridge{}.records);

  explicit LuaBridge(const Clock& clock);
  LuaBridge(const LuaBridge&) = delete;
  LuaBridge& operator=(const LuaBridge&) = delete;

  gw_bridge* plain() { return &plain_; }
  uint32_t& turn() { return plain_.turn; }

  /// At most kBatchMax deliveries, borrowed until `end`.
  void begin(std::span<const Delivery> batch, ReplySink& sink);
  bool has_next() const { return plain_.next < plain_.count; }
  /// After the loop broke off: makes the message whose handler did it `current`. Were all that a handler took finished,
  /// it is the next one, so that no failure repeats for ever. False when none is left.
  bool has_failed();
  const Delivery& current() const { return batch_[plain_.next - 1]; }
  /// Answers for the current message, unless its handler had done so, and ends it.
  void fail_current(Code code, std::string_view text);
  /// How many of the batch were begun: all, unless the sink said that it is enough.
  size_t end();

 private:
  void fill(gw_record& record, const Delivery& delivery);
  uint32_t settle(uint32_t index, ReplyOutcome outcome);
  void stop_if_enough();

  static uint32_t reply(void* self, uint32_t index, const char* body, uint32_t body_size) noexcept;
  static uint32_t fail(void* self, uint32_t index, uint32_t code, const char* text, uint32_t text_size) noexcept;
  static void done(void* self, uint32_t index) noexcept;
  static bool reply_header(void* self, const char* name, uint32_t name_size, const char* value,
                           uint32_t value_size) noexcept;
  static void header(void* self, uint32_t index, uint32_t position) noexcept;
  static void session(void* self, uint32_t index) noexcept;
  static double now(void* self) noexcept;
  static double unix_time(void* self) noexcept;

  static constexpr size_t kReplyHeadersMax = 64;

  const Clock& clock_;
  gw_bridge plain_{};
  SessionCache sessions_;
  std::span<const Delivery> batch_;
  ReplySink* sink_ = nullptr;
  std::array<wire::Header, kReplyHeadersMax> reply_headers_;
  size_t reply_header_count_ = 0;
};

}  // namespace godwit::host
