// bench_hand WORKLOAD …: the hand-written sides; `machine` and `spin`: what the
// machine gives. Prints one JSON line.
#include <array>
#include <cstdio>

#include "test/bench/input/check.h"
#include "test/bench/input/text_file.h"
#include "test/bench/limit/machine.h"
#include "test/bench/limit/w1a.h"
#include "test/bench/limit/w2.h"
#include "test/bench/limit/w3b.h"
#include "test/bench/limit/w6.h"
#include "test/bench/workload/hand_joins.h"
#include "test/bench/workload/hand_sliding.h"
#include "test/bench/workload/hand_windows.h"
#include "test/bench/workload/named.h"

namespace mut::bench {
namespace {

std::optional<WorkloadRun> bids_of_text(const Options& options, BidSums (*sum)(std::string_view)) {
  const auto path = nexmark_file(options.input, options.nexmark_events());
  if (!path) return std::nullopt;
  const auto bytes = read_padded(*path, json_padding_bytes);
  if (!bytes) return std::nullopt;
  const std::string_view text(bytes->data(), bytes->size() - json_padding_bytes);
  return WorkloadRun{
      options.nexmark_events(), measure_passes(options.seconds, [text, sum] {
        const BidSums sums = sum(text);
        return "events=" + std::to_string(sums.events) + ";broken=" + std::to_string(sums.broken) +
               ";rows=" + std::to_string(sums.count) + ";price=" + std::to_string(sums.price) +
               ";auction=" + std::to_string(sums.auction) + ";bidder=" + std::to_string(sums.bidder) +
               ";elapsed_ms=" + std::to_string(sums.elapsed_ms);
      })};
}

std::optional<WorkloadRun> w1a(const Options& options) { return bids_of_text(options, sum_bids); }
std::optional<WorkloadRun> w1auntyped(const Options& options) {
  return bids_of_text(options, sum_bids_untyped);
}

template <typename Row>
void add_prices(void* consumer, std::span<const Row> rows) {
  auto& check = *static_cast<SumCheck*>(consumer);
  check.rows += rows.size();
  for (const Row& row : rows) check.sum += row.price;
}

template <typename Row>
std::optional<WorkloadRun> w2(const Options& options,
                              int64_t (*query)(const BidColumns&, void*, TakeRows<Row>)) {
  const BidColumns bids = make_bids(options.nexmark_events());
  return WorkloadRun{bids.row_count(), measure_passes(options.seconds, [&] {
                       SumCheck check;
                       const int64_t watermark = query(bids, &check, add_prices<Row>);
                       // The engine keeps it too, but does not show it: here it must not be left out.
                       asm volatile("" : : "r"(watermark));
                       return check.text();
                     })};
}

std::optional<WorkloadRun> w2q1(const Options& options) { return w2<Q1Row>(options, run_q1); }
std::optional<WorkloadRun> w2q2(const Options& options) { return w2<Q2Row>(options, run_q2); }

void add_counts(void* consumer, std::span<const CampaignCount> rows) {
  auto& check = *static_cast<RowCheck*>(consumer);
  for (const auto& row : rows) check.add({row.campaign, row.window_start_ns, row.count}, row.count);
}

std::optional<WorkloadRun> w3b(const Options& options) {
  const auto rows = make_ysb_rows(options.ysb_rows());
  return WorkloadRun{rows.size(), measure_passes(options.seconds, [&rows] {
                       RowCheck check;
                       run_ysb_rows({rows.data(), rows.size()}, &check, add_counts);
                       return check.text();
                     })};
}

std::optional<WorkloadRun> w3bcol(const Options& options) {
  const auto columns = make_ysb_columns(options.ysb_rows(), YsbFields::Queried);
  return WorkloadRun{columns.row_count(), measure_passes(options.seconds, [&columns] {
                       RowCheck check;
                       run_ysb_columns(columns, &check, add_counts);
                       return check.text();
                     })};
}

template <typename Pass>
std::optional<WorkloadRun> keyed(const Options& options, uint64_t keys, const Pass& pass) {
  const auto pairs = make_keyed_pairs(options.keyed_pairs(), keys);
  return WorkloadRun{pairs.row_count(), measure_passes(options.seconds, [&] {
                       const KeyedTotals totals = pass(pairs);
                       return "rows=" + std::to_string(totals.keys) +
                              ";count=" + std::to_string(totals.count) +
                              ";sum=" + std::to_string(totals.sum) + ";max=" + std::to_string(totals.max);
                     })};
}

template <uint64_t of_full>
std::optional<WorkloadRun> w6(const Options& options) {
  return keyed(options, options.keyed_keys(of_full), run_keyed);
}
std::optional<WorkloadRun> w6sized(const Options& options) {
  return keyed(options, options.keyed_keys(),
               [&](const KeyedPairs& pairs) { return run_keyed_sized(pairs, options.keyed_keys()); });
}

constexpr std::array workloads = {
    NamedWorkload{"w1a", w1a},
    NamedWorkload{"w1auntyped", w1auntyped},
    NamedWorkload{"w2q1", w2q1},
    NamedWorkload{"w2q2", w2q2},
    NamedWorkload{"w3b", w3b},
    NamedWorkload{"w3bcol", w3bcol},
    NamedWorkload{"w6", w6<1'000'000>},
    NamedWorkload{"w6sized", w6sized},
    NamedWorkload{"w6keys1e2", w6<100>},
    NamedWorkload{"w6keys1e3", w6<1000>},
    NamedWorkload{"w6keys1e4", w6<10'000>},
    NamedWorkload{"w6keys1e5", w6<100'000>},
    NamedWorkload{"w6keys1e7", w6<10'000'000>},
};

const std::array workload_lists = {NamedWorkloads(workloads), hand_joins(), hand_sliding(), hand_windows()};

}  // namespace
}  // namespace mut::bench

int main(int argc, char** argv) {
  const auto options = mut::bench::parse_options(argc, argv);
  if (!options) return 2;
  if (options->workload == "machine") {
    const auto limits = mut::bench::measure_machine();
    std::printf(R"({"workload":"machine","add_chain_ghz":%.3f,"read_gb_per_s":%.2f,"copy_gb_per_s":%.2f})"
                "\n",
                limits.add_chain_ghz, limits.read_gb_per_s, limits.copy_gb_per_s);
    return 0;
  }
  if (options->workload == "spin") {
    std::printf(R"({"workload":"spin","seconds":%.9f})"
                "\n",
                mut::bench::spin_seconds());
    return 0;
  }
  for (const auto& list : mut::bench::workload_lists) {
    for (const auto& workload : list) {
      if (workload.name != options->workload) continue;
      const auto run = workload.run(*options);
      if (!run) return 1;
      mut::bench::print_report(*options, {.side = "hand", .events = run->events, .tier = run->tier},
                               run->measured);
      return 0;
    }
  }
  std::fprintf(stderr, "%s: no workload %s; there are: machine spin", argv[0], options->workload.c_str());
  for (const auto& list : mut::bench::workload_lists)
    for (const auto& workload : list)
      std::fprintf(stderr, " %.*s", static_cast<int>(workload.name.size()), workload.name.data());
  std::fputs("\n", stderr);
  return 2;
}
