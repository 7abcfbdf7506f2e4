#include "test/bench/limit/w5.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "test/bench/input/huge_array.h"

namespace mut::bench {
namespace {

class LastBids {
 public:
  void add(const BidColumns& bids) {
    // Misses in flight; the queue runs that far ahead of the updates.
    constexpr size_t ahead_rows = 32;
    // Past this the table leaves the second-level cache and prefetching pays; below it costs.
    constexpr size_t prefetch_bytes_min = size_t{2} << 20;
    for (size_t i = 0; i < bids.row_count(); ++i) {
      if (slots_.size() * sizeof(Slot) >= prefetch_bytes_min && i + ahead_rows < bids.row_count())
        __builtin_prefetch(&slots_[slot_of(key_of(bids, i + ahead_rows))], 1);
      put({key_of(bids, i), bids.price[i], bids.time_ns[i]});
    }
  }

  void read_out(void* consumer, TakeRows<LastBid> take) const {
    std::vector<LastBid> rows;
    rows.reserve(limit_block_rows);
    for (const Slot& slot : slots_) {
      if (slot.time_ns == 0) continue;
      rows.push_back({static_cast<int64_t>(slot.key >> 32), static_cast<int64_t>(slot.key & 0xFFFFFFFF),
                      slot.price, slot.time_ns});
      if (rows.size() < limit_block_rows) continue;
      take(consumer, rows);
      rows.clear();
    }
    take(consumer, rows);
  }

 private:
  struct Slot {
    uint64_t key;
    int64_t price, time_ns;  // time 0: empty
  };

  static uint64_t key_of(const BidColumns& bids, size_t i) {
    return static_cast<uint64_t>(bids.auction[i]) << 32 | static_cast<uint64_t>(bids.bidder[i]);
  }
  size_t slot_of(uint64_t key) const { return static_cast<size_t>((key * 0x9E3779B97F4A7C15) >> shift_); }

  void put(const Slot& bid) {
    const size_t mask = slots_.size() - 1;
    size_t at = slot_of(bid.key);
    while (slots_[at].time_ns != 0 && slots_[at].key != bid.key) at = (at + 1) & mask;
    const bool is_new = slots_[at].time_ns == 0;
    slots_[at] = bid;
    if (is_new && ++used_ * 2 > slots_.size()) grow();
  }
  void grow() {
    HugeArray<Slot> old(slots_.size() * 2);
    std::swap(old, slots_);
    --shift_;
    used_ = 0;
    for (const Slot& slot : old)
      if (slot.time_ns != 0) put(slot);
  }

  static constexpr size_t first_slots = 1024;
  HugeArray<Slot> slots_{first_slots};
  unsigned shift_ = 64U - static_cast<unsigned>(std::countr_zero(first_slots));
  size_t used_ = 0;
};

}  // namespace

void run_q18(const BidColumns& bids, void* consumer, TakeRows<LastBid> take) {
  LastBids last;
  last.add(bids);
  last.read_out(consumer, take);
}

}  // namespace mut::bench
