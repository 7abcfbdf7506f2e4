// NEXMark queries with windows by hand, over decoded columns. Each gives the rows of a window when the newest
// time reaches its end, and of the last ones at the end. Late rows are dropped. All return the newest time.
#pragma once
#include <cstdint>
#include <span>

#include "test/bench/input/nexmark.h"
#include "test/bench/limit/w2.h"

namespace mut::bench {

constexpr int64_t nexmark_window_ns = 10'000'000'000;
constexpr int64_t nexmark_gap_ns = 1'000'000'000;

// q5: the auctions with the most bids of 10 s, every `slide_ns`, of which 10 s are a multiple. Bids are
// counted once for each stretch of `slide_ns`; the window's counts gain a stretch and lose one.
struct HotAuction {
  int64_t auction, count, window_start_ns;
};
int64_t run_q5(const BidColumns& bids, int64_t slide_ns, void* consumer, TakeRows<HotAuction> take);

// q7: the bids of the highest price of each 10 s.
struct HighestBid {
  int64_t auction, bidder, price, time_ns;
};
int64_t run_q7(const BidColumns& bids, void* consumer, TakeRows<HighestBid> take);

// q8: people who are new and open an auction in the same 10 s.
struct NewSeller {
  int64_t id, name, window_start_ns;
};
int64_t run_q8(const EventColumns& events, void* consumer, TakeRows<NewSeller> take);

// q11: bids of a bidder that are less than `nexmark_gap_ns` apart.
struct BidderSession {
  int64_t bidder, count, start_ns, end_ns;
};
int64_t run_q11(const BidColumns& bids, void* consumer, TakeRows<BidderSession> take);

// q12: bids of each bidder in 10 s.
struct BidderCount {
  int64_t bidder, count, window_start_ns;
};
int64_t run_q12(const BidColumns& bids, void* consumer, TakeRows<BidderCount> take);

}  // namespace mut::bench
