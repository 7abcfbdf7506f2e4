#include "test/bench/input/keyed_pairs.h"

#include "test/bench/input/huge_pages.h"
#include "test/bench/input/splitmix.h"

namespace mut::bench {

KeyedPairs make_keyed_pairs(uint64_t pair_count, uint64_t key_count) {
  constexpr uint64_t seed = 42;
  KeyedPairs pairs;
  reserve_huge(pairs.key, pair_count);
  reserve_huge(pairs.value, pair_count);
  for (uint64_t i = 0; i < pair_count; ++i) {
    auto random = SplitMix64::of_item(seed, i);  // draw order: rank, value
    const uint64_t rank = random.uniform(key_count);
    pairs.key.push_back(static_cast<int64_t>(splitmix_output(rank + splitmix_step)));
    pairs.value.push_back(static_cast<int64_t>(random.uniform(1024)));
  }
  return pairs;
}

}  // namespace mut::bench
