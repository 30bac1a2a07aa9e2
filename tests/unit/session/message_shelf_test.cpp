#include "session/message_shelf.h"

#include <catch2/catch.hpp>
#include <deque>
#include <string>

#include "base/prng.h"

using namespace godwit;
using session::KeptMessage;
using session::MessageShelf;

namespace {

constexpr Timestamp kNow{5s};
constexpr wire::Header kHeaders[] = {{"content-type", "text/plain"}, {"empty", ""}};

wire::Envelope full_envelope() {
  return {.after_delta = 3,
          .id = 77,
          .correlates = 5,
          .kind = wire::Kind::kQuery,
          .priority = wire::Priority::kHigh,
          .status = wire::Status::kFailure,
          .code = Code::kHandlerFailed,
          .flags = wire::flags::kAckSoon,
          .deadline_ms = 1000,
          .ttl_ms = 2000,
          .action = "act",
          .text = "text",
          .headers = kHeaders};
}

}  // namespace

TEST_CASE("a kept message comes back with everything but its number") {
  BlockPool blocks(4, 1024);
  MessageShelf shelf(blocks);
  KeptMessage kept = shelf.put(full_envelope(), as_bytes("body"), nullptr, kNow);
  const MessageShelf::View view = shelf.read(kept);
  const wire::Envelope want = full_envelope();
  CHECK(view.envelope.seq == 0);
  CHECK(view.envelope.after_delta == want.after_delta);
  CHECK(view.envelope.id == want.id);
  CHECK(view.envelope.correlates == want.correlates);
  CHECK(view.envelope.kind == want.kind);
  CHECK(view.envelope.priority == want.priority);
  CHECK(view.envelope.status == want.status);
  CHECK(view.envelope.code == want.code);
  CHECK(view.envelope.flags == want.flags);
  CHECK(view.envelope.deadline_ms == want.deadline_ms);
  CHECK(view.envelope.ttl_ms == want.ttl_ms);
  CHECK(view.envelope.action == want.action);
  CHECK(view.envelope.text == want.text);
  REQUIRE(view.envelope.headers.size() == 2);
  CHECK(view.envelope.headers[0].name == "content-type");
  CHECK(view.envelope.headers[0].value == "text/plain");
  CHECK(view.envelope.headers[1].value.empty());
  CHECK(as_text(view.body) == "body");
  CHECK(view.kept_at == kNow);
  shelf.drop(kept);
  CHECK_FALSE(kept);
  CHECK(blocks.taken() == 0);
}

TEST_CASE("a shared body is not copied and lives as long as it is kept") {
  BlockPool blocks(4, 1024);
  MessageShelf shelf(blocks);
  auto body = std::make_shared<const std::vector<uint8_t>>(100'000, 7);
  KeptMessage kept = shelf.put({}, *body, body, kNow);
  CHECK(body.use_count() == 2);
  CHECK(shelf.read(kept).body.data() == body->data());
  shelf.drop(kept);
  CHECK(body.use_count() == 1);
}

TEST_CASE("what no block has room for is kept alone") {
  BlockPool blocks(4, 256);
  MessageShelf shelf(blocks);
  const std::string large(1000, 'x');
  KeptMessage kept = shelf.put({}, as_bytes(large), nullptr, kNow);
  CHECK(blocks.taken() == 0);
  CHECK(as_text(shelf.read(kept).body) == large);
  shelf.drop(kept);
}

TEST_CASE("in any order of keeping and dropping every message stays itself, and memory goes with the last") {
  Prng random(11);
  BlockPool blocks(4, 512);
  MessageShelf shelf(blocks);
  std::deque<std::pair<std::string, KeptMessage>> kept;
  const auto drop = [&](size_t index) {
    REQUIRE(as_text(shelf.read(kept[index].second).body) == kept[index].first);
    shelf.drop(kept[index].second);
    kept.erase(kept.begin() + static_cast<ptrdiff_t>(index));
  };
  for (int step = 0; step < 20'000; ++step) {
    if (kept.empty() || (kept.size() < 200 && random.chance(0.5))) {
      std::string body(random.below(700), static_cast<char>('a' + step % 26));
      KeptMessage message = shelf.put({.action = "a"}, as_bytes(body), nullptr, kNow);
      kept.emplace_back(std::move(body), std::move(message));
    } else {
      drop(random.chance(0.8) ? 0 : random.below(kept.size()));
    }
    // At most one block for each message that is kept, and some that are gone among the numbers.
    REQUIRE(blocks.taken() <= kept.size());
  }
  while (!kept.empty()) drop(0);
  CHECK(blocks.taken() == 0);
  CHECK(shelf.blocks() == 0);
}
