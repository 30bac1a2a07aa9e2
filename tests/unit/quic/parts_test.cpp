#include <catch2/catch.hpp>

#include <cstring>

#include "base/prng.h"
#include "pair.h"
#include "quic/cid_source.h"
#include "quic/pacer.h"
#include "quic/receive_buffer.h"
#include "quic/send_queue.h"
#include "quic/send_schedule.h"
#include "quic/token_bucket.h"
#include "quic/transmitter.h"

namespace godwit::quic::test {
namespace {

std::vector<uint8_t> peeked(const SendQueue& queue, size_t wanted) {
  Bytes pieces[4];
  std::vector<uint8_t> out;
  const size_t count = queue.peek(pieces, wanted);
  for (size_t i = 0; i < count; ++i) out.insert(out.end(), pieces[i].begin(), pieces[i].end());
  return out;
}

TEST_CASE("a send queue keeps bytes where they are until they are acknowledged") {
  BlockPool pool(4, 64);
  SendQueue queue(pool);
  queue.append(pattern(100, 1));
  Bytes pieces[4];
  REQUIRE(queue.peek(pieces, 1000) == 2);
  const uint8_t* first = pieces[0].data();
  queue.mark_sent(100);
  CHECK(queue.peek(pieces, 1000) == 0);
  queue.append(pattern(100, 2));
  CHECK(std::memcmp(first, pattern(100, 1).data(), 64) == 0);
  CHECK(pool.taken() == 4);
  queue.mark_acked(63);
  CHECK(pool.taken() == 4);
  queue.mark_acked(64);
  CHECK(pool.taken() == 3);
  CHECK(queue.unacked() == 136);
  CHECK(queue.unsent() == 100);
  queue.mark_sent(100);
  queue.mark_acked(200);
  CHECK(pool.taken() == 0);
}

TEST_CASE("a send queue gives out the very bytes that were put in, in any pieces") {
  BlockPool pool(8, 64);
  Prng prng(GENERATE(range(1, 20)));
  SendQueue queue(pool);
  std::vector<uint8_t> in, out;
  uint64_t acked = 0;
  for (int step = 0; step < 2000; ++step) {
    const auto bytes = pattern(prng.below(200), prng());
    switch (prng.below(4)) {
      case 0:
        queue.append(bytes);
        in.insert(in.end(), bytes.begin(), bytes.end());
        break;
      case 1:
        queue.append_shared(std::make_shared<const std::vector<uint8_t>>(bytes));
        in.insert(in.end(), bytes.begin(), bytes.end());
        break;
      case 2: {
        auto some = peeked(queue, 100);
        some.resize(prng.below(some.size() + 1));
        queue.mark_sent(some.size());
        out.insert(out.end(), some.begin(), some.end());
        break;
      }
      case 3:
        acked += prng.below(out.size() - acked + 1);
        queue.mark_acked(acked);
        break;
    }
    REQUIRE(queue.unsent() == in.size() - out.size());
    REQUIRE(queue.unacked() == in.size() - acked);
  }
  in.resize(out.size());
  CHECK(in == out);
}

TEST_CASE("the end of a stream is work of its own and goes with the last bytes") {
  BlockPool pool(4, 64);
  SendQueue queue(pool);
  CHECK_FALSE(queue.has_work());
  queue.append(pattern(10, 1));
  CHECK_FALSE(queue.reaches_end(10));
  queue.finish();
  CHECK(queue.reaches_end(10));
  CHECK_FALSE(queue.reaches_end(9));
  queue.mark_sent(10);
  CHECK(queue.has_work());
  queue.mark_end_sent();
  CHECK_FALSE(queue.has_work());
}

TEST_CASE("an abandoned send queue has nothing to send but keeps what is on its way") {
  BlockPool pool(4, 64);
  SendQueue queue(pool);
  queue.append(pattern(200, 1));
  queue.mark_sent(50);
  queue.abandon();
  CHECK(queue.unacked() == 0);
  CHECK_FALSE(queue.has_work());
  CHECK(pool.taken() == 4);
  queue.mark_acked(50);
  CHECK(pool.taken() == 4);
}

TEST_CASE("a receive buffer hands out in one piece what came in many") {
  ReceiveBuffer buffer;
  Prng prng(3);
  std::vector<uint8_t> in, out;
  for (int i = 0; i < 5000; ++i) {
    const auto bytes = pattern(prng.below(3000), prng());
    buffer.append(bytes);
    in.insert(in.end(), bytes.begin(), bytes.end());
    const Bytes readable = buffer.readable();
    REQUIRE(readable.size() == in.size() - out.size());
    const size_t n = prng.below(readable.size() + 1);
    out.insert(out.end(), readable.begin(), readable.begin() + static_cast<ptrdiff_t>(n));
    buffer.consume(n);
  }
  in.resize(out.size());
  CHECK(in == out);
  CHECK(buffer.discard() > 0);
  CHECK(buffer.readable().empty());
}

TEST_CASE("streams take turns of 64 KiB behind the control stream and the shared lane") {
  BlockPool pool(4, 64);
  Stream control(0, StreamRank::kControl, pool), lane(2, StreamRank::kSharedLane, pool);
  Stream a(6, StreamRank::kOther, pool), b(10, StreamRank::kOther, pool), c(14, StreamRank::kOther, pool);
  SendSchedule schedule;
  CHECK(schedule.next() == nullptr);
  for (Stream* stream : {&a, &b, &c, &lane, &control}) schedule.add(*stream);
  schedule.add(a);
  CHECK(schedule.next() == &control);
  schedule.wrote(control, 1 << 20);
  CHECK(schedule.next() == &control);
  schedule.remove(control);
  CHECK(schedule.next() == &lane);
  schedule.remove(lane);
  CHECK(schedule.next() == &a);
  schedule.wrote(a, SendSchedule::kTurnBytes - 1);
  CHECK(schedule.next() == &a);
  schedule.wrote(a, 1);
  CHECK(schedule.next() == &b);
  schedule.remove(b);
  CHECK(schedule.next() == &c);
  schedule.wrote(c, SendSchedule::kTurnBytes);
  CHECK(schedule.next() == &a);
  schedule.remove(a);
  schedule.remove(c);
  schedule.remove(c);
  CHECK(schedule.empty());
}

TEST_CASE("a pacer lets a burst go, closes, and keeps the rate however late it is asked") {
  Pacer pacer;
  Timestamp now = from_ns(1'000'000'000);
  constexpr double kRate = 0.05;  // bytes per nanosecond: 50 MB/s
  pacer.set_rate(kRate, 50ms);
  pacer.advance(now);
  uint64_t sent = 0;
  const auto drain = [&] {
    for (; pacer.open(); sent += 1200) pacer.spend(1200);
  };
  drain();
  CHECK(sent >= 64 * 1024);
  CHECK(sent < 110'000);
  sent = 0;
  for (int i = 0; i < 1000; ++i) {
    now = std::max(now + 1ms, pacer.opens_at());  // timers that are a millisecond coarse
    pacer.advance(now);
    drain();
  }
  const double seconds = std::chrono::duration<double>(now - from_ns(1'000'000'000)).count();
  CHECK(static_cast<double>(sent) / seconds == Approx(kRate * 1e9).epsilon(0.02));
}

TEST_CASE("a path that is faster than timers is not paced") {
  Pacer pacer;
  pacer.set_rate(0.001, 500us);
  pacer.advance(from_ns(1));
  for (int i = 0; i < 1000; ++i) pacer.spend(1200);
  CHECK(pacer.open());
}

TEST_CASE("a token bucket allows its rate and one second's burst") {
  TokenBucket bucket(10);
  Timestamp now = from_ns(5'000'000'000);
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += bucket.take(now);
  CHECK(taken == 10);
  now += 500ms;
  for (int i = 0; i < 100; ++i) taken += bucket.take(now);
  CHECK(taken == 15);
  now += 3600s;
  for (int i = 0; i < 100; ++i) taken += bucket.take(now);
  CHECK(taken == 25);
}

class RecordingSender final : public DatagramSender {
 public:
  SendOutcome send(const OutgoingDatagrams& datagrams) override {
    if (blocks) return SendOutcome::kBlocked;
    sends.push_back({datagrams.payload.size(), datagrams.segment_bytes});
    return SendOutcome::kSent;
  }
  std::vector<std::pair<size_t, size_t>> sends;
  bool blocks = false;
};

TEST_CASE("packets of equal size leave together, and what blocks goes first later") {
  RecordingSender sender;
  WorkerMetrics metrics;
  Transmitter transmitter(sender, metrics);
  const NetworkPath one{address("10.0.0.1:1"), address("10.0.0.2:2")},
      two{address("10.0.0.1:1"), address("10.0.0.3:3")};
  for (size_t bytes : {1200, 1200, 1200, 700, 1200, 1400}) transmitter.commit(bytes, one, 0);
  transmitter.commit(1400, one, 2);
  transmitter.commit(1400, two, 2);
  using Sends = std::vector<std::pair<size_t, size_t>>;
  sender.blocks = true;
  CHECK_FALSE(transmitter.send());
  CHECK(transmitter.blocked());
  CHECK(transmitter.full());
  sender.blocks = false;
  CHECK(transmitter.send());
  CHECK(sender.sends == Sends{{4300, 1200}, {1200, 1200}, {1400, 1400}, {1400, 1400}, {1400, 1400}});
  CHECK(transmitter.empty());
  CHECK(metrics.packets_sent.value() == 8);

  sender.sends.clear();
  while (!transmitter.full()) transmitter.commit(1000, one, 0);
  CHECK(transmitter.send());
  CHECK(sender.sends.front() == std::pair<size_t, size_t>{64'000, 1000});
}

TEST_CASE("connection ids steer to their worker for every number of workers") {
  SeededEntropy entropy(1);
  for (uint32_t count : {1u, 2u, 3u, 7u, 64u, 256u}) {
    for (uint32_t index = 0; index<count; index += count> 8 ? 31 : 1) {
      CidSource source(entropy, CidSource::kServerBytes, index, count);
      for (int i = 0; i < 100; ++i) REQUIRE(source.next().bytes()[0] % count == index);
    }
  }
}

}  // namespace
}  // namespace godwit::quic::test
