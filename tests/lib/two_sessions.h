#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/worker_metrics.h"
#include "recording_waiter.h"
#include "session/session.h"
#include "virtual_time.h"
#include "wire/stored_message.h"

namespace godwit::testing {

/// Two sessions on one virtual clock, joined in memory: no bytes, no streams. Each message and acknowledgement travels
/// for as long as `delay` says, so the test decides who overtakes whom.
class TwoSessions {
 public:
  class Side final : session::Session::Owner, session::PromiseTable::Owner, session::Link {
   public:
    Side(TwoSessions& pair, const session::SessionConfig& config, size_t promises_max)
        : pair_(pair),
          promises_(promises_max, pair.time.clock, pair.time.timers, metrics, *this),
          session({0, 1}, config, {pair.time.clock, pair.time.timers, promises_, metrics, blocks_, *this}) {
      session.attach(*this);
    }

    /// What the handler does; by default it handles everything at once.
    std::function<void(const wire::Envelope&, Bytes)> on_arrival = [this](const wire::Envelope& envelope, Bytes) {
      session.handled(envelope.seq);
    };
    /// How long what this side sends is on its way.
    std::function<Duration(const wire::Envelope&)> delay = [](const wire::Envelope&) { return Duration(1ms); };
    Duration ack_travel = 1ms;
    Status send_outcome;  ///< an error here makes the link refuse messages

    struct SentAck {
      Timestamp at;
      uint64_t cumulative;
      std::vector<wire::Nack> nacks;
    };
    std::vector<std::string> arrived;  ///< actions, in the order in which they were released
    std::vector<SentAck> acks;
    std::vector<uint64_t> sent;  ///< numbers, as they went into the link
    std::vector<uint64_t> cancelled;
    bool knows_cancelled = false;  ///< says that the cancelled request was found
    Code closed = Code::kOk;
    uint64_t on_the_way = 0;  ///< what the link says of bytes that have not arrived
    WorkerMetrics metrics;
    RecordingWaiter waiter;

   private:
    friend class TwoSessions;
    void on_message(session::Session&, session::Incoming message) override {
      arrived.emplace_back(message.envelope.action);
      on_arrival(message.envelope, message.body);
    }
    void on_turn_wanted(session::Session&) override { turn_wanted_ = true; }
    void on_promise_expired(const session::Promise& promise) override { session.promise_expired(promise); }
    void on_promises_high(size_t, size_t) override {}

    Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) override {
      if (!send_outcome) return send_outcome;
      sent.push_back(envelope.seq);
      auto message = std::make_shared<wire::StoredMessage>(envelope, body);
      pair_.later(delay(envelope),
                  [&to = peer(), message] { to.session.receive(message->envelope(), message->body()); });
      return {};
    }
    void send_ack(const wire::Ack& ack) override {
      acks.push_back({pair_.time.clock.now(), ack.cumulative, {ack.nacks.begin(), ack.nacks.end()}});
      auto ranges = std::make_shared<std::vector<uint64_t>>(ack.ranges.begin(), ack.ranges.end());
      auto nacks = std::make_shared<std::vector<wire::Nack>>(ack.nacks.begin(), ack.nacks.end());
      for (wire::Nack& nack : *nacks) nack.text = {};  // its string does not outlive the call
      pair_.later(ack_travel, [&to = peer(), cumulative = ack.cumulative, ranges, nacks] {
        to.session.receive_ack({cumulative, *ranges, *nacks});
      });
    }
    void send_cancel(uint64_t message_id) override {
      pair_.later(ack_travel, [&to = peer(), message_id] { to.session.receive_cancel(message_id); });
    }
    uint64_t undelivered() const override { return on_the_way; }
    void close(Code code, std::string_view) override { closed = code; }
    bool on_cancel(session::Session&, uint64_t message_id) override {
      cancelled.push_back(message_id);
      return knows_cancelled;
    }

    Side& peer() { return this == pair_.client.get() ? *pair_.server : *pair_.client; }

    TwoSessions& pair_;
    bool turn_wanted_ = false;
    session::PromiseTable promises_;
    BlockPool blocks_{4, 256};

   public:
    session::Session session;
  };

  explicit TwoSessions(const session::SessionConfig& shared = {}, size_t promises_max = 50'000)
      : config(shared),
        client(std::make_unique<Side>(*this, config, promises_max)),
        server(std::make_unique<Side>(*this, config, promises_max)) {}

  /// Moves on, ending a turn after each thing that happened.
  void run(Duration by) {
    const Timestamp end = time.clock.now() + by;
    end_turn();
    for (;;) {
      const Timestamp next = std::min(time.timers.next(), events_.empty() ? kNever : events_.begin()->first);
      if (next > end) break;
      time.clock.move_to(std::max(next, time.clock.now()));
      time.timers.run(time.clock.now());
      for (auto due = events_.begin(); due != events_.end() && due->first <= next; due = events_.begin()) {
        auto action = std::move(due->second);
        events_.erase(due);
        action();
      }
      end_turn();
    }
    time.clock.move_to(end);
  }

  /// The connection is lost, and with it whatever is on its way.
  void cut() {
    events_.clear();
    client->session.detach();
    server->session.detach();
  }
  /// Another connection: both tell what they have, as Hello and Welcome do.
  void rejoin() {
    const session::Resync of_client = client->session.resync(), of_server = server->session.resync();
    REQUIRE(server->session.check(of_client));
    REQUIRE(client->session.check(of_server));
    server->session.resume(*server, of_client);
    client->session.resume(*client, of_server);
  }
  void keep_messages() {
    client->session.keep_messages();
    server->session.keep_messages();
  }

  /// What else happens at the end of each turn, before the acknowledgements.
  std::function<void()> on_turn_end = [] {};

  const session::SessionConfig config;
  VirtualTime time;
  std::unique_ptr<Side> client, server;

 private:
  void later(Duration after, std::function<void()> action) {
    events_.emplace(time.clock.now() + after, std::move(action));
  }
  void end_turn() {
    on_turn_end();
    for (Side* side : {client.get(), server.get()}) {
      if (std::exchange(side->turn_wanted_, false)) side->session.end_turn();
    }
  }

  std::multimap<Timestamp, std::function<void()>> events_;
};

}  // namespace godwit::testing
