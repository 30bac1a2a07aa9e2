#include "base/block_pool.h"

#include <catch2/catch.hpp>

using namespace godwit;

TEST_CASE("a returned block is handed out again") {
  BlockPool pool(4);
  Block block = pool.take();
  const uint8_t* memory = block.get();
  REQUIRE(pool.taken() == 1);
  REQUIRE(pool.idle() == 0);

  block.reset();
  REQUIRE(pool.taken() == 0);
  REQUIRE(pool.idle() == 1);
  REQUIRE(pool.take().get() == memory);
}

TEST_CASE("a burst of blocks leaves no more than the bound behind") {
  BlockPool pool(2, 64);
  std::vector<Block> burst;
  for (int i = 0; i < 10; ++i) burst.push_back(pool.take());
  REQUIRE(pool.taken() == 10);

  burst.resize(9);
  REQUIRE(pool.idle() == 1);
  burst.clear();
  REQUIRE(pool.idle() == 2);
  REQUIRE(pool.taken() == 0);
}

TEST_CASE("all bytes of a block can be written") {
  BlockPool pool(1, 100);
  const Block block = pool.take();
  for (size_t i = 0; i < pool.block_bytes(); ++i) block[i] = static_cast<uint8_t>(i);
  REQUIRE(block[99] == 99);
}
