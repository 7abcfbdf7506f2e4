// What the NEXMark generator draws, without its texts: ids, times and prices of event number e.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "test/bench/input/nexmark.h"
#include "test/bench/input/splitmix.h"

namespace mut::bench::nexmark {

constexpr uint64_t seed = 42;
constexpr int64_t events_per_second = 10'000;  // of event time

// Of 50 events one is a person, three are auctions, 46 are bids.
constexpr uint64_t round_events = 50;
constexpr uint64_t first_bid_rem = 4;

constexpr int64_t first_person_id = 1000;
constexpr int64_t first_auction_id = 1000;
constexpr int64_t first_category = 10;
constexpr int64_t in_flight_auctions = 100;
constexpr int64_t active_people = 1000;
constexpr int64_t id_lead = 10;  // ids that may not exist yet
constexpr int64_t hot_group = 100;

enum class Kind : uint8_t { Person, Auction, Bid };

constexpr Kind kind_of(uint64_t event) {
  const uint64_t rem = event % round_events;
  return rem == 0 ? Kind::Person : rem < first_bid_rem ? Kind::Auction : Kind::Bid;
}

constexpr int64_t time_ms(uint64_t event) {
  return nexmark_base_ms + static_cast<int64_t>(event) * 1'000'000 / events_per_second / 1000;
}

// Numbers count from 0; the first ids are added at the end.
constexpr int64_t last_person(uint64_t event) { return static_cast<int64_t>(event / round_events); }

constexpr int64_t last_auction(uint64_t event) {
  const auto round = static_cast<int64_t>(event / round_events);
  const auto rem = static_cast<int64_t>(event % round_events);
  if (rem == 0) return 3 * (round - 1) + 2;
  return 3 * round + std::min<int64_t>(rem - 1, 2);
}

inline int64_t draw_below(SplitMix64& random, int64_t bound) {
  return static_cast<int64_t>(random.uniform(static_cast<uint64_t>(bound)));
}

inline int64_t random_person(SplitMix64& random, uint64_t event) {
  const int64_t known = last_person(event) + 1;
  const int64_t active = std::min(known, active_people);
  return known - active + draw_below(random, active + id_lead);
}

inline int64_t random_auction(SplitMix64& random, uint64_t event) {
  const int64_t last = last_auction(event);
  const int64_t low = std::max<int64_t>(last - in_flight_auctions, 0);
  return low + draw_below(random, last - low + 1 + id_lead);
}

inline int64_t round_half_up(double value) { return static_cast<int64_t>(std::floor(value + 0.5)); }

// Log-uniform from 100 to 100 000 000 cents.
inline int64_t draw_price(SplitMix64& random) {
  return round_half_up(100.0 * std::pow(10.0, 6.0 * random.unit()));
}

struct BidNumbers {
  int64_t auction, bidder, price;
};

// The leading draws of a bid; what follows (channel, extra) is left in `random`.
inline BidNumbers draw_bid(SplitMix64& random, uint64_t event) {
  BidNumbers bid{};
  const bool hot_auction = random.uniform(2) > 0;
  bid.auction = first_auction_id +
                (hot_auction ? last_auction(event) / hot_group * hot_group : random_auction(random, event));
  const bool hot_bidder = random.uniform(4) > 0;
  bid.bidder = first_person_id +
               (hot_bidder ? last_person(event) / hot_group * hot_group + 1 : random_person(random, event));
  bid.price = draw_price(random);
  return bid;
}

}  // namespace mut::bench::nexmark
