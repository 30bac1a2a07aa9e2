#include "claimant_node.h"
#include "payload.h"
#include "scenario.h"
#include "server_node.h"

// Who may have a session: the proofs that are good, and all the others.

namespace godwit::sim {
namespace {

using Attempt = ClaimantNode::Attempt;

class Story {
 public:
  explicit Story(World& world) : world_(world) {
    world.network().set(claimant_, {.delay = Duration(world.random().between(1, 80) * 1'000'000)});
  }

  Attempt& come(ClaimantNode::Claim claim) {
    Attempt& attempt = claimant_.come(std::move(claim));
    expect(world_.run_until([&] { return attempt.decided(); }, 10s), "no decision");
    return attempt;
  }
  /// Takes the session up with a good proof, and shows that it read the Welcome.
  Attempt& take_up(const std::string& token) {
    Attempt& attempt = come({.token = token, .known = events_});
    expect(attempt.welcomed && attempt.resumed && attempt.lost == Code::kOk, "a good proof was refused");
    speak(attempt);
    return attempt;
  }
  /// The session is heard over this connection.
  void speak(Attempt& attempt) {
    claimant_.send_event(attempt, ++events_, true);
    expect(world_.run_until([&] { return attempt.acknowledged == events_; }, 5s), "the session does not go on");
  }
  /// What comes by this connection has no effect: the ledger knows nothing of such an event.
  void speak_in_vain(Attempt& attempt) {
    claimant_.send_event(attempt, events_ + 1, false);
    world_.run(1s);
  }
  void expect_refused(const ClaimantNode::Claim& claim, Code code) {
    const Attempt& attempt = come(claim);
    expect(attempt.refused == code, "not refused with " + name_of(code));
  }
  void expect_superseded(const Attempt& attempt) {
    expect(world_.run_until([&] { return attempt.closed.has_value(); }, 5s), "the last connection lives on");
  }
  /// The session has its connection, and the server reaches the client by it.
  void expect_attached(const Attempt& attempt) {
    expect(server_.core().sessions().parted() == 0, "the end of an older connection parted the session");
    const size_t received = attempt.received.size();
    expect(server_.push(attempt.claim.client_id, make_body(world_.seed(), 20)), "the server cannot push");
    expect(world_.run_until([&] { return attempt.received.size() > received; }, 5s), "a push goes elsewhere");
  }
  void expect(bool holds, std::string_view what) { world_.expect(holds, what); }

  ServerNode& server() { return server_; }
  ClaimantNode& claimant() { return claimant_; }
  uint64_t events() const { return events_; }

 private:
  World& world_;
  ServerNode server_{world_};
  ClaimantNode claimant_{world_};
  uint64_t events_ = 0;
};

}  // namespace

void claims(World& world) {
  Story story(world);
  Attempt& first = story.come({});
  story.expect(first.welcomed && !first.resumed && !first.token.empty(), "not welcomed");
  story.speak(first);
  Attempt& second = story.take_up(first.token);
  story.speak_in_vain(first);
  story.expect_superseded(first);
  story.expect_attached(second);
  // Each proof serves once, and an older one never again.
  story.expect_refused({.token = first.token, .known = story.events()}, Code::kSuperseded);
  Attempt& third = story.take_up(second.token);
  story.expect_refused({.token = second.token, .known = story.events()}, Code::kSuperseded);
  story.expect_refused({.token = first.token, .known = story.events()}, Code::kSuperseded);
  // Who claims to have what was never sent is refused, and the session is as it was.
  story.expect_refused({.token = third.token, .handled = 99, .known = story.events()}, Code::kSequenceInvalid);
  story.expect_refused({.token = third.token, .known = story.events() + 1}, Code::kSequenceInvalid);
  story.expect_attached(third);
  story.speak(third);
  // Somebody else with a stolen proof, and somebody with an invented one, get a session of their own and are told why.
  const Attempt& thief = story.come({.client_id = "thief", .token = third.token});
  story.expect(thief.welcomed && !thief.resumed && thief.lost == Code::kSessionLost, "a stolen proof served");
  const Attempt& dreamer = story.come({.client_id = "dreamer", .token = "00ff"});
  story.expect(dreamer.welcomed && !dreamer.resumed && dreamer.lost == Code::kSessionLost, "an invented proof served");
  story.speak(third);
  story.expect(story.server().core().session_count() == 3, "there are not three sessions");
}

void rivals(World& world) {
  Story story(world);
  Attempt& first = story.come({});
  story.speak(first);
  // Two show the same proof at the same time.
  Attempt& a = story.claimant().come({.token = first.token, .known = story.events()});
  Attempt& b = story.claimant().come({.token = first.token, .known = story.events()});
  story.expect(world.run_until([&] { return a.decided() && b.decided(); }, 10s), "no decision");
  world.run(5s);
  story.expect(a.closed.has_value() != b.closed.has_value(), "not exactly one has the session");
  Attempt& winner = a.closed ? b : a;
  story.expect(winner.resumed, "the session was lost");
  story.speak(winner);
  story.expect_attached(winner);
  story.expect(story.server().core().session_count() == 1, "there is not one session");
}

}  // namespace godwit::sim
