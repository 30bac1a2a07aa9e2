#include <algorithm>

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
  explicit Story(World& world) : world_(world), server_(world, serving()) {
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
  /// Half of the worlds: the server has given the connection up before the next comes. In the others that takes it
  /// over.
  void lose(const Attempt& attempt) {
    if (world_.seed() % 2 == 0) return;
    const size_t parted = server_.core().sessions().parted();
    claimant_.drop(attempt);
    expect(world_.run_until([&] { return server_.core().sessions().parted() > parted; }, 10s),
           "the loss was not noticed");
  }
  void expect(bool holds, std::string_view what) { world_.expect(holds, what); }

  ServerNode& server() { return server_; }
  ClaimantNode& claimant() { return claimant_; }
  uint64_t events() const { return events_; }

 private:
  World& world_;
  static ServerNode::Options serving() {
    ServerNode::Options options;
    options.core.session.heartbeat_interval = 2s;
    return options;
  }
  ServerNode server_;
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

namespace {

/// Three messages of a client as they lie on its shared lane: a request, an event behind it, and another request.
struct Exchange {
  explicit Exchange(wire::Codec& codec) {
    for (uint64_t seq = 1; seq <= 3; ++seq) {
      const bool event = seq == 2;
      const wire::Envelope envelope{.seq = seq,
                                    .after_delta = seq == 1 ? 0u : 1u,
                                    .kind = event ? wire::Kind::kEvent : wire::Kind::kCommand,
                                    .action = event ? "sink" : "echo"};
      const std::string body = std::to_string(seq);
      const Bytes front = *codec.encode_message(envelope, body.size());
      bytes.insert(bytes.end(), front.begin(), front.end());
      bytes.insert(bytes.end(), body.begin(), body.end());
      ends.push_back(bytes.size());
    }
  }
  void note(World& world, const std::string& client_id) const {
    for (uint64_t seq = 1; seq <= 3; ++seq) {
      const uint64_t hash = hash_message(seq == 2 ? "sink" : "echo", hash_bytes(as_bytes(std::to_string(seq))));
      world.ledger().sent(client_id, seq, {.hash = hash, .kind = Ledger::Message::Kind::kEvent, .awaited = false});
    }
  }
  /// How many are whole in so many bytes.
  uint64_t whole(size_t offset) const {
    return static_cast<uint64_t>(std::upper_bound(ends.begin(), ends.end(), offset) - ends.begin());
  }
  std::vector<uint8_t> bytes;
  std::vector<size_t> ends;
};

/// The connection goes after `offset` bytes, and the client comes back having read `read` of the two answers.
void cut_at(World& world, Story& story, const Exchange& exchange, size_t offset, uint64_t read) {
  const std::string client_id = "cut-" + std::to_string(offset) + "-" + std::to_string(read);
  exchange.note(world, client_id);
  Attempt& first = story.come({.client_id = client_id});
  story.claimant().write(first, Bytes(exchange.bytes).first(offset));
  world.run(400ms);
  const uint64_t arrived = exchange.whole(offset), answers = arrived / 2 + arrived % 2;
  const uint64_t handled = std::min(read, answers);
  story.lose(first);
  Attempt& second = story.come({.client_id = client_id, .token = first.token, .handled = handled});
  story.expect(second.resumed, "the session was lost at byte " + std::to_string(offset));
  story.expect(second.handled == arrived, "P6: the server says that it has another number of messages");
  const size_t had = arrived == 0 ? 0 : exchange.ends[arrived - 1];
  if (arrived < 3) story.claimant().write(second, Bytes(exchange.bytes).subspan(had));
  const auto complete = [&] { return second.acknowledged == 3 && second.received.size() == 2 - handled; };
  story.expect(world.run_until(complete, 5s), "not everything went on at byte " + std::to_string(offset));
  for (size_t i = 0; i < second.received.size(); ++i)
    story.expect(second.received[i] == handled + i + 1, "not exactly the rest of the answers was sent again");
}

}  // namespace

void every_byte(World& world) {
  Story story(world);
  const Exchange exchange(story.claimant().codec());
  for (uint64_t read = 0; read <= 2; ++read) {
    for (size_t offset = 0; offset <= exchange.bytes.size() && world.ok(); ++offset)
      cut_at(world, story, exchange, offset, read);
  }
  world.expect(world.ledger().handled() == 9 * (exchange.bytes.size() + 1), "not everything was handled once");
}

void every_greeting_byte(World& world) {
  Story story(world);
  std::string token = story.come({}).token;
  const size_t bytes = story.claimant().hello_bytes({.token = token});
  for (size_t cut = 0; cut <= bytes && world.ok(); ++cut) {
    const Attempt& attempt = story.claimant().come({.token = token, .known = story.events(), .hello_bytes = cut});
    world.run(400ms);
    story.claimant().drop(attempt);
    token = story.take_up(token).token;
  }
  story.expect(story.server().core().session_count() == 1, "there is not one session");
}

}  // namespace godwit::sim
