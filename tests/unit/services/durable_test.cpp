#include <catch2/catch.hpp>

#include "app/durable_book.h"
#include "store/memory_engine.h"
#include "table_worker.h"

using namespace godwit;
using app::DurableBook;
using app::DurableSession;

namespace {

/// A store that keeps its word back until the test lets it speak.
class SlowStore final : public Store {
 public:
  explicit SlowStore(std::unique_ptr<Store> inner) : inner_(std::move(inner)) {}
  void get(std::string key, GetDone done) override { inner_->get(std::move(key), std::move(done)); }
  void scan(std::string prefix, std::string after, size_t limit, ScanDone done) override {
    inner_->scan(std::move(prefix), std::move(after), limit, std::move(done));
  }
  void apply(StoreBatch batch, ApplyDone done) override {
    if (fails) return done(fail(Code::kStoreFull, "full"));
    inner_->apply(std::move(batch), [this, done = std::move(done)](Result<StoreVerdict> verdict) {
      waiting_.push_back([done, verdict] { done(verdict); });
    });
    if (!slow) speak();
  }
  void speak() {
    for (auto& one : std::exchange(waiting_, {})) one();
  }
  bool slow = false;
  bool fails = false;

 private:
  std::unique_ptr<Store> inner_;
  std::vector<std::function<void()>> waiting_;
};

/// What a client gets.
class Client final : public session::Link {
 public:
  Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody&) override {
    got.emplace_back(envelope, body);
    return {};
  }
  void send_ack(const wire::Ack&) override {}
  void send_cancel(uint64_t) override {}
  uint64_t undelivered() const override { return 0; }
  void close(Code, std::string_view) override {}
  std::vector<std::string> bodies() const {
    std::vector<std::string> bodies;
    for (const wire::StoredMessage& one : got) bodies.emplace_back(as_text(one.body()));
    return bodies;
  }
  std::vector<wire::StoredMessage> got;
};

/// A server process over a store that outlives it.
struct Process {
  Process(store::MemoryEngine& engine, uint64_t first)
      : store(engine.open_door()), book(store, Log(log, "test"), first, 0), table(0, directory, places, &book) {
    auto restored = DurableBook::read(engine, Log(log, "test"));
    REQUIRE(restored);
    for (DurableBook::Restored& one : *restored) table.sessions.restore(std::move(one));
  }
  app::Resident& enter(std::string client_id) {
    auto entered = table.enter(std::move(client_id), "ada", true);
    REQUIRE(entered);
    table.sessions.keep(**entered);
    return **entered;
  }
  /// What came of a durable event: "waiting", "kept", or why not.
  std::shared_ptr<std::string> send(const app::Resident& to, std::string_view body) {
    auto heard = std::make_shared<std::string>("waiting");
    const Status asked = table.services.send_durable(
        to.id.to_u64(), {.action = "news", .body = as_bytes(body)},
        [heard](const session::Reply& reply) { *heard = reply.code == Code::kOk ? "kept" : name_of(reply.code); });
    if (!asked) *heard = name_of(asked.error().code);
    return heard;
  }
  void turn() { table.services.end_turn(); }

  client::QuietLog log;
  testing::VirtualClock clock;
  app::SessionDirectory directory{clock};
  app::SharedCap places{100};
  SlowStore store;
  DurableBook book;
  testing::TableWorker table;
};

struct Fixture {
  testing::VirtualClock clock;
  store::MemoryEngine engine{clock, 1 << 20};
  Client client;
  size_t kept() { return engine.scan_now("durable/", "", 1000).value().size(); }
};

}  // namespace

TEST_CASE("a session's record says all that another process needs") {
  DurableSession session{.worker = 3, .epoch = 7, .born_unix_us = 123'456'789};
  session.identity = {.client_id = "phone", .uid = "ada", .groups = {"a", "b"}, .proved = false};
  session.identity.attributes = {{"role", std::string("admin")}, {"level", 2.5}, {"new", true}};
  session.identity.rights = {.actions = {"query/**"}, .body_bytes_max = 10, .sessions_max = 2};
  session.identity.expires_unix_us = 99;
  session.identity.credential = "t1";
  const std::string bytes = session.encode();
  const auto read = DurableSession::decode(bytes);
  REQUIRE(read);
  CHECK(read->encode() == bytes);
  CHECK(read->worker == 3);
  CHECK(read->epoch == 7);
  CHECK(read->identity.attributes == session.identity.attributes);
  CHECK(read->identity.rights.actions == session.identity.rights.actions);
  CHECK_FALSE(read->identity.proved);
  for (size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(DurableSession::decode(bytes.substr(0, i)));
  CHECK_FALSE(DurableSession::decode(bytes + "x"));
}

TEST_CASE_METHOD(Fixture, "a durable event is on the disk before it is said to be, and before its client gets it") {
  Process process(engine, 1 << 20);
  const app::Resident& resident = process.enter("phone");
  process.table.sessions.session(resident.id)->attach(client);
  process.store.slow = true;
  const auto heard = process.send(resident, "one");
  process.turn();
  CHECK(*heard == "waiting");
  CHECK(client.got.empty());
  process.store.speak();
  process.turn();
  CHECK(*heard == "kept");
  CHECK(client.bodies() == std::vector<std::string>{"one"});
  CHECK(kept() == 2);
  process.store.slow = false;
  process.table.sessions.session(resident.id)->receive_ack({1, {}, {}});
  CHECK(kept() == 1);
}

TEST_CASE_METHOD(Fixture, "what cannot be kept is refused, and never sent") {
  Process process(engine, 1 << 20);
  const app::Resident& resident = process.enter("phone");
  process.table.sessions.session(resident.id)->attach(client);
  process.store.fails = true;
  const auto heard = process.send(resident, "one");
  CHECK(*heard == "waiting");
  process.turn();
  CHECK(*heard == "StoreFull");
  CHECK(client.got.empty());
}

TEST_CASE_METHOD(Fixture,
                 "another process has the sessions, and the events that their clients have not got, in order") {
  auto process = std::make_unique<Process>(engine, 1 << 20);
  const app::Resident& resident = process->enter("phone");
  const int64_t born = resident.born_unix_us;
  process->table.sessions.session(resident.id)->attach(client);
  for (const char* body : {"one", "two", "three"}) process->send(resident, body);
  process->table.sessions.session(resident.id)->receive_ack({1, {}, {}});
  process->book.stop();  // it dies: nothing is told to the store any more
  process.reset();

  client.got.clear();
  Process next(engine, 1 << 30);
  const auto key = next.directory.session_of("phone");
  REQUIRE(key);
  app::Resident* restored = next.table.sessions.find(session::SessionId::from_u64(*key));
  REQUIRE(restored);
  CHECK(restored->born_unix_us == born);
  CHECK(restored->identity.uid == "ada");
  CHECK(next.table.sessions.parted() == 1);
  CHECK(next.table.metrics.messages_restored.value() == 2);
  session::Session& session = *next.table.sessions.session(restored->id);
  const auto late = next.send(*restored, "four");
  next.turn();
  CHECK(*late == "kept");
  session.resume(client, {});
  CHECK(client.bodies() == std::vector<std::string>{"two", "three", "four"});
  // Each with the name that it had.
  std::set<std::string> names;
  for (const wire::StoredMessage& one : client.got) names.emplace(one.envelope().headers.back().value);
  CHECK(names.size() == 3);
  session.receive_ack({3, {}, {}});
  CHECK(kept() == 1);
}

TEST_CASE_METHOD(Fixture, "of a session that ends nothing is kept, whether it was restored or not") {
  auto process = std::make_unique<Process>(engine, 1 << 20);
  const app::Resident& resident = process->enter("phone");
  process->send(resident, "one");
  CHECK(kept() == 2);
  process->table.sessions.end(resident.id, Code::kPeerClosed, "goodbye");
  CHECK(kept() == 0);
  process->enter("tablet");
  process->book.stop();
  process.reset();
  CHECK(kept() == 1);
  Process next(engine, 1 << 30);
  next.table.time.advance(next.table.config.resume_window + 1s);
  CHECK(next.table.sessions.size() == 0);
  CHECK(kept() == 0);
}

TEST_CASE_METHOD(Fixture, "a session that does not outlive its connection keeps no durable events") {
  Process process(engine, 1 << 20);
  auto entered = process.table.enter("phone", "ada", true);
  REQUIRE(entered);
  const auto heard = process.send(**entered, "one");
  process.turn();
  CHECK(*heard == "StaleHandle");
  CHECK(kept() == 0);
}
