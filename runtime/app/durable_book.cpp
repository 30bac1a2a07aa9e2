#include "app/durable_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hex.h"
#include "wire/codec.h"

namespace godwit::app {
namespace {

// durable/CLIENT/BORN/s, and behind it the events, …/eID in the order of their ids: CLIENT in hexadecimal digits,
// numbers in sixteen.
constexpr std::string_view kPrefix = "durable/";
constexpr uint8_t kFormat = 1;

std::string key_of(std::string_view client_id, int64_t born_unix_us) {
  return fmt::format("{}{}/{:016x}/", kPrefix, to_hex(as_bytes(client_id)), static_cast<uint64_t>(born_unix_us));
}
std::string event_key(const DurableBook::Owner& owner, uint64_t id) {
  return fmt::format("{}e{:016x}", key_of(owner.client_id, owner.born_unix_us), id);
}

void put_number(std::string& to, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) to.push_back(static_cast<char>(number >> shift));
}
void put_text(std::string& to, std::string_view text) {
  put_number(to, text.size());
  to += text;
}
void put_texts(std::string& to, const std::vector<std::string>& texts) {
  put_number(to, texts.size());
  for (const std::string& text : texts) put_text(to, text);
}

/// Once something is missing everything read is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  uint64_t number() {
    if (left_.size() < 8) return left_ = {}, ok_ = false, 0;
    uint64_t number = 0;
    for (size_t i = 0; i < 8; ++i) number |= uint64_t{static_cast<uint8_t>(left_[i])} << (8 * i);
    left_.remove_prefix(8);
    return number;
  }
  std::string text() {
    const uint64_t size = number();
    if (size > left_.size()) return left_ = {}, ok_ = false, std::string();
    std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (uint64_t count = number(); ok_ && count > 0; --count) all.push_back(text());
    return all;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

void put_value(std::string& to, const std::variant<std::string, double, bool>& value) {
  put_number(to, value.index());
  if (const auto* text = std::get_if<std::string>(&value)) return put_text(to, *text);
  const double number = value.index() == 1 ? std::get<double>(value) : std::get<bool>(value);
  put_number(to, std::bit_cast<uint64_t>(number));
}
std::variant<std::string, double, bool> read_value(Reader& reader) {
  const uint64_t index = reader.number();
  if (index == 0) return reader.text();
  const double number = std::bit_cast<double>(reader.number());
  if (index == 1) return number;
  return number != 0;
}

/// One Message frame, as on the shared lane.
Result<std::string> to_bytes(const wire::StoredMessage& message) {
  wire::Codec codec;
  wire::Envelope envelope = message.envelope();
  envelope.seq = 1;  // a frame has one; the session gives another
  const auto head = codec.encode_message(envelope, message.body().size());
  if (!head) return tl::unexpected(head.error());
  return std::string(as_text(*head)) + std::string(as_text(message.body()));
}

std::optional<wire::StoredMessage> to_message(std::string_view bytes) {
  wire::Codec codec;
  const auto cut = wire::cut_frame(as_bytes(bytes), bytes.size() + 1);
  if (!cut || cut->state != wire::FrameCut::State::kFrame || cut->bytes != bytes.size()) return std::nullopt;
  const auto message = codec.decode_message(cut->frame.payload);
  if (!message) return std::nullopt;
  return wire::StoredMessage(message->envelope, message->body);
}

}  // namespace

std::string DurableSession::encode() const {
  std::string bytes;
  put_number(bytes, kFormat);
  put_number(bytes, worker);
  put_number(bytes, epoch);
  put_number(bytes, static_cast<uint64_t>(born_unix_us));
  put_text(bytes, identity.client_id);
  put_text(bytes, identity.uid);
  put_text(bytes, identity.credential);
  put_number(bytes, identity.proved);
  put_number(bytes, static_cast<uint64_t>(identity.expires_unix_us));
  put_texts(bytes, identity.groups);
  put_texts(bytes, identity.rights.actions);
  put_number(bytes, identity.rights.body_bytes_max);
  put_number(bytes, identity.rights.sessions_max);
  put_number(bytes, identity.attributes.size());
  for (const auto& [name, value] : identity.attributes) {
    put_text(bytes, name);
    put_value(bytes, value);
  }
  return bytes;
}

std::optional<DurableSession> DurableSession::decode(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.number() != kFormat) return std::nullopt;
  DurableSession session;
  session::Identity& identity = session.identity;
  session.worker = static_cast<uint32_t>(reader.number());
  session.epoch = static_cast<uint32_t>(reader.number());
  session.born_unix_us = static_cast<int64_t>(reader.number());
  identity.client_id = reader.text();
  identity.uid = reader.text();
  identity.credential = reader.text();
  identity.proved = reader.number() != 0;
  identity.expires_unix_us = static_cast<int64_t>(reader.number());
  identity.groups = reader.texts();
  identity.rights.actions = reader.texts();
  identity.rights.body_bytes_max = reader.number();
  identity.rights.sessions_max = static_cast<uint32_t>(reader.number());
  for (uint64_t count = reader.number(); reader.ok() && count > 0; --count) {
    std::string name = reader.text();
    identity.attributes.emplace_back(std::move(name), read_value(reader));
  }
  return reader.at_end() ? std::optional(std::move(session)) : std::nullopt;
}

DurableBook::DurableBook(Store& store, Log log, uint64_t first, uint32_t worker)
    : store_(store), log_(log), last_(first / kIdStep * kIdStep + worker % kIdStep) {}

void DurableBook::apply(StoreStep step, std::string_view what) {
  StoreBatch batch;
  batch.push_back(std::move(step));
  store_.apply(std::move(batch), [alive = std::weak_ptr(self_), what](Result<StoreVerdict> verdict) {
    const auto self = alive.lock();
    if (!verdict && self) (*self)->log_.error("the store refuses", {{"what", what}, {"error", verdict.error().text}});
  });
}

void DurableBook::put(const DurableSession& session) {
  apply({.key = key_of(session.identity.client_id, session.born_unix_us) + "s", .value = session.encode()},
        "a session");
}

void DurableBook::remove(const session::Identity& identity, int64_t born_unix_us) {
  if (stopped_) return;
  apply({.what = StoreStep::What::kRemove, .key = key_of(identity.client_id, born_unix_us) + "s"}, "a session's end");
}

void DurableBook::put_event(const Owner& owner, uint64_t id, const wire::StoredMessage& message,
                            std::function<void(Status)> done) {
  auto bytes = to_bytes(message);
  if (!bytes) return done(tl::unexpected(std::move(bytes.error())));
  StoreBatch batch;
  batch.push_back({.key = event_key(owner, id),
                   .value = std::move(*bytes),
                   .ttl = std::chrono::milliseconds(message.envelope().ttl_ms)});
  store_.apply(std::move(batch), [alive = std::weak_ptr(self_), done = std::move(done)](Result<StoreVerdict> verdict) {
    if (alive.expired()) return;
    done(verdict ? Status() : tl::unexpected(std::move(verdict.error())));
  });
}

session::Waiting DurableBook::waiting(const Owner& owner, uint64_t id) {
  waiting_.emplace(id, owner);
  return {this, id};
}

void DurableBook::on_reply(uint64_t id, const session::Reply& reply) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end() || stopped_) return;
  const Owner owner = std::move(found->second);
  waiting_.erase(found);
  if (reply.status != wire::Status::kSuccess)
    log_.info("a durable event is given up", {{"client", owner.client_id}, {"code", reply.code}});
  forget_event(owner, id);
}

void DurableBook::forget_event(const Owner& owner, uint64_t id) {
  waiting_.erase(id);
  if (!stopped_) apply({.what = StoreStep::What::kRemove, .key = event_key(owner, id)}, "an event's end");
}

Result<std::vector<DurableBook::Restored>> DurableBook::read(store::Engine& engine, const Log& log) {
  std::map<std::string, Restored> found;  // by the front of their keys; those without a session have ended
  std::string after;
  for (;;) {
    auto page = engine.scan_now(std::string(kPrefix), after, Store::kScanMax);
    if (!page) return tl::unexpected(std::move(page.error()));
    for (StoreEntry& entry : *page) {
      const size_t slash = entry.key.rfind('/');
      const std::string front = entry.key.substr(0, slash + 1);
      const std::string_view rest = std::string_view(entry.key).substr(slash + 1);
      if (rest == "s") {
        auto session = DurableSession::decode(entry.value);
        if (session)
          found[front].session = std::move(*session);
        else
          log.error("a session cannot be restored", {{"key", entry.key}});
      } else if (auto message = to_message(entry.value); message && rest.size() == 17) {
        found[front].events.push_back({std::strtoull(rest.data() + 1, nullptr, 16), std::move(*message)});
      } else {
        log.error("an event cannot be restored", {{"key", entry.key}});
      }
      after = std::move(entry.key);
    }
    if (page->size() < Store::kScanMax) break;
  }
  std::vector<Restored> restored;
  for (auto& [front, one] : found) {
    if (!one.session.identity.client_id.empty()) restored.push_back(std::move(one));
  }
  std::sort(restored.begin(), restored.end(),
            [](const Restored& a, const Restored& b) { return a.session.born_unix_us < b.session.born_unix_us; });
  return restored;
}

}  // namespace godwit::app
