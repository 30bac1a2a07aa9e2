#include "host/lua_bridge.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace godwit::host {
namespace {

LuaBridge& bridge_of(void* self) { return *static_cast<LuaBridge*>(self); }

double to_seconds(Timestamp at) {
  if (at == kNever) return std::numeric_limits<double>::infinity();
  return std::chrono::duration<double>(at.time_since_epoch()).count();
}

}  // namespace

LuaBridge::LuaBridge(const Clock& clock) : clock_(clock) {
  plain_.self = this;
  plain_.reply = reply;
  plain_.fail = fail;
  plain_.done = done;
  plain_.reply_header = reply_header;
  plain_.header = header;
  plain_.session = session;
  plain_.now = now;
  plain_.unix_time = unix_time;
}

void LuaBridge::begin(std::span<const Delivery> batch, ReplySink& sink) {
  GW_CHECK(batch.size() <= kBatchMax);
  batch_ = batch;
  sink_ = &sink;
  for (size_t i = 0; i < batch.size(); ++i) fill(plain_.records[i], batch[i]);
  plain_.next = 0;
  plain_.count = static_cast<uint32_t>(batch.size());
}

size_t LuaBridge::end() {
  const size_t begun = plain_.count;
  plain_.first_serial += plain_.count;
  plain_.count = 0;
  plain_.next = 0;
  batch_ = {};
  sink_ = nullptr;
  return begun;
}

void LuaBridge::fill(gw_record& record, const Delivery& delivery) {
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

void LuaBridge::fail_current(Code code, std::string_view text) {
  gw_record& record = plain_.records[plain_.next - 1];
  if (record.state == GW_OPEN) sink_->fail(current().ticket, code, text);
  record.state = GW_OVER;
  reply_header_count_ = 0;
  stop_if_enough();
}

/// The batch ends with the message in hand; the Lua loop finds no next one.
void LuaBridge::stop_if_enough() {
  if (sink_->enough()) plain_.count = plain_.next;
}

uint32_t LuaBridge::settle(uint32_t index, ReplyOutcome outcome) {
  gw_record& record = plain_.records[index];
  stop_if_enough();
  switch (outcome) {
    case ReplyOutcome::kAccepted: record.state = GW_ANSWERED; return 0;
    case ReplyOutcome::kStale: return static_cast<uint32_t>(Code::kStaleHandle);
    case ReplyOutcome::kNotExpected: return static_cast<uint32_t>(Code::kReplyNotExpected);
    case ReplyOutcome::kTooLarge: return static_cast<uint32_t>(Code::kMessageTooLarge);
    case ReplyOutcome::kQueueFull: return static_cast<uint32_t>(Code::kQueueFull);
  }
  return static_cast<uint32_t>(Code::kInternal);
}

uint32_t LuaBridge::reply(void* self, uint32_t index, const char* body, uint32_t body_size) noexcept {
  LuaBridge& bridge = bridge_of(self);
  const std::span headers = std::span(bridge.reply_headers_).first(std::exchange(bridge.reply_header_count_, 0));
  if (bridge.plain_.records[index].state != GW_OPEN) return static_cast<uint32_t>(Code::kReplyTwice);
  return bridge.settle(index, bridge.sink_->reply(bridge.batch_[index].ticket, as_bytes({body, body_size}), headers));
}

uint32_t LuaBridge::fail(void* self, uint32_t index, uint32_t code, const char* text, uint32_t text_size) noexcept {
  LuaBridge& bridge = bridge_of(self);
  if (bridge.plain_.records[index].state != GW_OPEN) return static_cast<uint32_t>(Code::kReplyTwice);
  const std::string_view bounded = std::string_view(text, text_size).substr(0, limits::kTextBytesMax);
  return bridge.settle(index, bridge.sink_->fail(bridge.batch_[index].ticket, static_cast<Code>(code), bounded));
}

void LuaBridge::done(void* self, uint32_t index) noexcept {
  LuaBridge& bridge = bridge_of(self);
  bridge.sink_->done(bridge.batch_[index].ticket);
  bridge.stop_if_enough();
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

void LuaBridge::header(void* self, uint32_t index, uint32_t position) noexcept {
  LuaBridge& bridge = bridge_of(self);
  const wire::Header& header = bridge.batch_[index].headers[position];
  bridge.plain_.found_header = {to_plain(header.name), to_plain(header.value)};
}

void LuaBridge::session(void* self, uint32_t index) noexcept {
  LuaBridge& bridge = bridge_of(self);
  const SessionView& session = *bridge.batch_[index].session;
  bridge.plain_.found_session = {to_lua_id(session.id), session.id, to_plain(session.client_id), to_plain(session.uid),
                                 to_plain(session.address)};
}

double LuaBridge::now(void* self) noexcept { return to_seconds(bridge_of(self).clock_.measure()); }

double LuaBridge::unix_time(void* self) noexcept { return static_cast<double>(bridge_of(self).clock_.unix_us()) / 1e6; }

}  // namespace godwit::host
