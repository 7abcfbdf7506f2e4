#include <vector>

#include "test/bench/limit/time_blocks.h"
#include "test/bench/limit/w4.h"
#include "test/bench/limit/word_table.h"

namespace mut::bench {
namespace {

struct KeyCount {
  int64_t key, count;
};

// Counts side by side, to be searched for the largest as vectors.
class WindowCounts {
 public:
  bool is_empty() const { return counts_.empty(); }

  void add(const KeyCount& more) {
    int64_t& place = places_.at(more.key);
    if (place == 0) {
      keys_.push_back(more.key);
      counts_.push_back(0);
      place = static_cast<int64_t>(keys_.size());
    }
    counts_[static_cast<size_t>(place - 1)] += more.count;
  }

  // A key without a count goes, and the last one takes its place.
  void subtract(const KeyCount& less) {
    const int64_t place = places_.find(less.key);
    const auto at = static_cast<size_t>(place - 1);
    counts_[at] -= less.count;
    if (counts_[at] != 0) return;
    places_.subtract(less.key, place);
    if (at + 1 != keys_.size()) {
      keys_[at] = keys_.back();
      counts_[at] = counts_.back();
      places_.at(keys_[at]) = place;
    }
    keys_.pop_back();
    counts_.pop_back();
  }

  template <typename Visit>
  void visit_largest(Visit visit) const {
    int64_t most = 0;
    for (const int64_t count : counts_) most = std::max(most, count);
    for (size_t begin = 0; begin < counts_.size(); begin += group) {
      const size_t end = std::min(begin + group, counts_.size());
      bool has_one = false;
      for (size_t i = begin; i < end; ++i) has_one |= counts_[i] == most;
      if (!has_one) continue;
      for (size_t i = begin; i < end; ++i)
        if (counts_[i] == most) visit(keys_[i], most);
    }
  }

 private:
  static constexpr size_t group = 64;
  WordTable places_{16384};  // in the two below, and one
  std::vector<int64_t> keys_, counts_;
};

class HotAuctions {
 public:
  HotAuctions(int64_t slide_ns, void* consumer, TakeRows<HotAuction> take)
      : slide_ns_(slide_ns),
        consumer_(consumer),
        take_(take),
        older_(static_cast<size_t>(nexmark_window_ns / slide_ns)) {}

  const Span& slice() const { return slice_; }
  void count(int64_t auction) { ++counts_.at(auction); }

  // Closes slices, and the windows that end with them, until `time_ns` lies in the open one.
  void close(int64_t time_ns) {
    while (time_ns >= slice_.end_ns && (!window_.is_empty() || counts_.size() != 0)) close_slice();
    if (time_ns >= slice_.end_ns) slice_ = Span::around(time_ns, slide_ns_);
  }
  void close_all() {
    while (!window_.is_empty() || counts_.size() != 0) close_slice();
  }

 private:
  void close_slice() {
    std::vector<KeyCount>& slice = older_[place_];
    place_ = (place_ + 1) % older_.size();
    for (const KeyCount& left : slice) window_.subtract(left);
    slice.clear();
    counts_.for_each([&](int64_t key, int64_t count) {
      slice.push_back({key, count});
      window_.add(slice.back());
    });
    counts_.clear();
    window_.visit_largest([&](int64_t auction, int64_t count) {
      rows_.push_back({auction, count, slice_.end_ns - nexmark_window_ns});
    });
    take_(consumer_, rows_);
    rows_.clear();
    slice_ = {slice_.end_ns, slice_.end_ns + slide_ns_};
  }

  int64_t slide_ns_;
  void* consumer_;
  TakeRows<HotAuction> take_;
  WordTable counts_{512};  // of the open slice
  WindowCounts window_;    // of the slices before it that its window holds
  std::vector<std::vector<KeyCount>> older_;
  size_t place_ = 0;  // of the oldest
  std::vector<HotAuction> rows_;
  Span slice_;
};

}  // namespace

int64_t run_q5(const BidColumns& bids, int64_t slide_ns, void* consumer, TakeRows<HotAuction> take) {
  HotAuctions hot(slide_ns, consumer, take);
  const int64_t watermark = run_in_blocks(
      bids.time_ns.data(), bids.row_count(), hot.slice(),
      [&](size_t begin, size_t count) {
        for (size_t i = begin; i < begin + count; ++i) hot.count(bids.auction[i]);
      },
      [&](size_t i) { hot.count(bids.auction[i]); }, [&](int64_t time_ns) { hot.close(time_ns); });
  hot.close_all();
  return watermark;
}

}  // namespace mut::bench
