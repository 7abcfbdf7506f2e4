// Pairs of a scattered key and a small value, for keyed state. Rank r is uniform in [0, key_count); the
// key is the SplitMix64 output of r, so keys are not dense.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mut::bench {

constexpr uint64_t keyed_pairs_small = 167'772;
constexpr uint64_t keyed_pairs_full = 16'777'216;
constexpr uint64_t keyed_pairs_keys = 1'000'000;

struct KeyedPairs {
  std::vector<int64_t> key, value;  // the key's 64 bits read as signed; value in [0, 1024)
  size_t row_count() const { return key.size(); }
};
KeyedPairs make_keyed_pairs(uint64_t pair_count, uint64_t key_count);

}  // namespace mut::bench
