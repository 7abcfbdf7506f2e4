#include <algorithm>
#include <limits>
#include <vector>

#include "test/bench/limit/w4.h"
#include "test/bench/limit/word_table.h"

namespace mut::bench {
namespace {

// Open sessions in a list by their last bid, so that those which are over stand at its front.
class Sessions {
 public:
  Sessions(void* consumer, TakeRows<BidderSession> take) : consumer_(consumer), take_(take) {
    pool_.push_back({0, 0, 0, 0, 0, 0});  // the ring's own place
  }

  void add(int64_t bidder, int64_t time_ns) {
    close_until(time_ns);
    int64_t& place = by_bidder_.at(bidder);
    if (place == 0) {
      place = take_place();
      pool_[static_cast<size_t>(place)] = {bidder, 0, time_ns, time_ns, 0, 0};
    } else {
      unlink(place);
    }
    Session& session = pool_[static_cast<size_t>(place)];
    ++session.count;
    session.last_ns = std::max(session.last_ns, time_ns);
    link_last(place);
  }

  // Gives the sessions whose last bid is a gap or more before `time_ns`.
  void close_until(int64_t time_ns) {
    while (pool_[0].next != 0) {
      const int64_t place = pool_[0].next;
      const Session& session = pool_[static_cast<size_t>(place)];
      if (time_ns - session.last_ns < nexmark_gap_ns) break;
      rows_.push_back({session.bidder, session.count, session.start_ns, session.last_ns + nexmark_gap_ns});
      by_bidder_.subtract(session.bidder, place);
      unlink(place);
      free_.push_back(place);
    }
    if (rows_.size() >= limit_block_rows) give();
  }
  void give() {
    take_(consumer_, rows_);
    rows_.clear();
  }

 private:
  struct Session {
    int64_t bidder, count, start_ns, last_ns, before, next;
  };

  int64_t take_place() {
    if (free_.empty()) {
      pool_.push_back({});
      return static_cast<int64_t>(pool_.size() - 1);
    }
    const int64_t place = free_.back();
    free_.pop_back();
    return place;
  }
  Session& at(int64_t place) { return pool_[static_cast<size_t>(place)]; }
  void unlink(int64_t place) {
    at(at(place).before).next = at(place).next;
    at(at(place).next).before = at(place).before;
  }
  void link_last(int64_t place) {
    at(place).before = at(0).before;
    at(place).next = 0;
    at(at(0).before).next = place;
    at(0).before = place;
  }

  void* consumer_;
  TakeRows<BidderSession> take_;
  WordTable by_bidder_{8192};  // places in the pool
  std::vector<Session> pool_;
  std::vector<int64_t> free_;
  std::vector<BidderSession> rows_;
};

}  // namespace

int64_t run_q11(const BidColumns& bids, void* consumer, TakeRows<BidderSession> take) {
  Sessions sessions(consumer, take);
  int64_t watermark = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < bids.row_count(); ++i) {
    watermark = std::max(watermark, bids.time_ns[i]);
    sessions.add(bids.bidder[i], bids.time_ns[i]);
  }
  sessions.close_until(watermark + nexmark_gap_ns);
  sessions.give();
  return watermark;
}

}  // namespace mut::bench
