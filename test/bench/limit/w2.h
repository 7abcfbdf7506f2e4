// NEXMark q1 and q2 by hand over decoded bids. Rows of the result are written densely into a small
// buffer which `take` empties; the newest event time is kept, as an engine must.
#pragma once
#include <cstdint>
#include <span>

#include "test/bench/input/nexmark.h"

namespace mut::bench {

// Rows that a consumer takes at once: the buffer stays in the second-level cache.
constexpr size_t limit_block_rows = 4096;

struct Q1Row {
  int64_t auction, bidder, price, time_ns;  // price * 908 / 1000
};
struct Q2Row {
  int64_t auction, price;
};

template <typename Row>
using TakeRows = void (*)(void* consumer, std::span<const Row> rows);

// Both return the watermark: the newest time seen. No overflow checks.
int64_t run_q1(const BidColumns& bids, void* consumer, TakeRows<Q1Row> take);
int64_t run_q2(const BidColumns& bids, void* consumer, TakeRows<Q2Row> take);

}  // namespace mut::bench
