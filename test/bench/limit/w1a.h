// The numbers of every bid of a NEXMark text, read with simdjson On-Demand used directly.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mut::bench {

struct BidSums {
  int64_t count = 0, price = 0, auction = 0, bidder = 0;
  int64_t elapsed_ms = 0;  // since the first event: full times would leave 64 bits at 10^7 events
  uint64_t events = 0;
  uint64_t broken = 0;  // lines that are no event of this benchmark
};

// At least json_padding_bytes beyond `text` must be readable. Documents are validated as far as
// On-Demand does: structure and UTF-8 of all, values only where they are read.
constexpr size_t json_padding_bytes = 64;
BidSums sum_bids(std::string_view text);
// The same by the four integers of each bid alone: what the design's limit was measured with.
BidSums sum_bids_untyped(std::string_view text);

}  // namespace mut::bench
