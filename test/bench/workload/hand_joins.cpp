#include "test/bench/workload/hand_joins.h"

#include <array>

#include "test/bench/input/check.h"
#include "test/bench/limit/w5.h"

namespace mut::bench {
namespace {

void add_last(void* consumer, std::span<const LastBid> rows) {
  auto& check = *static_cast<MixCheck*>(consumer);
  for (const LastBid& row : rows) check.add({row.auction, row.bidder, row.price, row.time_ns}, row.price);
}

std::optional<WorkloadRun> w5q18(const Options& options) {
  const BidColumns bids = make_bids(options.nexmark_events());
  return WorkloadRun{bids.row_count(), measure_passes(options.seconds, [&] {
                       MixCheck check;
                       run_q18(bids, &check, add_last);
                       return check.text();
                     })};
}

constexpr std::array workloads = {NamedWorkload{"w5q18", w5q18}};

}  // namespace

NamedWorkloads hand_joins() { return workloads; }

}  // namespace mut::bench
