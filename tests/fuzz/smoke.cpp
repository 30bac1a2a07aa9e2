#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/prng.h"

// Feeds a harness what a fuzzer would begin with: the seeds (*.hex of the folder given), damaged seeds, and bytes from
// small alphabets. The same inputs every time.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kDamagedPerSeed = 1500;
constexpr int kInvented = 10'000;

using ByteVector = std::vector<uint8_t>;

std::vector<ByteVector> seeds_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".hex") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<ByteVector> seeds;
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path);
    seeds.emplace_back();
    for (std::string pair; file >> pair;) seeds.back().push_back(static_cast<uint8_t>(std::stoul(pair, nullptr, 16)));
  }
  return seeds;
}

ByteVector damaged(godwit::Prng& random, ByteVector bytes) {
  for (uint64_t damages = 1 + random.below(5); damages > 0 && !bytes.empty(); --damages) {
    const auto at = bytes.begin() + static_cast<ptrdiff_t>(random.below(bytes.size()));
    switch (random.below(4)) {
      case 0: *at = static_cast<uint8_t>(random()); break;
      case 1: *at ^= static_cast<uint8_t>(1 << random.below(8)); break;
      case 2: bytes.insert(at, static_cast<uint8_t>(random())); break;
      default: bytes.erase(at); break;
    }
  }
  return bytes;
}

ByteVector invented(godwit::Prng& random) {
  static constexpr std::string_view kLetters = "ab.*/\nquery\x01\x10\x11\x7f\xff";
  ByteVector bytes(random.below(40));
  const bool any = random.below(2);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(any ? random() : kLetters[random.below(kLetters.size())]);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: SMOKE SEED_FOLDER\n", stderr), 2;
  const std::vector<ByteVector> seeds = seeds_in(argv[1]);
  if (seeds.empty()) return std::fputs("the folder has no seeds\n", stderr), 2;
  godwit::Prng random(1);
  int inputs = 0;
  const auto run = [&](const ByteVector& bytes) {
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++inputs;
  };
  for (const ByteVector& seed : seeds) {
    run(seed);
    for (int i = 0; i < kDamagedPerSeed; ++i) run(damaged(random, seed));
  }
  for (int i = 0; i < kInvented; ++i) run(invented(random));
  std::printf("%d inputs\n", inputs);
}
