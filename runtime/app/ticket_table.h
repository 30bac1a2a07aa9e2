#pragma once

#include <map>
#include <utility>
#include <vector>

#include "app/queued_message.h"
#include "host/handler.h"

namespace godwit::app {

/// Where the verdict of a delivered message goes.
struct PendingTicket {
  uint32_t generation = 1;
  bool used = false;
  bool suspended = false;
  bool holds = false;    ///< later messages of its session wait for it
  bool refused = false;  ///< its handler never saw it
  uint32_t unit = 0;     ///< whose handler has it
  wire::Kind kind{};
  session::SessionId session;
  uint64_t seq = 0;
  uint64_t message_id = 0;
  Timestamp received{};
  uint32_t after_delta = 0;
  uint32_t ttl_ms = 0;
  uint32_t deadline_ms = 0;
  uint8_t hops = 0;
  std::shared_ptr<host::OnceRun> run;  ///< hears the verdict first
  std::string spoken;                  ///< as QueuedMessage has it

  ReplyAddress address() const { return {session, message_id, spoken}; }
};

/// The messages that are with their handlers, by ticket. A ticket that was released is never found again.
class TicketTable {
 public:
  ~TicketTable();

  host::Ticket issue(const QueuedMessage& queued);
  /// Null: it is stale. Valid until the next is issued.
  PendingTicket* find(host::Ticket ticket);
  /// The handler goes on with it in a later turn. `ticket` is one that is found.
  void suspend(host::Ticket ticket);
  /// The request with this id among those that are suspended; no ticket when there is none.
  host::Ticket suspended(session::SessionId session, uint64_t message_id) const;
  /// `ticket` is one that is found.
  void release(host::Ticket ticket);
  size_t size() const { return tickets_.size() - free_.size(); }

 private:
  std::vector<PendingTicket> tickets_;
  std::vector<uint32_t> free_;
  std::map<std::pair<uint64_t, uint64_t>, host::Ticket> suspended_;  ///< requests, by session and message id
};

}  // namespace godwit::app
