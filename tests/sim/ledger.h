#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "session/reply.h"

namespace godwit::sim {

class World;

/// In the ledger: who sends from the server to this client.
inline std::string downward(const std::string& client_id) { return "to " + client_id; }

/// Who sent what, what was handled, and what senders were told, compared as it happens. The promises, with their names:
///   P1 what was acknowledged or answered has been handled before    P2 nothing is handled twice
///   P3 ordered messages are handled in the order of sending         P4 nothing is handled that was not sent, byte for
///   byte P8 each accepted message settles exactly once, with a reply or a code, and a refusal means it was not handled
class Ledger {
 public:
  explicit Ledger(World& world) : world_(world) {}

  struct Message {
    uint64_t hash = 0;  ///< of action and body
    uint64_t body_hash = 0;
    enum class Kind : uint8_t { kRequest, kEvent } kind = Kind::kRequest;
    bool ordered = true;
    bool awaited = true;
  };
  /// `who` names one session in one direction; `id` is the message's number in it.
  void sent(const std::string& who, uint64_t id, const Message& message);
  void handled(const std::string& who, uint64_t id, uint64_t hash);
  void settled(const std::string& who, uint64_t id, const session::Reply& reply);
  /// Unreliable events have no number and may be lost; their bytes must be unlike those of all others.
  void sent_unreliable(const std::string& who, uint64_t hash);
  void handled_unreliable(const std::string& who, uint64_t hash);

  /// The end of a scenario: nothing may be open any more.
  void finish();

  uint64_t accepted() const { return accepted_; }
  uint64_t handled() const { return handled_; }
  uint64_t handled_unreliable() const { return handled_unreliable_; }
  uint64_t succeeded() const { return succeeded_; }
  uint64_t failed() const { return failed_; }
  /// Awaited and not settled yet.
  uint64_t open() const { return open_; }
  /// How often senders were told this code.
  uint64_t told(Code code) const;
  const std::map<Code, uint64_t>& failures() const { return failures_; }

 private:
  struct Record {
    Message message;
    bool sent = false;
    bool handled = false;
    bool settled = false;
    bool refused = false;  ///< its sender was told that no handler will ever have it
  };
  struct Conversation {
    std::vector<Record> records;    ///< by number
    uint64_t last_ordered = 0;      ///< of those handled
    std::set<uint64_t> unreliable;  ///< by hash: sent and not handled
  };
  Record& record(const std::string& who, uint64_t id);
  void expect(bool holds, std::string_view what, const std::string& who, uint64_t id);

  World& world_;
  std::unordered_map<std::string, Conversation> conversations_;
  std::map<Code, uint64_t> failures_;
  uint64_t accepted_ = 0, handled_ = 0, succeeded_ = 0, failed_ = 0, open_ = 0, handled_unreliable_ = 0;
};

}  // namespace godwit::sim
