#include "test/bench/workload/engine_joins.h"

#include <array>
#include <memory>
#include <vector>

#include "test/bench/input/check.h"
#include "test/bench/workload/engine_run.h"

namespace mut::bench {
namespace {

struct Query {
  std::string text;    // streams; `out` is the result
  size_t field_count;  // of a row, all of them checked in their order
  size_t counted;      // the field that is summed
};

constexpr const char* event_source =
    "type Event = { kind: int, id: int, who: int, amount: int, group: int, expires: time, at: time }\n"
    "source events: Event = stdin() time at\n";

// Nothing is forgotten, so each pass begins from empty, with an engine of its own that is made outside of the
// time, and ends with its input.
WorkloadRun run_once(const Options& options, const std::string& script,
                     const std::vector<const void*>& columns, const std::vector<int64_t>& times_ns,
                     const Query& query) {
  MixCheck check;
  std::unique_ptr<EngineRun> run;
  double compile_ms = 0;
  auto prepare = [&] {
    run.reset();
    check = {};
    EngineRun::Setup setup;
    setup.shards = options.shards;
    setup.script = script;
    setup.source = "events";
    setup.sink = "out";
    setup.columns = {columns, times_ns, times_ns.size(), 1, 0};
    setup.take = [&](const RowBatch& rows) {
      std::vector<FieldColumn<int64_t>> columns_out;
      for (size_t i = 0; i < query.field_count; ++i) columns_out.push_back(ints_of(rows, i));
      for (size_t row = 0; row < rows.row_count(); ++row) {
        std::array<int64_t, 8> fields{};
        for (size_t i = 0; i < query.field_count; ++i) fields[i] = columns_out[i][row];
        check.add(std::span<const int64_t>(fields.data(), query.field_count), fields[query.counted]);
      }
    };
    run = std::make_unique<EngineRun>(std::move(setup));
    compile_ms = run->compile_ms();
  };
  Measured measured = measure_passes(
      options.seconds,
      [&] {
        run->run_to_end();
        return check.text();
      },
      prepare);
  return {times_ns.size(), measured, run->tier(), compile_ms};
}

std::optional<WorkloadRun> over_events(const Options& options, const Query& query) {
  const EventColumns events = make_events(options.nexmark_events());
  return run_once(options, event_source + query.text + "emit out to stdout()\n",
                  {events.kind.data(), events.id.data(), events.who.data(), events.amount.data(),
                   events.group.data(), events.expires_ns.data(), events.time_ns.data()},
                  events.time_ns, query);
}

std::optional<WorkloadRun> over_bids(const Options& options, const Query& query) {
  const BidColumns bids = make_bids(options.nexmark_events());
  return run_once(options,
                  "type Bid = { auction: int, bidder: int, price: int, at: time }\n"
                  "source events: Bid = stdin() time at\n" +
                      query.text + "emit out to stdout()\n",
                  {bids.auction.data(), bids.bidder.data(), bids.price.data(), bids.time_ns.data()},
                  bids.time_ns, query);
}

// States by their numbers: CA, ID, OR.
std::optional<WorkloadRun> w5q3(const Options& options) {
  return over_events(options,
                     {"stream person = events | where kind == 0 | select id, name = who, state = group\n"
                      "stream auction = events | where kind == 1 and group == 10 | select id, seller = who\n"
                      "stream out = auction\n"
                      "  | join person within 1d on seller == person.id and person.state in [1, 2, 3]\n"
                      "  | select person.name, person.state, id\n",
                      3, 2});
}

// Bids within the life of their auction, which is a third of a second at most.
constexpr const char* valid_bids =
    "stream auction = events | where kind == 1\n"
    "  | select id, initial = amount, category = group, seller = who, at, expires\n"
    "stream offers = events | where kind == 2 | select auction = id, bidder = who, price = amount, at\n"
    "stream valid = auction\n"
    "  | join offers within 0s..1s on id == offers.auction and offers.at <= expires\n";

std::optional<WorkloadRun> w5q4(const Options& options) {
  return over_events(
      options, {std::string(valid_bids) +
                    "stream best = valid | aggregate price = max(offers.price) by id, category window all\n"
                    "stream out = best | aggregate mean = sum(price) / count() by category window all\n",
                2, 1});
}

std::optional<WorkloadRun> w5q9(const Options& options) {
  return over_events(
      options,
      {std::string(valid_bids) +
           "stream won = valid | top 1 by (offers.price desc, offers.at, offers.bidder) by id window all\n"
           "stream out = won | select id, initial, category, seller, expires, offers.bidder, offers.price,\n"
           "    bid_at = offers.at\n",
       8, 6});
}

std::optional<WorkloadRun> w5q18(const Options& options) {
  return over_bids(
      options,
      {"stream out = events | aggregate price = last(price), at = last(at) by auction, bidder window all\n",
       4, 2});
}

std::optional<WorkloadRun> w5q19(const Options& options) {
  return over_bids(options, {"stream out = events | top 10 by (price desc, at) by auction window all\n"
                             "  | select auction, bidder, price, at, rank\n",
                             5, 2});
}

std::optional<WorkloadRun> w5q20(const Options& options) {
  return over_events(
      options,
      {"stream bid = events | where kind == 2 | select auction = id, bidder = who, price = amount, at\n"
       "stream cheap = events | where kind == 1 and group == 10\n"
       "  | select id, initial = amount, expires, seller = who\n"
       "stream out = bid\n"
       "  | join cheap as a within 1d on auction == a.id\n"
       "  | select auction, bidder, price, at, a.initial, a.expires, a.seller\n",
       7, 2});
}

constexpr std::array workloads = {
    NamedWorkload{"w5q3", w5q3},   NamedWorkload{"w5q4", w5q4},   NamedWorkload{"w5q9", w5q9},
    NamedWorkload{"w5q18", w5q18}, NamedWorkload{"w5q19", w5q19}, NamedWorkload{"w5q20", w5q20},
};

}  // namespace

NamedWorkloads engine_joins() { return workloads; }

}  // namespace mut::bench
