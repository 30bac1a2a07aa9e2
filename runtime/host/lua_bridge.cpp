#include "host/lua_bridge.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace godwit::host {
namespace {

LuaBridge& bridge_of(void* self) { return *static_cast<LuaBridge*>(self); }

const Delivery& delivery_of(const gw_record& record) { return *static_cast<const Delivery*>(record.delivery); }

/// Scripts give seconds as they like: not a number, negative and endless ones included. Rounded up: who waits until a
/// moment is never woken before it, to find that it must wait for the rest of a nanosecond.
Duration from_seconds(double seconds) {
  constexpr double kLongest = 1e9;  // 31 years
  if (!(seconds > 0)) return {};
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(std::min(seconds, kLongest)));
}

double to_seconds(Timestamp at) {
  if (at == kNever) return std::numeric_limits<double>::infinity();
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

}  // namespace

LuaBridge::LuaBridge(const AppWorld& world, const AppLimits& limits, const std::vector<Registration>& registrations)
    : clock_(world.clock),
      handler_timeout_(limits.handler_timeout),
      registrations_(registrations),
      waits_(world.clock, world.timers, limits.coroutines_max),
      parked_(world.clock, world.timers, [this](double serial) { overdue_.push_back(serial); }) {
  plain_.first_serial = 1;
  plain_.self = this;
  plain_.reply = reply;
  plain_.fail = fail;
  plain_.done = done;
  plain_.forward = forward;
  plain_.reply_header = reply_header;
  plain_.header = header;
  plain_.session = session;
  plain_.parked = find_parked;
  plain_.defer = defer;
  plain_.finish = finish;
  plain_.begin_wait = begin_wait;
  plain_.forget_wait = forget_wait;
  plain_.wake_up = wake_up;
  plain_.wake_after = wake_after;
  plain_.now = now;
  plain_.unix_time = unix_time;
}

void LuaBridge::begin(std::span<const Delivery> batch) {
  GW_CHECK(batch.size() <= kBatchMax);
  batch_ = batch;
  for (size_t i = 0; i < batch.size(); ++i) {
    fill(plain_.records[i], batch[i]);
    plain_.records[i].serial = plain_.first_serial + static_cast<double>(i);
  }
  plain_.next = 0;
  plain_.count = static_cast<uint32_t>(batch.size());
}

size_t LuaBridge::end() {
  const size_t begun = plain_.count;
  plain_.first_serial += plain_.count;
  plain_.count = 0;
  plain_.next = 0;
  batch_ = {};
  return begun;
}

void LuaBridge::fill(gw_record& record, const Delivery& delivery) {
  record.delivery = &delivery;
  record.action = to_plain(delivery.action);
  record.body = to_plain(as_text(delivery.body));
  record.id = to_lua_id(delivery.message_id);
  record.id_wide = delivery.message_id;
  record.deadline = to_seconds(delivery.deadline);
  record.handler = delivery.handler + 1;
  const SessionCache::Place place = delivery.session ? sessions_.place(*delivery.session) : SessionCache::Place{};
  record.session = place.slot;
  record.version = place.version;
  record.header_count = static_cast<uint32_t>(delivery.headers.size());
  record.kind = static_cast<uint8_t>(delivery.kind);
  record.state = GW_OPEN;
}

bool LuaBridge::has_failed() {
  const bool unfinished = plain_.next > 0 && plain_.records[plain_.next - 1].state != GW_OVER;
  if (unfinished) return true;
  if (!has_next()) return false;
  plain_.next += 1;
  return true;
}

void LuaBridge::fail_current(Code code, std::string_view text, Duration retry_after) {
  gw_record& record = plain_.records[plain_.next - 1];
  if (record.state == GW_OPEN) sink_->fail_for(current().ticket, code, text, retry_after);
  if (record.state == GW_DEFERRED) fail_parked(record.serial, code, text, retry_after);
  record.state = GW_OVER;
  reply_header_count_ = 0;
  stop_if_enough();
}

void LuaBridge::pass_current() {
  gw_record& record = plain_.records[plain_.next - 1];
  if (record.state == GW_OPEN) sink_->done(current().ticket);
  record.state = GW_OVER;
  reply_header_count_ = 0;
  stop_if_enough();
}

double LuaBridge::park_current() {
  gw_record& record = plain_.records[plain_.next - 1];
  const Delivery& delivery = current();
  if (record.state != GW_DEFERRED) {
    const Registration& registration = registrations_[delivery.handler];
    parked_.park(record, delivery, registration.timeout.value_or(handler_timeout_));
    sink_->suspend(delivery.ticket, registration.ordered);
  }
  record.state = GW_OVER;
  stop_if_enough();
  return record.serial;
}

/// The batch ends with the message in hand; the Lua loop finds no next one.
void LuaBridge::stop_if_enough() {
  if (sink_->enough() && plain_.count > plain_.next) plain_.count = plain_.next;
}

bool LuaBridge::in_batch(const gw_record& record) const {
  return &record >= plain_.records && &record < plain_.records + kBatchMax;
}

/// The message that running code handles: parked, or the batch's; null in a task.
const Delivery* LuaBridge::in_hand() const {
  if (plain_.current != 0) return parked_.contains(plain_.current) ? &parked_.delivery(plain_.current) : nullptr;
  return plain_.task == 0 && plain_.next > 0 ? &batch_[plain_.next - 1] : nullptr;
}

/// Null: the message is over.
const Delivery* LuaBridge::find(double serial) const {
  const double index = serial - plain_.first_serial;
  if (index >= 0 && index < plain_.count) {
    const auto at = static_cast<size_t>(index);
    return plain_.records[at].state != GW_OVER ? &batch_[at] : nullptr;
  }
  return parked_.contains(serial) ? &parked_.delivery(serial) : nullptr;
}

Status LuaBridge::notify(double serial, SessionKey sender, session::Bound place, const Outgoing& event) const {
  const Delivery* delivery = find(serial);
  if (!delivery) return godwit::fail(Code::kStaleHandle, "the message is over");
  if (!delivery->session || delivery->session->id != sender)
    return godwit::fail(Code::kArgumentInvalid, "the message is one of another session");
  if (!sink_) return godwit::fail(Code::kNotNow);
  return sink_->notify(*delivery, place, event);
}

std::optional<Duration> LuaBridge::time_left() const {
  const Delivery* delivery = in_hand();
  if (!delivery || delivery->deadline == kNever) return std::nullopt;
  return delivery->deadline - clock_.now();
}

void LuaBridge::fail_parked(double serial, Code code, std::string_view text, Duration retry_after) {
  const gw_record* record = parked_.find(serial);
  if (!record) return;
  const bool open = record->state == GW_OPEN || record->state == GW_DEFERRED;
  if (open) sink_->fail_for(delivery_of(*record).ticket, code, text, retry_after);
  parked_.erase(serial);
}

void LuaBridge::finish_parked(double serial) {
  const gw_record* record = parked_.find(serial);
  if (!record || record->state == GW_DEFERRED) return;
  if (record->state == GW_OPEN) sink_->done(delivery_of(*record).ticket);
  parked_.erase(serial);
}

void LuaBridge::show(const Wake& wake) {
  wake_headers_.clear();
  for (const auto& [name, value] : wake.headers) wake_headers_.push_back({to_plain(name), to_plain(value)});
  plain_.wake = {.code = static_cast<uint32_t>(wake.code),
                 .header_count = static_cast<uint32_t>(wake_headers_.size()),
                 .text = to_plain(wake.text),
                 .body = to_plain(wake.body),
                 .headers = wake_headers_.data(),
                 .number = wake.number};
}

uint32_t LuaBridge::settle(gw_record& record, ReplyOutcome outcome) {
  if (in_batch(record)) stop_if_enough();
  switch (outcome) {
    case ReplyOutcome::kAccepted: {
      // A deferred message is over with its answer; one whose handler goes on, with its handler.
      const bool deferred = std::exchange(record.state, GW_ANSWERED) == GW_DEFERRED;
      if (deferred) parked_.erase(record.serial);
      return 0;
    }
    case ReplyOutcome::kStale: return static_cast<uint32_t>(Code::kStaleHandle);
    case ReplyOutcome::kNotExpected: return static_cast<uint32_t>(Code::kReplyNotExpected);
    case ReplyOutcome::kTooLarge: return static_cast<uint32_t>(Code::kMessageTooLarge);
    case ReplyOutcome::kQueueFull: return static_cast<uint32_t>(Code::kQueueFull);
  }
  return static_cast<uint32_t>(Code::kInternal);
}

uint32_t LuaBridge::reply(void* self, gw_record* record, const char* body, uint32_t body_size) noexcept {
  LuaBridge& bridge = bridge_of(self);
  const std::span headers = std::span(bridge.reply_headers_).first(std::exchange(bridge.reply_header_count_, 0));
  if (record->state == GW_ANSWERED) return static_cast<uint32_t>(Code::kReplyTwice);
  if (!bridge.sink_) return static_cast<uint32_t>(Code::kNotNow);
  return bridge.settle(*record, bridge.sink_->reply(delivery_of(*record).ticket, as_bytes({body, body_size}), headers));
}

uint32_t LuaBridge::fail(void* self, gw_record* record, uint32_t code, const char* text, uint32_t text_size,
                         double retry_after) noexcept {
  LuaBridge& bridge = bridge_of(self);
  if (record->state == GW_ANSWERED) return static_cast<uint32_t>(Code::kReplyTwice);
  if (!bridge.sink_) return static_cast<uint32_t>(Code::kNotNow);
  const std::string_view bounded = std::string_view(text, text_size).substr(0, limits::kTextBytesMax);
  const auto wait = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(retry_after));
  return bridge.settle(*record,
                       bridge.sink_->fail_for(delivery_of(*record).ticket, static_cast<Code>(code), bounded, wait));
}

void LuaBridge::done(void* self, gw_record* record) noexcept {
  LuaBridge& bridge = bridge_of(self);
  bridge.sink_->done(delivery_of(*record).ticket);
  bridge.stop_if_enough();
}

uint32_t LuaBridge::forward(void* self, gw_record* record, const char* action, uint32_t action_size) noexcept {
  LuaBridge& bridge = bridge_of(self);
  if (record->state == GW_ANSWERED) return static_cast<uint32_t>(Code::kReplyTwice);
  if (!bridge.sink_) return static_cast<uint32_t>(Code::kNotNow);
  const Status sent = bridge.sink_->forward(delivery_of(*record), {action, action_size});
  const Code code = sent ? Code::kOk : sent.error().code;
  if (code == Code::kOk || code == Code::kForwardLimit) bridge.settle(*record, ReplyOutcome::kAccepted);
  return static_cast<uint32_t>(code);
}

bool LuaBridge::reply_header(void* self, const char* name, uint32_t name_size, const char* value,
                             uint32_t value_size) noexcept {
  LuaBridge& bridge = bridge_of(self);
  if (bridge.reply_header_count_ == kReplyHeadersMax) {
    bridge.reply_header_count_ = 0;
    return false;
  }
  bridge.reply_headers_[bridge.reply_header_count_++] = {{name, name_size}, {value, value_size}};
  return true;
}

void LuaBridge::header(void* self, const gw_record* record, uint32_t position) noexcept {
  const wire::Header& header = delivery_of(*record).headers[position];
  bridge_of(self).plain_.found_header = {to_plain(header.name), to_plain(header.value)};
}

void LuaBridge::session(void* self, const gw_record* record) noexcept {
  const SessionView& session = *delivery_of(*record).session;
  bridge_of(self).plain_.found_session = {to_lua_id(session.id), session.id, to_plain(session.client_id),
                                          to_plain(session.uid), to_plain(session.address)};
}

gw_record* LuaBridge::find_parked(void* self, double serial) noexcept { return bridge_of(self).parked_.find(serial); }

/// While its handler runs the message is still the batch's; its answer comes from the parked copy.
uint32_t LuaBridge::defer(void* self, gw_record* record) noexcept {
  LuaBridge& bridge = bridge_of(self);
  if (record->state == GW_ANSWERED) return static_cast<uint32_t>(Code::kReplyTwice);
  if (record->state == GW_DEFERRED) return 0;
  record->state = GW_DEFERRED;
  if (!bridge.in_batch(*record)) return 0;  // parked already: its handler had waited
  const Delivery& delivery = delivery_of(*record);
  const Registration& registration = bridge.registrations_[delivery.handler];
  bridge.parked_.park(*record, delivery, registration.timeout.value_or(bridge.handler_timeout_));
  bridge.sink_->suspend(delivery.ticket, false);
  return 0;
}

void LuaBridge::finish(void* self, double serial) noexcept { bridge_of(self).finish_parked(serial); }

double LuaBridge::begin_wait(void* self) noexcept {
  return static_cast<double>(bridge_of(self).waits_.begin().value_or(0));
}

void LuaBridge::forget_wait(void* self, double token) noexcept {
  bridge_of(self).waits_.forget(static_cast<WaitToken>(token));
}

void LuaBridge::wake_up(void* self, double token, uint32_t code, double number) noexcept {
  bridge_of(self).waits_.complete(
      static_cast<WaitToken>(token),
      {.code = static_cast<Code>(code), .text = {}, .body = {}, .headers = {}, .number = number});
}

void LuaBridge::wake_after(void* self, double token, double seconds) noexcept {
  LuaBridge& bridge = bridge_of(self);
  bridge.waits_.complete_at(static_cast<WaitToken>(token), bridge.clock_.now() + from_seconds(seconds));
}

double LuaBridge::now(void* self) noexcept { return to_seconds(bridge_of(self).clock_.measure()); }

double LuaBridge::unix_time(void* self) noexcept { return static_cast<double>(bridge_of(self).clock_.unix_us()) / 1e6; }

}  // namespace godwit::host
