// How a canary begins, is completed and ends.
#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/graph/runner.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

struct Giver {
  Instance* old = nullptr;
  const Migration* by = nullptr;
};

// Entries of all of them, in one version whose stores are empty. Those that give stay as they are, also where
// it fails: it says why.
std::string gather(const std::vector<Giver>& from, Instance& next, SwapResult& result) {
  Parked nothing;
  std::vector<uint64_t> late(next.store_count(), 0);
  std::vector<Conversion> done;
  for (const Giver& giver : from) {
    done.push_back(convert({{giver.old, &next, &nothing}}, *giver.by));
    if (!done.back().problem.empty()) return done.back().problem;
    for (size_t i = 0; i < late.size(); ++i) {
      late[i] += next.store(i).late_count();
      next.store(i).set_late_count(0);
    }
  }
  std::vector<uint64_t> dropped(next.dropped().size(), 0);
  for (size_t k = 0; k < from.size(); ++k) {
    result.cells_converted += migrate({{from[k].old, &next, &nothing}}, *from[k].by, done[k]).cells;
    for (size_t i = 0; i < dropped.size(); ++i) dropped[i] += std::exchange(next.dropped()[i], 0);
  }
  next.dropped() = dropped;
  for (size_t i = 0; i < late.size(); ++i) {
    next.store(i).set_late_count(late[i]);
    result.entries_converted += next.store(i).entry_count();
  }
  return "";
}

enum class Side : uint8_t { Outside, Inside };

// Only entries of that side are taken.
void set_shares(Instance& next, const std::vector<int>& keys, Side side, const Division& division) {
  uint32_t inside = division.inside;
  for (size_t i = 0; i < next.store_count(); ++i) {
    state::Share share{0, Division::parts, Division::seed, keys[i], inside};
    if (side == Side::Outside) {
      share.shard = inside;
      share.count = Division::parts - inside;
    }
    next.store(i).set_share(share);
  }
}

void forget_shares(Instance& next) {
  for (size_t i = 0; i < next.store_count(); ++i) next.store(i).set_share({});
}

// What has been told is told of the version that goes on.
void forget_counts(Instance& next) {
  std::fill(next.dropped().begin(), next.dropped().end(), 0);
  for (size_t i = 0; i < next.store_count(); ++i) {
    next.store(i).set_late_count(0);
    next.store(i).forget_let_go();
  }
}

// Without what is given back soon.
size_t live_bytes(const state::Budget& budget) {
  return budget.used() - std::min(budget.used(), budget.parked() + budget.leaving());
}

// Why there is no room for a canary: that of the keys outside is made anew beside all.
std::string too_full(const state::Budget& budget) {
  size_t live = live_bytes(budget);
  if (live <= budget.limit() / 2) return "";
  return "state has " + std::to_string(live) + " of the " + std::to_string(budget.limit()) +
         " bytes of --memory; a canary wants half of them free";
}

// Why one version cannot have the state of both.
std::string too_full(const state::Budget& outside, const state::Budget& inside) {
  size_t both = live_bytes(outside) + inside.used();
  if (both <= outside.limit()) return "";
  return "state of both versions has " + std::to_string(both) + " bytes, and --memory " +
         std::to_string(outside.limit()) + "; the canary runs on";
}

}  // namespace

std::unique_ptr<Canary> Runner::make_canary(Division division, uint64_t version) {
  auto budget = std::make_shared<state::Budget>(options_.memory_bytes, options_.spill);
  Fleet::Makeup makeup{options_.shards, fleet_.seed(), std::move(budget), Shard::Of::Beside};
  return std::make_unique<Canary>(crew_, std::move(makeup), std::move(division), version,
                                  [this](Shard&) { return take_reached(); });
}

Runner::CanaryFigures Runner::canary_figures() const {
  CanaryFigures out = canary_figures_;
  if (!canary_) return out;
  out.records = canary_->counts().records;
  out.errors = canary_->counts().errors;
  out.state_bytes = canary_->fleet().budget().used();
  return out;
}

uint64_t Runner::live_records() const {
  return stats_.records_in - past_canaries_.records - (canary_ ? canary_->counts().records : 0);
}

uint64_t Runner::live_errors(const std::string& stream) const {
  auto of = [&](uint64_t all, const std::map<std::string, uint64_t>& by_stream) {
    if (stream.empty()) return all;
    auto known = by_stream.find(stream);
    return known == by_stream.end() ? uint64_t{0} : known->second;
  };
  uint64_t out =
      of(errors().total(), errors().counts()) - of(past_canaries_.errors, past_canaries_.errors_of);
  return canary_ ? out - of(canary_->counts().errors, canary_->counts().errors_of) : out;
}

// The version `next`, with all that it has, in place of the one that runs.
void Runner::take_place(Instances next) {
  next[0]->context().source = fleet_.instance(0).context().source;
  next[0]->context().arrival = fleet_.instance(0).context().arrival;
  retire(fleet_.set_instances(std::move(next)), fleet_);
}

void Runner::begin_canary(PreparedSwap swap) {
  int64_t begin = env_.thread_cpu_ns();
  if (canary_ || shadow_) return refuse(std::move(swap), canary_ ? "another canary runs" : "a shadow runs");
  SwapResult result;
  result.version = swap.version;
  result.cut = feeds_.positions();
  if (std::string why = too_full(fleet_.budget()); !why.empty()) return refuse(std::move(swap), why);
  Instance& live = fleet_.instance(0);
  Fleet& own = swap.canary->fleet();
  std::shared_ptr<state::Budget> counted = own.shared_budget();  // outlives what is not taken
  const Division& division = swap.canary->division();
  Instances outside = fleet_.make_instances(live.shared_plan(), live.kernels());
  const Migration copy = copy_of(plan());
  set_shares(*outside[0], division.live_keys, Side::Outside, division);
  set_shares(*swap.next[0], division.canary_keys, Side::Inside, division);
  SwapResult kept;
  std::string problem = gather({{&live, &copy}}, *outside[0], kept);
  if (problem.empty()) problem = gather({{&live, &swap.migration}}, *swap.next[0], result);
  if (!problem.empty()) return refuse(std::move(swap), std::move(problem));
  forget_shares(*outside[0]);
  forget_shares(*swap.next[0]);
  forget_counts(*swap.next[0]);
  (void)own.set_instances(std::move(swap.next));
  own.set_arrival(live.context().arrival);
  own.shards()[0]->stand_where(*fleet_.shards()[0]);
  take_place(std::move(outside));
  canary_ = std::move(swap.canary);
  canary_figures_ = {};
  outlets_.connect_beside(own.plan());
  std::vector<batch::NeededColumns> columns;
  for (size_t i = 0; i < own.plan().sources.size(); ++i) {
    columns.push_back(own.plan().sources[i].needed);
    if (division.fields[i] >= 0) columns.back()[static_cast<size_t>(division.fields[i])] = 1;
  }
  feeds_.read_also(readers(), std::move(columns));
  fire_due();
  take_all_output(Merge::ByShard);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
}

// All keys in one version again: that of the canary, or the one that runs.
void Runner::close_canary(PreparedSwap swap) {
  int64_t begin = env_.thread_cpu_ns();
  if (!canary_) return refuse(std::move(swap), "no canary runs");
  const bool completes = swap.closes == PreparedSwap::Closes::Completes;
  SwapResult result;
  result.version = completes ? swap.version : version_;
  result.cut = feeds_.positions();
  Instance& outside = fleet_.instance(0);
  Instance& inside = canary_->fleet().instance(0);
  if (!completes) swap.next = fleet_.make_instances(outside.shared_plan(), outside.kernels());
  const Migration copy = copy_of(completes ? inside.plan() : outside.plan());
  std::vector<Giver> from = {{&outside, completes ? &swap.migration : &copy},
                             {&inside, completes ? &copy : &swap.migration}};
  std::string problem = too_full(fleet_.budget(), canary_->fleet().budget());
  // What the version beside has is given back then.
  const size_t leaves = outside.own_bytes();
  fleet_.budget().leave(leaves);
  if (problem.empty()) problem = gather(from, *swap.next[0], result);
  fleet_.budget().left(leaves);
  if (!problem.empty()) return refuse(std::move(swap), std::move(problem));
  take_place(std::move(swap.next));
  version_ = result.version;
  let_canary_go();
  Status retained = outlets_.retain(plan(), {});
  if (!retained) fail(retained.error());
  outlets_.connect(plan());
  Status handed = feeds_.hand_over(readers(), {}, swap.sources);
  if (!handed) fail(handed.error());
  fleet_.fire_due();
  take_all_output(Merge::ByShard);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
  if (completes) ++stats_.swaps;
}

// It has run its last event.
void Runner::let_canary_go() {
  canary_->tell(fleet_.gather_errors());
  canary_figures_ = canary_figures();
  past_canaries_.add(canary_->counts());
  std::shared_ptr<Canary> ended = std::move(canary_);
  feeds_.read_also(readers(), {});
  outlets_.disconnect_beside();
  Kernels code = ended->fleet().shards()[0]->instance().set_kernels({});
  retired_.retire_state(std::move(ended));
  retire(code);  // behind what ran on it
}

void Runner::fire_due() {
  fleet_.fire_due();
  if (!canary_) return;
  take_all_output(Merge::ByShard);  // before those of the canary
  canary_->fleet().fire_due();
}

// The rows of both, as if one version had made them; of the version beside the canary those up to that
// position.
bool Runner::take_output_of_both(Outlets::Order order, uint64_t last_position) {
  canary_->tell(fleet_.gather_errors());
  Fleet& own = canary_->fleet();
  std::span<const MutSink> live = fleet_.output(Merge::ByShard);
  std::span<const MutSink> outside = ahead_.take(live, last_position);
  uint64_t outside_rows = 0;
  for (const MutSink& sink : outside) outside_rows += sink.count;
  stats_.rows_out += outside_rows + own.output_rows();
  canary_figures_.live_rows += outside_rows;
  canary_figures_.rows += own.output_rows();
  Status status = outlets_.write_both({&plan(), outside, version_},
                                      {&own.plan(), own.output(Merge::ByShard), canary_->version()}, order);
  if (ahead_.take_emptied(live)) fleet_.clear_output();
  own.clear_output();
  return status ? true : fail(status.error());
}

// What no row of the other version can come before.
bool Runner::take_reached() {
  constexpr uint64_t all = std::numeric_limits<uint64_t>::max();
  if (!stretch_) return take_output_of_both(Outlets::Order::MainFirst, all);
  uint64_t reached = feeds_[stretch_->source].view.first_position + stretch_->inside[0].row;
  return take_output_of_both(Outlets::Order::ByEvent, reached);
}

// On from where both stand: what is due there and the event itself, or as far as nothing is due.
Runner::Went Runner::run_outside(Stretch& at) {
  MutCursor& cursor = at.cursors[0];
  cursor.row_end = at.row_end;
  if (fleet_.is_firing()) {
    Shard::Ran ran = fleet_.fire_rest();
    if (ran != Shard::Ran::All) return ran == Shard::Ran::Some ? Went::Firing : Went::Failed;
    cursor.row_end = cursor.row + 1;
  }
  if (fleet_.is_full() && !take_reached()) return Went::Failed;
  fleet_.run_until_due(at.source, canary_->outside(), cursor);
  return Went::On;
}

// To where the other one stands, or to what is due before.
Runner::Went Runner::run_inside(Stretch& at) {
  Fleet& own = canary_->fleet();
  MutCursor& cursor = at.inside[0];
  cursor.row_end = at.cursors[0].row;
  if (own.is_firing()) {
    Shard::Ran ran = own.fire_rest();
    if (ran != Shard::Ran::All) return ran == Shard::Ran::Some ? Went::Firing : Went::Failed;
  }
  if (own.is_full() && !take_reached()) return Went::Failed;
  own.run_until_due(at.source, canary_->inside(), cursor);
  return Went::On;
}

// The version of the keys outside goes ahead, but fires nothing, and runs no event at which it fired, before
// the canary has come there: so rows of both come in the order of their events, and few wait for others.
bool Runner::go_on_beside() {
  Stretch& at = *stretch_;
  while (at.inside[0].row < at.row_end) {
    Went went = at.inside[0].row == at.cursors[0].row ? run_outside(at) : Went::On;
    if (went == Went::On) went = run_inside(at);
    if (went != Went::On) return went == Went::Firing;
  }
  Feed& feed = feeds_[at.source];
  stats_.records_in += at.row_end - feed.row;
  canary_->count_divided();
  bool written = take_reached();
  feed.advance(at.row_end);
  stretch_.reset();
  fleet_.expire();
  canary_->fleet().expire();
  return written;
}

}  // namespace mut::runtime
