#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "samples.h"
#include "wire/codec.h"

// Nanoseconds to encode, cut and decode one message: the best of some rounds, as JSON.

namespace {

using namespace godwit;
using namespace godwit::wire;

constexpr int kRounds = 9, kCalls = 200'000;

template <typename Work>
double best_ns(Work work) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) work(i);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / kCalls);
  }
  return best;
}

void measure(const char* name, Envelope envelope, const char* separator) {
  Codec codec;
  volatile size_t sink = 0;  // keeps the work from being left out
  const double encode = best_ns([&](int i) {
    envelope.seq = 30'000 + i % 1024;
    sink = codec.encode_message(envelope, 64)->size();
  });
  const Bytes front = *codec.encode_message(envelope, 64);
  std::vector<uint8_t> frame(front.begin(), front.end());
  frame.resize(frame.size() + 64);
  const double decode = best_ns([&](int) {
    const auto cut = cut_frame(frame, codec.limits().shared_frame_bytes_max);
    sink = codec.decode_message(cut->frame.payload)->body.size();
  });
  std::printf("  \"%s\": {\"overhead_bytes\": %zu, \"encode_ns\": %.0f, \"cut_and_decode_ns\": %.0f}%s\n", name,
              front.size(), encode, decode, separator);
}

}  // namespace

int main() {
  Envelope with_headers = samples::request();
  with_headers.headers = samples::kHeaders;
  std::puts("{");
  measure("request", samples::request(), ",");
  measure("response", samples::response(), ",");
  measure("request_with_headers", with_headers, "");
  std::puts("}");
}
