#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "app/worker_services.h"
#include "virtual_time.h"
#include "wire/stored_message.h"

namespace godwit::testing {

/// Work that waits until somebody runs it: the test itself, or a thread of the worker.
class QueueMailbox final : public Mailbox {
 public:
  bool post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    if (full) return false;
    waiting_.push_back(std::move(work));
    filled_.notify_one();
    return true;
  }
  void run() {
    for (std::function<void()> work; take(work, Duration::zero());) work();
  }
  bool take(std::function<void()>& work, Duration wait) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, wait, [this] { return !waiting_.empty(); })) return false;
    work = std::move(waiting_.front());
    waiting_.pop_front();
    return true;
  }

  bool full = false;

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> waiting_;
};

/// A worker with sessions whose clients are the test: what they get is kept, and they answer when told to.
class TestWorker final : public app::WorkerServices::Sessions,
                         private session::Session::Owner,
                         private session::PromiseTable::Owner {
 public:
  class Client final : public session::Link {
   public:
    Client(TestWorker& worker, session::SessionId id)
        : session(id, worker.config,
                  {worker.time.clock, worker.time.timers, worker.promises_, worker.metrics, worker.blocks_, worker}) {
      session.attach(*this);
    }
    Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) override {
      got.emplace_back(envelope, body);
      return {};
    }
    void send_ack(const wire::Ack&) override {}
    void send_cancel(uint64_t message_id) override { cancelled.push_back(message_id); }
    uint64_t undelivered() const override { return 0; }
    void close(Code code, std::string_view) override { closed = code; }

    std::vector<std::string> actions() const {
      std::vector<std::string> actions;
      for (const wire::StoredMessage& message : got) actions.emplace_back(message.envelope().action);
      return actions;
    }
    void acknowledge_all() { session.receive_ack({got.back().envelope().seq, {}, {}}); }
    /// Answers the request that it got last.
    void reply(std::string_view body, std::span<const wire::Header> headers = {}) {
      const wire::Envelope answer{.seq = ++answers_,
                                  .correlates = got.back().envelope().message_id(),
                                  .kind = wire::Kind::kResponse,
                                  .status = wire::Status::kSuccess,
                                  .headers = headers};
      session.receive(answer, as_bytes(body));
    }

    std::vector<wire::StoredMessage> got;
    std::vector<uint64_t> cancelled;
    Code closed = Code::kOk;
    session::Session session;

   private:
    uint64_t answers_ = 0;
  };

  TestWorker(uint32_t index, app::SessionDirectory& directory)
      : promises_(100'000, time.clock, time.timers, metrics, *this),
        services(index, time.clock, time.timers, directory),
        directory_(directory) {
    services.attach(this);
  }

  host::SessionKey open(std::string uid = {}) {
    const session::SessionId id{services.worker() << 24 | ++last_, 1};
    clients_[id] = std::make_unique<Client>(*this, id);
    REQUIRE(directory_.enter({.key = id.to_u64(), .uid = std::move(uid), .worker = services.worker()}, {}));
    return id.to_u64();
  }
  void end(host::SessionKey key) {
    directory_.leave(key);
    clients_.erase(session::SessionId::from_u64(key));
  }
  Client& client(host::SessionKey key) { return *clients_.at(session::SessionId::from_u64(key)); }

  session::Session* find_session(session::SessionId id) override {
    const auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : &found->second->session;
  }
  Result<host::SessionStats> session_stats(session::SessionId id) override {
    return host::SessionStats{.messages_sent = client(id.to_u64()).got.size()};
  }
  Status close_session(session::SessionId id, Code code, std::string_view) override {
    client(id.to_u64()).closed = code;
    return {};
  }
  void supersede_session(session::SessionId id) override { end(id.to_u64()); }
  const session::SessionConfig& session_config() const override { return config; }
  WorkerMetrics& counts() override { return metrics; }

  session::SessionConfig config;
  VirtualTime time;
  WorkerMetrics metrics;
  QueueMailbox mailbox;

 private:
  void on_message(session::Session&, session::Incoming) override {}
  void on_turn_wanted(session::Session&) override {}
  void on_promise_expired(const session::Promise& promise) override {
    if (session::Session* session = find_session(promise.session)) session->promise_expired(promise);
  }
  void on_promises_high(size_t, size_t) override {}

  BlockPool blocks_{4, 256};
  session::PromiseTable promises_;

 public:
  app::WorkerServices services;

 private:
  app::SessionDirectory& directory_;
  std::map<session::SessionId, std::unique_ptr<Client>> clients_;
  uint32_t last_ = 0;
};

}  // namespace godwit::testing
