// bench_engine WORKLOAD …: the engine's sides. Prints one JSON line.
#include <array>
#include <cstdio>

#include "test/bench/input/check.h"
#include "test/bench/input/text_file.h"
#include "test/bench/workload/engine_figures.h"
#include "test/bench/workload/engine_joins.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/engine_sliding.h"
#include "test/bench/workload/engine_windows.h"
#include "test/bench/workload/named.h"

namespace mut::bench {
namespace {

constexpr uint64_t for_ever = uint64_t{1} << 40;

// q1 and q2 keep no state: one engine runs pass after pass over the same columns.
std::optional<WorkloadRun> w2(const Options& options, const char* stages, size_t price_field) {
  const BidColumns bids = make_bids(options.nexmark_events());
  SumCheck check;
  EngineRun::Setup setup;
  setup.shards = options.shards;
  setup.script = std::string("type Bid = { auction: int, bidder: int, price: int, at: time }\n") +
                 "source bids: Bid = stdin() time at\nstream out = bids " + stages +
                 "\nemit out to stdout()\n";
  setup.source = "bids";
  setup.sink = "out";
  setup.columns = {{bids.auction.data(), bids.bidder.data(), bids.price.data(), bids.time_ns.data()},
                   bids.time_ns,
                   bids.row_count(),
                   for_ever,
                   0};
  setup.take = [&](const RowBatch& rows) {
    const auto price = ints_of(rows, price_field);
    const size_t count = rows.row_count();
    check.rows += count;
    for (size_t i = 0; i < count; ++i) check.sum += price[i];
  };
  EngineRun run(std::move(setup));
  Measured measured = measure_passes(options.seconds, [&] {
    check = {};
    run.run_records(bids.row_count());
    return check.text();
  });
  return WorkloadRun{bids.row_count(), measured, run.tier(), run.compile_ms()};
}

std::optional<WorkloadRun> w2q1(const Options& options) {
  return w2(options, "| select auction, bidder, price = price * 908 / 1000, at", 2);
}
std::optional<WorkloadRun> w2q2(const Options& options) {
  return w2(options, "| where auction % 123 == 0 | select auction, price", 1);
}

// Each pass is later by whole windows; what it counts is told by the window's start.
std::optional<WorkloadRun> w3bcol(const Options& options) {
  const YsbColumns columns = make_ysb_columns(options.ysb_rows(), YsbFields::Queried);
  const int64_t span_ns = columns.time_ns.back() - columns.time_ns.front();
  const int64_t step_ns = (span_ns / ysb_window_ns + 2) * ysb_window_ns;
  const int64_t first_ns = columns.time_ns.front() / ysb_window_ns * ysb_window_ns;
  std::vector<RowCheck> passes(1);
  EngineRun::Setup setup;
  setup.shards = options.shards;
  setup.script =
      "type View = { ad: int, event_type: int, at: time }\nsource rows: View = stdin() time at\n"
      "stream views = rows | where event_type == 0 | select campaign = ad / 10\n"
      "stream counts = views | aggregate n = count() by campaign window tumbling 10s\n"
      "emit counts to stdout()\n";
  setup.source = "rows";
  setup.sink = "counts";
  setup.columns = {{columns.ad.data(), columns.event_type.data(), columns.time_ns.data()},
                   columns.time_ns,
                   columns.row_count(),
                   for_ever,
                   step_ns};
  setup.take = [&](const RowBatch& rows) {
    // Fields: campaign, n, window_start, window_end.
    const auto campaign = ints_of(rows, 0);
    const auto count = ints_of(rows, 1);
    const auto start_ns = ints_of(rows, 2);
    for (size_t i = 0; i < rows.row_count(); ++i) {
      const auto pass = static_cast<size_t>((start_ns[i] - first_ns) / step_ns);
      if (passes.size() <= pass) passes.resize(pass + 1);
      passes[pass].add({campaign[i], start_ns[i] - static_cast<int64_t>(pass) * step_ns, count[i]}, count[i]);
    }
  };
  EngineRun run(std::move(setup));
  // The last window of a pass closes with the next pass; so the check is that of the pass before.
  run.run_records(columns.row_count());
  size_t done = 0;
  Measured measured = measure_passes(options.seconds, [&] {
    run.run_records(columns.row_count());
    return passes[done++].text();
  });
  return WorkloadRun{columns.row_count(), measured, run.tier(), run.compile_ms()};
}

// State is built from empty and read out: an engine for each pass, made outside of the time.
template <uint64_t of_full>
std::optional<WorkloadRun> w6(const Options& options) {
  const KeyedPairs pairs = make_keyed_pairs(options.keyed_pairs(), options.keyed_keys(of_full));
  std::vector<int64_t> times(pairs.row_count());
  for (size_t i = 0; i < times.size(); ++i) times[i] = static_cast<int64_t>(i);
  struct Totals {
    uint64_t keys = 0;
    int64_t count = 0, sum = 0, max = 0;
  } totals;
  std::unique_ptr<EngineRun> run;
  double compile_ms = 0;
  auto prepare = [&] {
    run.reset();
    totals = {};
    EngineRun::Setup setup;
    setup.shards = options.shards;
    setup.script =
        "type Pair = { key: int, value: int }\nsource pairs: Pair = stdin()\n"
        "stream totals = pairs | aggregate n = count(), sum = sum(value), most = max(value) by key window "
        "all "
        "ttl none\nemit totals to stdout()\n";
    setup.source = "pairs";
    setup.sink = "totals";
    setup.columns = {{pairs.key.data(), pairs.value.data()}, times, pairs.row_count(), 1, 0};
    setup.take = [&](const RowBatch& rows) {
      const auto count = ints_of(rows, 1);
      const auto sum = ints_of(rows, 2);
      const auto most = ints_of(rows, 3);
      totals.keys += rows.row_count();
      for (size_t i = 0; i < rows.row_count(); ++i) {
        totals.count += count[i];
        totals.sum += sum[i];
        totals.max += most[i];
      }
    };
    run = std::make_unique<EngineRun>(std::move(setup));
    compile_ms = run->compile_ms();
  };
  Measured measured = measure_passes(
      options.seconds,
      [&] {
        run->run_to_end();
        return "rows=" + std::to_string(totals.keys) + ";count=" + std::to_string(totals.count) +
               ";sum=" + std::to_string(totals.sum) + ";max=" + std::to_string(totals.max);
      },
      prepare);
  return WorkloadRun{pairs.row_count(), measured, run->tier(), compile_ms};
}

std::optional<WorkloadRun> w1a(const Options& options) {
  const auto path = nexmark_file(options.input, options.nexmark_events());
  if (!path) return std::nullopt;
  constexpr size_t slack_bytes = 64;
  const auto bytes = read_padded(*path, slack_bytes);
  if (!bytes) return std::nullopt;
  std::string check;
  std::unique_ptr<EngineRun> run;
  double compile_ms = 0;
  auto prepare = [&] {
    run.reset();
    check.clear();
    EngineRun::Setup setup;
    setup.shards = options.shards;
    setup.script =
        "type Bid = { auction: int, bidder: int, price: int, dateTime: int }\n"
        "type Event = { event_type: int, bid: Bid? }\n"
        "source events: Event = stdin()\n"
        "stream sums = events | aggregate events = count(), rows = count(bid?.price), price = "
        "sum(bid?.price),\n"
        "    auction = sum(bid?.auction), bidder = sum(bid?.bidder),\n"
        "    elapsed_ms = sum((bid?.dateTime ?? 1700000000000) - 1700000000000) window all\n"
        "emit sums to stdout()\n";
    setup.source = "events";
    setup.sink = "sums";
    setup.text = {bytes->data(), bytes->size() - slack_bytes};
    setup.take = [&](const RowBatch& batch) {
      const std::string rows = ";broken=" + std::to_string(run->engine().stats().event_errors) + ";rows=";
      const std::array<std::string, 6> names = {
          "events=", rows, ";price=", ";auction=", ";bidder=", ";elapsed_ms="};
      for (size_t i = 0; i < names.size(); ++i) check += names[i] + std::to_string(ints_of(batch, i)[0]);
    };
    run = std::make_unique<EngineRun>(std::move(setup));
    compile_ms = run->compile_ms();
  };
  Measured measured = measure_passes(
      options.seconds,
      [&] {
        run->run_to_end();
        return check;
      },
      prepare);
  return WorkloadRun{options.nexmark_events(), measured, run->tier(), compile_ms};
}

constexpr std::array workloads = {
    NamedWorkload{"w1a", w1a},
    NamedWorkload{"w2q1", w2q1},
    NamedWorkload{"w2q2", w2q2},
    NamedWorkload{"w3bcol", w3bcol},
    NamedWorkload{"w6", w6<1'000'000>},
    NamedWorkload{"w6keys1e2", w6<100>},
    NamedWorkload{"w6keys1e3", w6<1000>},
    NamedWorkload{"w6keys1e4", w6<10'000>},
    NamedWorkload{"w6keys1e5", w6<100'000>},
    NamedWorkload{"w6keys1e7", w6<10'000'000>},
};

const std::array workload_lists = {NamedWorkloads(workloads), engine_joins(), engine_sliding(),
                                   engine_windows()};

}  // namespace
}  // namespace mut::bench

int main(int argc, char** argv) {
  const auto options = mut::bench::parse_options(argc, argv);
  if (!options) return 2;
  if (options->workload == "w8") return mut::bench::print_compile_latency(argv[0]);
  if (options->workload == "w8cold") return mut::bench::run_one_event();
  if (options->workload == "w9") return mut::bench::print_live_swap(*options, argv[0]);
  if (options->workload == "w10") return mut::bench::print_latency(*options);
  for (const auto& list : mut::bench::workload_lists) {
    for (const auto& workload : list) {
      if (workload.name != options->workload) continue;
      const auto run = workload.run(*options);
      if (!run) return 1;
      mut::bench::print_report(
          *options,
          {.side = "engine", .events = run->events, .tier = run->tier, .compile_ms = run->compile_ms},
          run->measured);
      return 0;
    }
  }
  std::fprintf(stderr, "%s: no workload %s\n", argv[0], options->workload.c_str());
  return 2;
}
