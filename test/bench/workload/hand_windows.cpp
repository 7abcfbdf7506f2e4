#include "test/bench/workload/hand_windows.h"

#include <array>

#include "test/bench/input/check.h"
#include "test/bench/limit/w4.h"

namespace mut::bench {
namespace {

constexpr int64_t second_ns = 1'000'000'000;

void add(MixCheck& check, const HotAuction& row) {
  check.add({row.auction, row.count, row.window_start_ns}, row.count);
}
void add(MixCheck& check, const HighestBid& row) {
  check.add({row.auction, row.bidder, row.price, row.time_ns}, row.auction + row.bidder + row.price);
}
void add(MixCheck& check, const NewSeller& row) {
  check.add({row.id, row.name, row.window_start_ns}, row.id);
}
void add(MixCheck& check, const BidderSession& row) {
  check.add({row.bidder, row.count, row.start_ns, row.end_ns}, row.count);
}
void add(MixCheck& check, const BidderCount& row) {
  check.add({row.bidder, row.count, row.window_start_ns}, row.count);
}

template <typename Row>
void add_rows(void* consumer, std::span<const Row> rows) {
  for (const Row& row : rows) add(*static_cast<MixCheck*>(consumer), row);
}

template <typename Input, typename Query>
WorkloadRun run_over(const Options& options, const Input& input, const Query& query) {
  return {input.row_count(), measure_passes(options.seconds, [&] {
            MixCheck check;
            const int64_t watermark = query(input, &check);
            asm volatile("" : : "r"(watermark));
            return check.text();
          })};
}

std::optional<WorkloadRun> q5(const Options& options, int64_t slide_ns) {
  return run_over(options, make_bids(options.nexmark_events()), [slide_ns](const auto& bids, void* check) {
    return run_q5(bids, slide_ns, check, add_rows<HotAuction>);
  });
}
std::optional<WorkloadRun> w4q5(const Options& options) { return q5(options, 2 * second_ns); }
std::optional<WorkloadRun> w4q5fine(const Options& options) { return q5(options, second_ns / 10); }

template <auto Query, typename Row>
std::optional<WorkloadRun> over_bids(const Options& options) {
  return run_over(options, make_bids(options.nexmark_events()),
                  [](const BidColumns& bids, void* check) { return Query(bids, check, add_rows<Row>); });
}
std::optional<WorkloadRun> w4q8(const Options& options) {
  return run_over(options, make_events(options.nexmark_events()),
                  [](const auto& events, void* check) { return run_q8(events, check, add_rows<NewSeller>); });
}

constexpr std::array workloads = {
    NamedWorkload{"w4q5", w4q5},
    NamedWorkload{"w4q5fine", w4q5fine},
    NamedWorkload{"w4q7", over_bids<run_q7, HighestBid>},
    NamedWorkload{"w4q8", w4q8},
    NamedWorkload{"w4q11", over_bids<run_q11, BidderSession>},
    NamedWorkload{"w4q12", over_bids<run_q12, BidderCount>},
};

}  // namespace

NamedWorkloads hand_windows() { return workloads; }

}  // namespace mut::bench
