#include "ledger.h"

#include <fmt/format.h>

#include "payload.h"
#include "world.h"

namespace godwit::sim {
namespace {

/// These codes promise that no handler has seen the message or ever will.
bool says_not_handled(Code code) {
  switch (code) {
    case Code::kHandlerNotFound:
    case Code::kDispatcherFull:
    case Code::kMessageExpired:
    case Code::kServerDraining:
    case Code::kFrameTruncated: return true;
    default: return false;
  }
}

}  // namespace

void Ledger::expect(bool holds, std::string_view what, const std::string& who, uint64_t id) {
  if (!holds) world_.expect(false, fmt::format("{} (message {} of {})", what, id, who));
}

Ledger::Record& Ledger::record(const std::string& who, uint64_t id) {
  std::vector<Record>& records = conversations_[who].records;
  if (id >= records.size()) records.resize(id + 1);
  return records[id];
}

void Ledger::sent(const std::string& who, uint64_t id, const Message& message) {
  Record& record = this->record(who, id);
  expect(!record.sent, "a number was used twice", who, id);
  record.message = message;
  record.sent = true;
  ++accepted_;
  open_ += message.awaited;
  world_.trace().note(who, "sent", id);
}

void Ledger::handled(const std::string& who, uint64_t id, uint64_t hash) {
  Record& record = this->record(who, id);
  world_.trace().note(who, "handled", id);
  expect(record.sent, "P4: handled, but never sent", who, id);
  expect(record.message.hash == hash, "P4: handled with other bytes than were sent", who, id);
  expect(!record.handled, "P2: handled twice", who, id);
  expect(!record.refused, "P8: handled although its sender was told it would not be", who, id);
  record.handled = true;
  ++handled_;
  if (!record.message.ordered) return;
  uint64_t& last = conversations_[who].last_ordered;
  expect(id > last, "P3: handled after a later one", who, id);
  last = id;
}

void Ledger::settled(const std::string& who, uint64_t id, const session::Reply& reply) {
  Record& record = this->record(who, id);
  world_.trace().note(who, "settled", id);
  world_.trace().note(name_of(reply.code), "code", static_cast<uint64_t>(reply.status));
  expect(record.sent && record.message.awaited, "settled, but nobody waits for it", who, id);
  expect(!record.settled, "P8: settled twice", who, id);
  record.settled = true;
  --open_;
  if (reply.status == wire::Status::kSuccess) {
    ++succeeded_;
    expect(record.handled, "P1: acknowledged before it was handled", who, id);
    const bool echoed = hash_bytes(reply.body) == record.message.body_hash;
    if (record.message.kind == Message::Kind::kRequest) expect(echoed, "P4: answered with other bytes", who, id);
    return;
  }
  ++failed_;
  ++failures_[reply.code];
  expect(reply.code != Code::kOk, "P8: a failure without a code", who, id);
  record.refused = says_not_handled(reply.code);
  expect(!record.refused || !record.handled, "P8: told that it was not handled, but it was", who, id);
}

void Ledger::sent_unreliable(const std::string& who, uint64_t hash) {
  expect(conversations_[who].unreliable.insert(hash).second, "the same unreliable event again", who, 0);
}

void Ledger::handled_unreliable(const std::string& who, uint64_t hash) {
  world_.trace().note(who, "handled unreliable", hash);
  expect(conversations_[who].unreliable.erase(hash) == 1, "P2, P4: handled twice, or never sent", who, 0);
  ++handled_unreliable_;
}

void Ledger::finish() {
  for (const auto& [who, conversation] : conversations_) {
    for (uint64_t id = 0; id < conversation.records.size(); ++id) {
      const Record& record = conversation.records[id];
      expect(!record.sent || !record.message.awaited || record.settled, "P8: never settled", who, id);
    }
  }
}

uint64_t Ledger::told(Code code) const {
  const auto found = failures_.find(code);
  return found == failures_.end() ? 0 : found->second;
}

}  // namespace godwit::sim
