#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "port/store.h"
#include "session/identity.h"
#include "session/reply.h"
#include "store/engine.h"
#include "wire/stored_message.h"

namespace godwit::app {

/// What another process needs to go on with a session.
struct DurableSession {
  uint32_t worker = 0;
  uint32_t epoch = 0;
  int64_t born_unix_us = 0;
  session::Identity identity;

  std::string encode() const;
  /// nullopt: these bytes are none.
  static std::optional<DurableSession> decode(std::string_view bytes);
};

/// An event that its client has not acknowledged.
struct DurableEvent {
  uint64_t id = 0;
  wire::StoredMessage message;
};

/// What of one worker's sessions outlives the process: the sessions themselves, and events until their clients have
/// them. Of a session that ends nothing stays; of a server that ends, all.
class DurableBook final : public session::ReplyWaiter {
 public:
  /// `first` is higher than all ids that earlier processes gave to events; `worker` keeps those of workers apart.
  DurableBook(Store& store, Log log, uint64_t first, uint32_t worker);

  void put(const DurableSession& session);
  void remove(const session::Identity& identity, int64_t born_unix_us);

  struct Owner {
    std::string client_id;
    int64_t born_unix_us;
  };
  uint64_t next_id() { return last_ += kIdStep; }
  /// `done` hears when it is as durable as the store makes it, or why it is not kept.
  void put_event(const Owner& owner, uint64_t id, const wire::StoredMessage& message, std::function<void(Status)> done);
  /// Who hears of an event that was sent that its client has it, or that nobody will: it is forgotten then.
  session::Waiting waiting(const Owner& owner, uint64_t id);
  void forget_event(const Owner& owner, uint64_t id);

  /// The process ends: from here on nothing is forgotten, whatever becomes of sessions.
  void stop() { stopped_ = true; }
  size_t events() const { return waiting_.size(); }

  struct Restored {
    DurableSession session;
    std::vector<DurableEvent> events;  ///< in their order
  };
  /// All that an earlier process has left. What cannot be read is in the log, and left out.
  static Result<std::vector<Restored>> read(store::Engine& engine, const Log& log);

 private:
  static constexpr uint64_t kIdStep = 256;  ///< the lowest byte is the worker's

  void on_reply(uint64_t id, const session::Reply& reply) override;
  void apply(StoreStep step, std::string_view what);

  Store& store_;
  Log log_;
  uint64_t last_;
  bool stopped_ = false;
  std::unordered_map<uint64_t, Owner> waiting_;  ///< whose events were sent and not acknowledged
  std::shared_ptr<DurableBook*> self_ = std::make_shared<DurableBook*>(this);  ///< the store's answers hold it weakly
};

}  // namespace godwit::app
