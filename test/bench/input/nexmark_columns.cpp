#include "test/bench/input/huge_pages.h"
#include "test/bench/input/nexmark.h"
#include "test/bench/input/nexmark_rules.h"

namespace mut::bench {

BidColumns make_bids(uint64_t event_count) {
  BidColumns bids;
  const uint64_t rows_max = (event_count / nexmark::round_events + 1) * 46;
  for (auto* column : {&bids.auction, &bids.bidder, &bids.price, &bids.time_ns})
    reserve_huge(*column, rows_max);
  for (uint64_t event = 0; event < event_count; ++event) {
    if (nexmark::kind_of(event) != nexmark::Kind::Bid) continue;
    auto random = SplitMix64::of_item(nexmark::seed, event);
    const auto bid = nexmark::draw_bid(random, event);
    bids.auction.push_back(bid.auction);
    bids.bidder.push_back(bid.bidder);
    bids.price.push_back(bid.price);
    bids.time_ns.push_back(nexmark::time_ms(event) * 1'000'000);
  }
  return bids;
}

}  // namespace mut::bench
