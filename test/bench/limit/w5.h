// NEXMark q18 by hand: the last bid of each bidder on each auction, state that grows with the input.
#pragma once
#include <cstdint>

#include "test/bench/input/nexmark.h"
#include "test/bench/limit/w2.h"

namespace mut::bench {

struct LastBid {
  int64_t auction, bidder, price, time_ns;
};
// Ids must be in [0, 2^32). The rows come at the end.
void run_q18(const BidColumns& bids, void* consumer, TakeRows<LastBid> take);

}  // namespace mut::bench
