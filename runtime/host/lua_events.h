#pragma once

#include <lua.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "host/repeat_filter.h"
#include "host/session_event.h"
#include "port/clock.h"
#include "session/identity.h"

namespace godwit::host {

/// What an app is told and asked beside messages: sessions that came and went, clients that want to be let in. All of
/// it waits here, bounded, until the prelude takes it and makes a task of it; decisions go out when Lua has returned.
/// One per VM, which it must outlive; worker's thread.
class LuaEvents {
 public:
  LuaEvents(size_t waiting_max, const Clock& clock, const Log& log, const std::string& app)
      : waiting_max_(waiting_max), clock_(clock), log_(log), app_(app) {}
  LuaEvents(const LuaEvents&) = delete;
  LuaEvents& operator=(const LuaEvents&) = delete;

  bool hears(SessionEvent::What what) const { return heard_[static_cast<size_t>(what)]; }
  bool authenticates() const { return authenticates_; }
  /// The app hears of something, or is asked.
  bool wanted() const { return authenticates_ || std::find(heard_.begin(), heard_.end(), true) != heard_.end(); }

  /// Dropped, counted and logged when too many wait.
  void on_session(const SessionEvent& event);
  void ask(const session::Credentials& credentials, session::Authenticator::Decided done);

  bool waiting() const { return !waiting_.empty(); }
  /// What the app still has to hear, or to say.
  size_t pins() const { return waiting_.size() + questions_.size() + decisions_.size(); }
  uint64_t dropped() const { return dropped_; }

  /// Tells those who asked what was decided meanwhile; outside of Lua.
  void deliver();
  /// Nobody will decide any more.
  void refuse_all();

  /// Adds the table `events` to the table on top of the stack:
  ///   names                                      what hear takes
  ///   hear(name), authenticates()                while the app loads
  ///   next() → name, …                           what waited longest
  ///   drop(name)                                 it could not be begun
  ///   admit(question, uid, groups, attributes)   lists; attributes: name, value, name, value, …
  ///   refuse(question), pass(question)           pass: it is for others to know
  /// A question is decided once; later words about it are nothing.
  void add_to(lua_State* state);

 private:
  friend struct LuaEventFunctions;

  struct Question {
    double number = 0;
    session::Credentials credentials;
  };
  struct Open {
    double number = 0;
    std::string client_id;
    session::Authenticator::Decided done;
  };
  struct Decision {
    session::Authenticator::Decided done;
    Result<session::Identity> identity;
  };

  void note_dropped(std::string_view event);
  void decide(double number, Result<session::Identity> identity);
  std::deque<Open>::iterator find(double number);

  const size_t waiting_max_;
  const Clock& clock_;
  const Log& log_;
  const std::string& app_;
  std::array<bool, kSessionEvents> heard_ = {};
  bool authenticates_ = false;
  std::deque<std::variant<SessionEvent, Question>> waiting_;
  std::deque<Open> questions_;  ///< by number
  std::vector<Decision> decisions_;
  double last_question_ = 0;
  uint64_t dropped_ = 0;
  RepeatFilter drops_logged_;

  // What the function in progress owns: Lua's errors leave functions by unwinding, past no destructor.
  std::variant<SessionEvent, Question> taken_;
  session::Identity identity_;
  std::optional<Value> value_;
};

}  // namespace godwit::host
