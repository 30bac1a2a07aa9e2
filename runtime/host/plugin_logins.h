#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "session/identity.h"

namespace godwit::host {

/// Clients of whom a plugin says later whether they may come in. Each is decided once, by its deadline; who asked hears
/// it when no code of the plugin is running. The worker's thread.
class PluginLogins {
 public:
  static constexpr size_t kWaitingMax = 10'000;  ///< per instance
  using Decision = Result<session::Identity>;

  enum class Outcome : uint8_t {
    kTaken,
    kStale,  ///< decided already, never asked about or put off, or its time is over
    kLimit,  ///< too many wait
  };

  /// The plugin is being asked about this client. Numbers are never used twice.
  uint64_t begin(const session::Credentials& credentials);
  /// While it is asked: it will decide later.
  Outcome defer(uint64_t login);
  /// It is being asked, and decides later.
  bool put_off(uint64_t login) const { return !waiting_.empty() && waiting_.back().login == login; }
  /// It has been asked. `done` is taken when it decides later, which is told by true.
  bool end(uint64_t login, session::Authenticator::Decided& done);

  /// It can still be decided.
  bool is_open(uint64_t login, Timestamp now) { return find(login, now) != nullptr; }
  /// The client's id comes from its credentials.
  Outcome admit(uint64_t login, std::string_view uid, Timestamp now);
  Outcome refuse(uint64_t login, Error why, Timestamp now);

  /// Tells those who asked what was decided, and forgets whose time is over. Never from within the plugin.
  void deliver(Timestamp now);
  /// Nobody will decide any more.
  void refuse_all();
  /// Not decided yet, or not told.
  size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    uint64_t login;
    std::string client_id;
    Timestamp deadline;
    session::Authenticator::Decided done = {};  ///< empty while it is being asked
    std::optional<Decision> decision = {};
  };
  Waiting* find(uint64_t login, Timestamp now);
  struct Asked {
    uint64_t login;
    std::string client_id;
    Timestamp deadline;
  };

  uint64_t last_ = 0;
  std::optional<Asked> asked_;
  std::deque<Waiting> waiting_;  ///< by number, which is nearly by deadline
  bool decided_ = false;         ///< of some the decision was not told yet
};

}  // namespace godwit::host
