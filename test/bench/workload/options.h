// What a benchmark program is asked to do: PROGRAM WORKLOAD [--size small|full] [--seconds S | --once]
// [--input DIR]
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "test/bench/input/keyed_pairs.h"
#include "test/bench/input/nexmark.h"
#include "test/bench/input/ysb.h"

namespace mut::bench {

enum class Size : uint8_t { Small, Full };

struct Options {
  std::string workload;
  Size size = Size::Small;
  double seconds = 3.0;  // of measured passes, after a second of warm-up; 0: one pass after another one
  uint32_t shards = 1;   // of the engine
  std::filesystem::path input = "build/bench-input";

  // NEXMark's small size is a tenth, because its results are known independently at 10^6 events.
  uint64_t nexmark_events() const { return size == Size::Small ? nexmark_events_small : nexmark_events_full; }
  uint64_t ysb_rows() const { return size == Size::Small ? ysb_rows_small : ysb_rows_full; }
  uint64_t keyed_pairs() const { return size == Size::Small ? keyed_pairs_small : keyed_pairs_full; }
  // A tenth, for the widest window to slide.
  uint64_t sliding_values() const { return size == Size::Small ? 5'000'000 : 50'000'000; }
  // As many pairs per key in both sizes, of 10^6 keys and more; of fewer as many keys.
  uint64_t keyed_keys(uint64_t of_full = keyed_pairs_keys) const {
    return size == Size::Small && of_full >= keyed_pairs_keys ? of_full / 100 : of_full;
  }
};

// Says what is wrong on stderr and gives nothing.
std::optional<Options> parse_options(int argc, char** argv);

}  // namespace mut::bench
