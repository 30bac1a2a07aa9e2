#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/log.h"
#include "port/clock.h"
#include "store/engine.h"

namespace godwit::testing {

class QuietLog final : public LogSink {
 public:
  LogLevel level(std::string_view) const override { return LogLevel::kOff; }
  void write(const LogRecord&) override {}
};

/// The test's thread as a home for answers. Can be full, and can hold up who posts.
class TestMailbox final : public Mailbox {
 public:
  bool post(std::function<void()> work) override {
    std::unique_lock lock(mutex_);
    ++posts_;
    holding_ = held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    holding_ = false;
    if (refusals_ > 0) {
      --refusals_;
      return false;
    }
    waiting_.push_back(std::move(work));
    changed_.notify_all();
    return true;
  }
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void wait_for_poster() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return holding_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  /// The next so many posts are refused.
  void refuse(size_t posts) {
    const std::lock_guard lock(mutex_);
    refusals_ = posts;
  }
  size_t posts() {
    const std::lock_guard lock(mutex_);
    return posts_;
  }
  /// Runs what comes until `enough` holds.
  template <typename Predicate>
  void run_until(Predicate enough) {
    while (!enough()) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !waiting_.empty(); });
      const auto work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  size_t refusals_ = 0;
  size_t posts_ = 0;
  bool held_ = false;
  bool holding_ = false;
};

/// A clock that other threads may read while the test moves it.
class SharedClock final : public Clock {
 public:
  Timestamp now() const override { return from_ns(ns_); }
  int64_t unix_us() const override { return 1'780'000'000'000'000 + static_cast<int64_t>(ns_ / 1000); }
  void advance(Duration by) { ns_ += static_cast<uint64_t>(by.count()); }

 private:
  std::atomic<uint64_t> ns_{1'000'000'000};
};

/// A door that waits for each answer.
class Patient {
 public:
  explicit Patient(store::Engine& engine) : door(engine.open_door(home)) {}

  /// The engine's thread stands until `home.let_go`, with nothing of what is asked meanwhile in hand.
  void hold_engine() {
    home.hold();
    door->get("nothing", [](auto) {});
    home.wait_for_poster();
  }
  Result<std::optional<StoreEntry>> get(std::string key) {
    return wait<Result<std::optional<StoreEntry>>>([&](auto done) { door->get(std::move(key), done); });
  }
  Result<std::vector<StoreEntry>> scan(std::string prefix, std::string after = {}, size_t limit = 100) {
    return wait<Result<std::vector<StoreEntry>>>(
        [&](auto done) { door->scan(std::move(prefix), std::move(after), limit, done); });
  }
  Result<StoreVerdict> apply(StoreBatch batch) {
    return wait<Result<StoreVerdict>>([&](auto done) { door->apply(std::move(batch), done); });
  }
  Result<StoreVerdict> put(std::string key, std::string value, Duration ttl = {},
                           std::optional<uint64_t> version = std::nullopt) {
    return apply({{StoreStep::What::kPut, std::move(key), std::move(value), ttl, version}});
  }
  /// Empty for none.
  std::string value(std::string key) {
    const auto entry = get(std::move(key));
    return entry && *entry ? (*entry)->value : std::string();
  }

 private:
  template <typename R, typename Begin>
  R wait(Begin begin) {
    std::optional<R> answer;
    begin([&answer](R result) { answer = std::move(result); });
    home.run_until([&answer] { return answer.has_value(); });
    return std::move(*answer);
  }

 public:
  TestMailbox home;
  std::unique_ptr<Store> door;
};

}  // namespace godwit::testing
