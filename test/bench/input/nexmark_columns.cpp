#include "test/bench/input/huge_pages.h"
#include "test/bench/input/nexmark.h"
#include "test/bench/input/nexmark_entities.h"
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

EventColumns make_events(uint64_t event_count) {
  EventColumns events;
  for (auto* column : {&events.kind, &events.id, &events.who, &events.amount, &events.group,
                       &events.expires_ns, &events.time_ns})
    reserve_huge(*column, event_count);
  for (uint64_t event = 0; event < event_count; ++event) {
    auto random = SplitMix64::of_item(nexmark::seed, event);
    const auto kind = nexmark::kind_of(event);
    int64_t id = 0, who = 0, amount = 0, group = 0, expires_ns = 0;
    if (kind == nexmark::Kind::Person) {
      const auto person = nexmark::draw_person(random);
      id = nexmark::last_person(event) + nexmark::first_person_id;
      who = static_cast<int64_t>(person.first_name * nexmark::last_names.size() + person.last_name);
      group = static_cast<int64_t>(person.state);
    } else if (kind == nexmark::Kind::Auction) {
      const auto auction = nexmark::draw_auction(random, event);
      id = nexmark::last_auction(event) + nexmark::first_auction_id;
      who = auction.seller;
      amount = auction.initial_bid;
      group = auction.category;
      expires_ns = auction.expires_ms * 1'000'000;
    } else {
      const auto bid = nexmark::draw_bid(random, event);
      id = bid.auction;
      who = bid.bidder;
      amount = bid.price;
    }
    events.kind.push_back(static_cast<int64_t>(kind));
    events.id.push_back(id);
    events.who.push_back(who);
    events.amount.push_back(amount);
    events.group.push_back(group);
    events.expires_ns.push_back(expires_ns);
    events.time_ns.push_back(nexmark::time_ms(event) * 1'000'000);
  }
  return events;
}

}  // namespace mut::bench
