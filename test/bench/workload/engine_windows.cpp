#include "test/bench/workload/engine_windows.h"

#include <algorithm>
#include <array>
#include <span>

#include "test/bench/input/check.h"
#include "test/bench/workload/engine_run.h"

namespace mut::bench {
namespace {

constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t window_ns = 10 * second_ns;

struct Query {
  std::string script;
  size_t time_field;                 // of a row: tells to which pass it belongs
  std::vector<size_t> time_fields;   // shifted by whole passes
  std::vector<size_t> check_fields;  // those that the check goes over, in its order
  std::vector<size_t> sum_fields;    // the check's sum is of these
};

// One engine runs pass after pass over the same columns, each later by whole windows and so far that all of
// the pass before is closed. The last windows of a pass close with the next; so the check is that of the pass
// before.
WorkloadRun replay(const Options& options, const std::vector<const void*>& columns,
                   const std::vector<int64_t>& times_ns, const Query& query) {
  const int64_t begin_ns = times_ns.front() / window_ns * window_ns - window_ns;  // of the first sliding one
  const int64_t step_ns = (times_ns.back() - begin_ns) / window_ns * window_ns + 3 * window_ns;
  std::vector<MixCheck> passes(1);
  EngineRun::Setup setup;
  setup.shards = options.shards;
  setup.script = query.script;
  setup.source = "events";
  setup.sink = "out";
  setup.columns = {columns, times_ns, times_ns.size(), uint64_t{1} << 40, step_ns};
  setup.take = [&](const RowBatch& rows) {
    const auto times = ints_of(rows, query.time_field);
    std::vector<FieldColumn<int64_t>> checked;
    for (const size_t field : query.check_fields) checked.push_back(ints_of(rows, field));
    for (size_t row = 0; row < rows.row_count(); ++row) {
      const auto pass = static_cast<size_t>((times[row] - begin_ns) / step_ns);
      if (passes.size() <= pass) passes.resize(pass + 1);
      std::array<int64_t, 8> fields{};
      for (size_t i = 0; i < checked.size(); ++i) fields[i] = checked[i][row];
      for (const size_t i : query.time_fields) fields[i] -= static_cast<int64_t>(pass) * step_ns;
      int64_t sum = 0;
      for (const size_t i : query.sum_fields) sum += fields[i];
      passes[pass].add(std::span<const int64_t>(fields.data(), checked.size()), sum);
    }
  };
  EngineRun run(std::move(setup));
  run.run_records(times_ns.size());
  size_t done = 0;
  Measured measured = measure_passes(options.seconds, [&] {
    run.run_records(times_ns.size());
    passes.resize(std::max(passes.size(), done + 1));
    return passes[done++].text();
  });
  return {times_ns.size(), measured, run.tier(), run.compile_ms()};
}

std::optional<WorkloadRun> over_bids(const Options& options, Query query) {
  const BidColumns bids = make_bids(options.nexmark_events());
  query.script =
      "type Bid = { auction: int, bidder: int, price: int, at: time }\n"
      "source events: Bid = stdin() time at\n" +
      query.script + "emit out to stdout()\n";
  return replay(options, {bids.auction.data(), bids.bidder.data(), bids.price.data(), bids.time_ns.data()},
                bids.time_ns, query);
}

// Rows of auction, num, window_start.
std::optional<WorkloadRun> hot_auctions(const Options& options, const std::string& script) {
  return over_bids(options, {script, 2, {2}, {0, 1, 2}, {1}});
}
std::optional<WorkloadRun> q5(const Options& options, const std::string& slide) {
  return hot_auctions(
      options, "stream out = events | aggregate num = count() by auction window sliding 10s every " + slide +
                   "\n  | top 1 with ties by num window tumbling " + slide +
                   "\n  | select auction, num, window_start\n");
}
std::optional<WorkloadRun> w4q5(const Options& options) { return q5(options, "2s"); }
std::optional<WorkloadRun> w4q5fine(const Options& options) { return q5(options, "100ms"); }
// As SQL says it: counts against the greatest of them.
std::optional<WorkloadRun> w4q5joined(const Options& options) {
  return hot_auctions(options,
                      "stream counted = events\n"
                      "  | aggregate num = count() by auction window sliding 10s every 2s\n"
                      "stream most = counted | aggregate num = max(num) window tumbling 2s\n"
                      "stream out = counted\n"
                      "  | join most within 2s on num == most.num and window_end == most.window_end\n"
                      "  | select auction, num, window_start\n");
}

// Rows of auction, bidder, price, when.
std::optional<WorkloadRun> highest_bids(const Options& options, const std::string& script) {
  return over_bids(options, {script, 3, {3}, {0, 1, 2, 3}, {0, 1, 2}});
}
std::optional<WorkloadRun> w4q7(const Options& options) {
  return highest_bids(options,
                      "stream out = events | select auction, bidder, price, when = event_time()\n"
                      "  | top 1 with ties by price window tumbling 10s\n"
                      "  | select auction, bidder, price, when\n");
}
std::optional<WorkloadRun> w4q7joined(const Options& options) {
  return highest_bids(options,
                      "stream highest = events | aggregate price = max(price) window tumbling 10s\n"
                      "stream out = events\n"
                      "  | select auction, bidder, price, when = event_time()\n"
                      "  | join highest within -10s..10s\n"
                      "      on price == highest.price and when >= highest.window_start and when < "
                      "highest.window_end\n"
                      "  | select auction, bidder, price, when\n");
}

std::optional<WorkloadRun> w4q8(const Options& options) {
  const EventColumns events = make_events(options.nexmark_events());
  const Query query = {
      "type Event = { kind: int, id: int, who: int, at: time }\n"
      "source events: Event = stdin() time at\n"
      "stream newcomers = events | where kind == 0 | aggregate name = last(who) by id window tumbling 10s\n"
      "stream sellers = events | where kind == 1 | aggregate n = count() by seller = who window tumbling "
      "10s\n"
      "stream out = newcomers\n"
      "  | join sellers within 0s on id == sellers.seller and window_start == sellers.window_start\n"
      "  | select id, name, window_start\nemit out to stdout()\n",
      2,
      {2},
      {0, 1, 2},
      {0}};
  return replay(options, {events.kind.data(), events.id.data(), events.who.data(), events.time_ns.data()},
                events.time_ns, query);
}

std::optional<WorkloadRun> w4q11(const Options& options) {
  return over_bids(options, {"stream out = events | aggregate n = count() by bidder window session 1s\n"
                             "  | select bidder, n, window_start, window_end\n",
                             2,
                             {2, 3},
                             {0, 1, 2, 3},
                             {1}});
}

std::optional<WorkloadRun> w4q12(const Options& options) {
  return over_bids(options, {"stream out = events | aggregate n = count() by bidder window tumbling 10s\n"
                             "  | select bidder, n, window_start\n",
                             2,
                             {2},
                             {0, 1, 2},
                             {1}});
}

constexpr std::array workloads = {
    NamedWorkload{"w4q5", w4q5},
    NamedWorkload{"w4q5fine", w4q5fine},
    NamedWorkload{"w4q5joined", w4q5joined},
    NamedWorkload{"w4q7", w4q7},
    NamedWorkload{"w4q7joined", w4q7joined},
    NamedWorkload{"w4q8", w4q8},
    NamedWorkload{"w4q11", w4q11},
    NamedWorkload{"w4q12", w4q12},
};

}  // namespace

NamedWorkloads engine_windows() { return workloads; }

}  // namespace mut::bench
