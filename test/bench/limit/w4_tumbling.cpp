#include <vector>

#include "test/bench/limit/time_blocks.h"
#include "test/bench/limit/w4.h"
#include "test/bench/limit/word_table.h"

namespace mut::bench {

int64_t run_q7(const BidColumns& bids, void* consumer, TakeRows<HighestBid> take) {
  Span window;
  int64_t highest = 0;
  std::vector<HighestBid> rows;
  auto close = [&](int64_t time_ns) {
    if (!rows.empty()) take(consumer, rows);
    rows.clear();
    highest = 0;
    window = Span::around(time_ns, nexmark_window_ns);
  };
  auto one = [&](size_t i) {
    if (bids.price[i] < highest) return;
    if (bids.price[i] > highest) rows.clear();
    highest = bids.price[i];
    rows.push_back({bids.auction[i], bids.bidder[i], bids.price[i], bids.time_ns[i]});
  };
  const int64_t watermark = run_in_blocks(
      bids.time_ns.data(), bids.row_count(), window,
      [&](size_t begin, size_t count) {
        int64_t most = 0;
        for (size_t i = begin; i < begin + count; ++i) most = std::max(most, bids.price[i]);
        if (most < highest) return;
        for (size_t i = begin; i < begin + count; ++i)
          if (bids.price[i] == most) one(i);
      },
      one, close);
  close(watermark);
  return watermark;
}

int64_t run_q8(const EventColumns& events, void* consumer, TakeRows<NewSeller> take) {
  constexpr int64_t person = 0, auction = 1, bid = 2;
  Span window;
  WordTable people(1024), sellers(1024);  // a name's number and one; one
  std::vector<NewSeller> rows;
  auto close = [&](int64_t time_ns) {
    people.for_each([&](int64_t id, int64_t name) {
      if (sellers.find(id) != 0) rows.push_back({id, name - 1, window.start_ns});
    });
    if (!rows.empty()) take(consumer, rows);
    rows.clear();
    people.clear();
    sellers.clear();
    window = Span::around(time_ns, nexmark_window_ns);
  };
  auto one = [&](size_t i) {
    if (events.kind[i] == person) people.at(events.id[i]) = events.who[i] + 1;
    if (events.kind[i] == auction) sellers.at(events.who[i]) = 1;
  };
  const int64_t watermark = run_in_blocks(
      events.time_ns.data(), events.row_count(), window,
      [&](size_t begin, size_t count) {
        for (size_t first = begin; first < begin + count; first += 64) {
          const size_t group = std::min<size_t>(64, begin + count - first);
          uint64_t hits = 0;
          for (size_t i = 0; i < group; ++i) hits |= uint64_t{events.kind[first + i] != bid} << i;
          for (; hits != 0; hits &= hits - 1) one(first + static_cast<size_t>(__builtin_ctzll(hits)));
        }
      },
      one, close);
  close(watermark);
  return watermark;
}

int64_t run_q12(const BidColumns& bids, void* consumer, TakeRows<BidderCount> take) {
  Span window;
  WordTable counts(8192);
  std::vector<BidderCount> rows;
  auto close = [&](int64_t time_ns) {
    counts.for_each([&](int64_t bidder, int64_t count) { rows.push_back({bidder, count, window.start_ns}); });
    if (!rows.empty()) take(consumer, rows);
    rows.clear();
    counts.clear();
    window = Span::around(time_ns, nexmark_window_ns);
  };
  const int64_t watermark = run_in_blocks(
      bids.time_ns.data(), bids.row_count(), window,
      [&](size_t begin, size_t count) {
        for (size_t i = begin; i < begin + count; ++i) ++counts.at(bids.bidder[i]);
      },
      [&](size_t i) { ++counts.at(bids.bidder[i]); }, close);
  close(watermark);
  return watermark;
}

}  // namespace mut::bench
