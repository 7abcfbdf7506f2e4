// Shards in step, and their rows as one.
#include "runtime/graph/crew.h"

#include <gtest/gtest.h>

#include <atomic>

#include "runtime/env/real_env.h"

namespace mut::runtime {
namespace {

TEST(Crew, EveryRoundIsWaitedFor) {
  auto env = env::make_real_env();
  ASSERT_TRUE(env);
  Crew crew(*env.value(), 4);
  std::vector<uint64_t> rounds(4, 0);  // each of one thread at a time: the sanitizer looks
  for (uint64_t round = 1; round <= 2000; ++round) {
    std::atomic<uint32_t> seen{0};
    crew.run([&](uint32_t shard) {
      ++rounds[shard];
      seen.fetch_or(1U << shard);
    });
    ASSERT_EQ(seen.load(), 0xFU);
    for (uint64_t count : rounds) ASSERT_EQ(count, round);
  }
}

TEST(Crew, OneShardHasNoThread) {
  auto env = env::make_real_env();
  ASSERT_TRUE(env);
  Crew crew(*env.value(), 1);
  int calls = 0;
  crew.run([&](uint32_t shard) { calls += shard == 0 ? 1 : 100; });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace mut::runtime
