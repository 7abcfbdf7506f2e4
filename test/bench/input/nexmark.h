// NEXMark events (people, auctions, bids) in the fixed form of this suite: seed 42, first event at
// 1 700 000 000 000 ms, 10 000 events per second of event time, no disorder.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mut::bench {

constexpr int64_t nexmark_base_ms = 1'700'000'000'000;
constexpr uint64_t nexmark_events_small = 1'000'000;
constexpr uint64_t nexmark_events_full = 10'000'000;

// The bids of the first `event_count` events, in order, as decoded columns. Prices in cents.
struct BidColumns {
  std::vector<int64_t> auction, bidder, price, time_ns;
  size_t row_count() const { return auction.size(); }
};
BidColumns make_bids(uint64_t event_count);

// All kinds of events in order, as columns of numbers; texts are codes, or left out.
//            id       who      amount       group                  expires_ns
//   kind 0   person   name     0            state: AZ CA ID OR …   0
//   kind 1   auction  seller   initial bid  category               its end
//   kind 2   auction  bidder   price        0                      0
struct EventColumns {
  std::vector<int64_t> kind, id, who, amount, group, expires_ns, time_ns;
  size_t row_count() const { return kind.size(); }
};
EventColumns make_events(uint64_t event_count);

// One JSON object per line: {"event_type":0,"person":{…}}, 1/"auction", 2/"bid". Times in ms.
// About 292 bytes per event.
std::string make_ndjson(uint64_t event_count);

// The same text in blocks of some MB, for what does not fit in memory twice.
void write_ndjson(uint64_t event_count, const std::function<void(std::string_view)>& take);

}  // namespace mut::bench
