#include "test/bench/limit/w2.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mut::bench {
namespace {

constexpr size_t group_rows = 64;
constexpr size_t timed_rows = 8 * group_rows;

int64_t newest(const int64_t* time_ns, size_t count, int64_t seen) {
  for (size_t i = 0; i < count; ++i) seen = std::max(seen, time_ns[i]);
  return seen;
}

// `x % 123 == 0` without a division, and without a branch so that it becomes vector code: the multiples
// of an odd d are what the inverse of d modulo 2^64 maps to [-limit, limit].
constexpr bool is_multiple_of_123(int64_t value) {
  constexpr uint64_t inverse = 0x2FDEB2FDEB2FDEB3;
  static_assert(inverse * 123 == 1);
  constexpr uint64_t limit = std::numeric_limits<int64_t>::max() / 123;
  return static_cast<uint64_t>(value) * inverse + limit <= 2 * limit;
}

}  // namespace

int64_t run_q1(const BidColumns& bids, void* consumer, TakeRows<Q1Row> take) {
  alignas(64) std::array<Q1Row, limit_block_rows> rows;
  int64_t watermark = std::numeric_limits<int64_t>::min();
  for (size_t begin = 0; begin < bids.row_count(); begin += limit_block_rows) {
    const size_t count = std::min(limit_block_rows, bids.row_count() - begin);
    const int64_t* auction = bids.auction.data() + begin;
    const int64_t* bidder = bids.bidder.data() + begin;
    const int64_t* price = bids.price.data() + begin;
    const int64_t* time_ns = bids.time_ns.data() + begin;
    for (size_t i = 0; i < count; ++i) {
      rows[i] = {auction[i], bidder[i], price[i] * 908 / 1000, time_ns[i]};
      watermark = std::max(watermark, time_ns[i]);
    }
    take(consumer, {rows.data(), count});
  }
  return watermark;
}

int64_t run_q2(const BidColumns& bids, void* consumer, TakeRows<Q2Row> take) {
  // Bids are tested a group at a time; few pass, so the hits are walked bit by bit. Their times are read
  // apart: in one loop with the auctions both are slower.
  std::array<Q2Row, limit_block_rows + timed_rows> rows;
  size_t row_count = 0;
  int64_t watermark = std::numeric_limits<int64_t>::min();
  const size_t grouped = bids.row_count() / timed_rows * timed_rows;
  for (size_t timed = 0; timed < grouped; timed += timed_rows) {
    for (size_t begin = timed; begin < timed + timed_rows; begin += group_rows) {
      const int64_t* auction = bids.auction.data() + begin;
      uint64_t hits = 0;
      for (size_t i = 0; i < group_rows; ++i) hits |= uint64_t{is_multiple_of_123(auction[i])} << i;
      for (; hits != 0; hits &= hits - 1) {
        const auto i = static_cast<size_t>(__builtin_ctzll(hits));
        rows[row_count++] = {auction[i], bids.price[begin + i]};
      }
    }
    watermark = newest(bids.time_ns.data() + timed, timed_rows, watermark);
    if (row_count >= limit_block_rows) {
      take(consumer, {rows.data(), row_count});
      row_count = 0;
    }
  }
  for (size_t i = grouped; i < bids.row_count(); ++i) {
    watermark = std::max(watermark, bids.time_ns[i]);
    if (is_multiple_of_123(bids.auction[i])) rows[row_count++] = {bids.auction[i], bids.price[i]};
  }
  take(consumer, {rows.data(), row_count});
  return watermark;
}

}  // namespace mut::bench
