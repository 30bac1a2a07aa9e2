#pragma once

#include <deque>
#include <unordered_map>

#include "app/dispatcher.h"
#include "app/worker_services.h"
#include "host/key_relay.h"

namespace godwit::app {

/// The messages with a key of their own that belong to this worker, and the way there from the others. Each key belongs
/// to one worker. A message is carried there as a copy; its ticket waits where it came in, and hears the verdict. One
/// per worker.
class KeyDesk final : public host::KeyRelay, public host::ReplySink {
 public:
  struct Options {
    uint32_t worker = 0;
    uint32_t workers = 1;
    size_t messages_max = 1000;  ///< waiting here; beyond, senders get DispatcherFull
  };
  KeyDesk(const Options& options, const Clock& clock, WorkerServices& services);

  /// Enters handlers with what waits, as long as `sink` has not had enough. True when something is left.
  bool run(Dispatcher::Handlers& handlers, host::ReplySink& sink);
  size_t waiting() const { return waiting_; }

  // From other workers.
  void arrive(uint32_t from, CarryErrand errand);
  void hear(const VerdictErrand& errand);

  // host::KeyRelay
  bool has_carried(host::Ticket ticket) const override { return (ticket.bits & kMark) != 0; }
  void carry(std::string_view key, const host::Delivery& delivery, host::ReplySink& sink) override;

  // host::ReplySink, for tickets that it has made.
  host::ReplyOutcome reply(host::Ticket ticket, Bytes body, std::span<const wire::Header> headers) override;
  host::ReplyOutcome fail(host::Ticket ticket, Code code, std::string_view text) override;
  host::ReplyOutcome fail_for(host::Ticket ticket, Code code, std::string_view text, Duration retry_after) override;
  void done(host::Ticket ticket) override;
  void suspend(host::Ticket ticket, bool ordered) override;
  bool enough() const override { return false; }

 private:
  static constexpr uint64_t kMark = uint64_t{1} << 63;  ///< of its tickets; no other has it

  struct Carried {
    CarryErrand errand;
    uint32_t from = 0;
    host::SessionView view;
    uint32_t generation = 1;
    bool used = false;
    bool holds = false;  ///< later messages with its key wait for it
  };
  /// What waits with one key.
  struct Lane {
    std::deque<uint32_t> waiting;
    size_t held = 0;
    bool listed = false;
  };

  host::Ticket ticket_of(uint32_t slot) const { return {kMark | uint64_t{slots_[slot].generation} << 32 | slot}; }
  Carried* find(host::Ticket ticket);
  uint32_t put(uint32_t from, CarryErrand errand);
  void list(uint64_t key);
  bool enter_next(uint64_t key, Dispatcher::Handlers& handlers, host::ReplySink& sink);
  void enter(uint32_t slot, host::Handler& handler, uint32_t index, host::ReplySink& sink);
  void tell(host::Ticket ticket, Carried& carried, VerdictErrand verdict);
  void release(uint32_t slot);

  const Options options_;
  const Clock& clock_;
  WorkerServices& services_;
  host::ReplySink* origin_ = nullptr;  ///< where the tickets that were carried from here wait
  std::deque<Carried> slots_;
  std::vector<uint32_t> free_;
  std::unordered_map<uint64_t, Lane> lanes_;  ///< by key
  std::deque<uint64_t> listed_;               ///< keys with something to do
  size_t waiting_ = 0;
};

}  // namespace godwit::app
