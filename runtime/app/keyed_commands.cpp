#include "app/keyed_commands.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace godwit::app {
namespace {

/// How long a command without a deadline waits for another with its idempotency key.
constexpr Duration kKeyWait = 30s;

/// Of what a command asks for: its action and body.
uint64_t fingerprint_of(const host::Delivery& delivery) {
  const uint64_t seed = XXH3_64bits(delivery.action.data(), delivery.action.size());
  const uint64_t sum = XXH3_64bits_withSeed(delivery.body.data(), delivery.body.size(), seed);
  return sum == 0 ? 1 : sum;
}

/// Whose keys they are: the same key of another uid is another one.
std::string space_of(const host::SessionView* from) {
  if (!from) return "nobody";
  return from->uid.empty() ? fmt::format("client/{}", from->client_id) : fmt::format("uid/{}", from->uid);
}

/// The handler was not entered.
bool is_refusal(Code code) { return code == Code::kHandlerNotFound || code == Code::kHandlerSuspended; }

/// The handler was ended from outside.
bool is_interruption(Code code) {
  return code == Code::kScriptTimeout || code == Code::kScriptMemory || code == Code::kScriptRetired;
}

host::OnceOutcome outcome_of(const session::Reply& reply) {
  host::OnceOutcome outcome{reply.code, std::string(reply.text), std::string(as_text(reply.body)), {}};
  for (const wire::Header& header : reply.headers) outcome.headers.emplace_back(header.name, header.value);
  return outcome;
}

}  // namespace

const wire::Header* KeyedCommands::key_of(const QueuedMessage& queued, const host::Handler* handler) {
  const wire::Envelope& envelope = queued.message.envelope();
  if (queued.run || envelope.kind != wire::Kind::kCommand || envelope.headers.empty()) return nullptr;
  const auto key = std::find_if(envelope.headers.begin(), envelope.headers.end(),
                                [](const wire::Header& header) { return header.name == kKeyHeader; });
  if (key == envelope.headers.end()) return nullptr;
  return handler && handler->once(queued.target.handler) ? &*key : nullptr;
}

void KeyedCommands::ask(host::Once& once, const host::Delivery& delivery, QueuedMessage queued,
                        host::OnceOptions::BrokenOff broken) {
  const wire::Envelope& envelope = queued.message.envelope();
  const auto found = std::find_if(envelope.headers.begin(), envelope.headers.end(),
                                  [](const wire::Header& header) { return header.name == kKeyHeader; });
  const std::string space = space_of(delivery.session);
  const std::string key(found->value);
  const host::OnceOptions options{
      .wait = delivery.deadline == kNever ? kKeyWait : std::max(Duration(0), delivery.deadline - clock_.now()),
      .broken_off = broken,
      .fingerprint = fingerprint_of(delivery)};
  const host::Ticket ticket = delivery.ticket;
  asked_.emplace(ticket.bits, std::move(queued));
  once.begin(space, key, options, [weak = std::weak_ptr(self_), ticket](auto begun) {
    if (const auto self = weak.lock()) (*self)->on_begun(ticket, std::move(begun));
  });
}

void KeyedCommands::on_begun(host::Ticket ticket, Result<host::Once::Begun> begun) {
  const auto found = asked_.find(ticket.bits);
  QueuedMessage queued = std::move(found.value());
  asked_.erase(found);
  if (!begun) return events_.answer(ticket, queued, {begun.error().code, begun.error().text, {}, {}});
  if (!begun->run) return events_.answer(ticket, queued, begun->outcome);
  queued.run = std::move(begun->run);
  events_.execute(ticket, std::move(queued));
}

void KeyedCommands::keep(std::shared_ptr<host::OnceRun> run, const ReplyAddress& to, const session::Reply& reply) {
  host::OnceOutcome outcome = outcome_of(reply);
  if (is_interruption(reply.code)) run->enter();
  if (is_interruption(reply.code) || is_refusal(reply.code)) return events_.kept(to, outcome);
  kept_for_.insert({to.session.to_u64(), to.message_id});
  run->finish(outcome, [weak = std::weak_ptr(self_), to, outcome] {
    const auto self = weak.lock();
    if (!self) return;
    (*self)->kept_for_.erase({to.session.to_u64(), to.message_id});
    (*self)->events_.kept(to, outcome);
  });
}

}  // namespace godwit::app
