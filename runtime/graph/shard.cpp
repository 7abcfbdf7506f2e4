#include "runtime/graph/shard.h"

#include <algorithm>

namespace mut::runtime {
namespace {

// Results of a window that are made at once: they stay in the second cache.
constexpr size_t result_piece_rows = 1024;
constexpr size_t fires_of_piece = 4096;

}  // namespace

env::Does Shard::keeps_state(size_t store) const {
  if (of_ == Of::Beside) return env::Does(Work::Beside);
  return env::Does(Work::State, instance_->plan().stores[store].place);
}

bool Shard::take_output() {
  if (full_(*this)) return true;
  stopped_ = true;
  return false;
}

void Shard::clear_output() {
  instance_->clear_output();
  result_texts_.reset();
}

// Earliest time at which something fires that the running source can bring about.
void Shard::update_due(size_t running) {
  const Plan& plan = instance_->plan();
  int64_t due = state::never;
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    const Clock& clock = plan.stores[i].clock;
    if (plan.stores[i].has_results && (clock.mask >> running & 1U) != 0)
      due = std::min(due, later(instance_->store(i).due(), clock.delay(running)));
  }
  for (size_t i = 0; i < plan.sets.size(); ++i) {
    const Instance::PendingSet& pending = instance_->pending_sets()[i];
    if (pending.waits) due = std::min(due, later(pending.tick, plan.sets[i].clock.delay(running)));
  }
  instance_->context().due = due;
}

// Rows of a closing window through what follows it; sinks are emptied in between.
void Shard::run_results(size_t index, const state::ResultRows& rows) {
  MutContext& context = instance_->context();
  if (stopped_ || rows.count() == 0) return;
  context.firing = 1;
  {
    env::Does inside(Work::Beside);
    instance_->kernels().results[index](&context, rows.rows(), rows.times(), rows.count(), cause_position_);
  }
  context.firing = 0;
  if (context.output_rows >= context.output_rows_max) take_output();
}

// Emptied; made once, for the layout of its rows takes longer than a window of one row.
state::ResultRows& Shard::fired_rows(size_t index) {
  fired_rows_.resize(instance_->plan().stores.size());
  std::unique_ptr<state::ResultRows>& rows = fired_rows_[index];
  if (!rows) {
    rows = std::make_unique<state::ResultRows>(instance_->store(index).desc(), result_texts_);
    rows->in_pieces(result_piece_rows,
                    [this, index](const state::ResultRows& piece) { run_results(index, piece); });
  }
  rows->clear();
  return *rows;
}

void Shard::fire_store(size_t index) {
  env::Does fires = keeps_state(index);
  state::ResultRows& rows = fired_rows(index);
  instance_->firing(index);
  instance_->store(index).fire(rows);
  run_results(index, rows);
  instance_->fired();
  instance_->store(index).release();
  if (rows.count() > result_piece_rows) fired_rows_[index].reset();
}

// Fires what the watermarks have reached, in order of due time, then of declaration. Due times are compared
// as of the sources: what a join gives late comes before what waits for it.
void Shard::fire_due() {
  while (fire_piece() == Fired::Some && !stopped_) {
  }
}

Shard::Due Shard::next_due() const {
  const Plan& plan = instance_->plan();
  Due next;
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    if (!plan.stores[i].has_results) continue;
    int64_t due = instance_->store(i).due();
    int64_t at = later(due, plan.stores[i].clock.delay_max());
    if (at < next.at && due <= instance_->watermark_of(plan.stores[i].clock)) next = {at, Due::Is::Store, i};
  }
  for (size_t i = 0; i < plan.sets.size(); ++i) {
    const Instance::PendingSet& pending = instance_->pending_sets()[i];
    int64_t at = later(pending.tick, plan.sets[i].clock.delay_max());
    if (pending.waits && at < next.at && pending.tick <= instance_->watermark_of(plan.sets[i].clock))
      next = {at, Due::Is::Set, i};
  }
  return next;
}

void Shard::fire(const Due& due) {
  if (due.is == Due::Is::Set) return instance_->apply_set(due.index);
  fire_store(due.index);
  if (instance_->context().output_rows >= instance_->context().output_rows_max) take_output();
}

// A piece at a time: timers that set timers may take long.
Shard::Fired Shard::fire_piece() {
  const Plan& plan = instance_->plan();
  size_t fired = 0;
  while (true) {
    Due next = next_due();
    if (next.is == Due::Is::Nothing) break;
    if (next.is == Due::Is::Set) {
      instance_->apply_set(next.index);
      continue;
    }
    fire_store(next.index);
    // Timers may give no row for long: what bodies made on the way goes with the piece.
    bool many = ++fired == fires_of_piece;
    if ((many || instance_->context().output_rows >= instance_->context().output_rows_max) && !take_output())
      return Fired::All;
    if (many) return Fired::Some;
  }
  instance_->context().overdue = 0;
  instance_->reach_all();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    int64_t watermark = instance_->watermark_of(plan.stores[i].clock);
    if (watermark == no_watermark) continue;
    env::Does lets_go = keeps_state(i);
    instance_->store(i).advance(watermark);
  }
  return Fired::All;
}

Shard::Ran Shard::fire_rest() {
  firing_ = fire_piece() == Fired::Some;
  return stopped_ ? Ran::Stopped : firing_ ? Ran::Some : Ran::All;
}

Shard::Ran Shard::fire(Fires fires) {
  if (fires == Fires::OnTheWay) return fire_rest();
  firing_ = true;
  return Ran::Some;
}

void Shard::stand_behind(size_t source, const MutBatch& rows, uint32_t row, int64_t watermark) {
  instance_->context().source = static_cast<uint32_t>(source);
  instance_->watermarks[source] = std::max(instance_->watermarks[source], watermark);
  instance_->reach(source, watermark);
  cause_position_ = rows.first_position + row;
}

Shard::Ran Shard::run(size_t source, const MutBatch& rows, MutCursor& cursor, Fires fires) {
  MutContext& context = instance_->context();
  context.source = static_cast<uint32_t>(source);
  context.watermark = instance_->watermarks[source];
  instance_->batch = &rows;
  MutSourceKernel kernel = instance_->kernels().sources[source];
  if (kernel == nullptr) {  // nothing reads this source
    cursor.row = cursor.row_end;
    cause_position_ = rows.first_position + cursor.row;
  }
  while (cursor.row < cursor.row_end) {
    if (context.overdue != 0) {  // an event of another source, or of the batch before, has set it
      cause_position_ = rows.first_position + cursor.row;
      if (Ran ran = fire(fires); ran != Ran::All) return ran;
    }
    update_due(source);
    int32_t stop = 0;
    {
      env::Does inside(Work::Beside);
      stop = kernel(&context, &rows, &cursor);
    }
    instance_->watermarks[source] = cursor.watermark;
    // One that raised the watermark and waits for what is due has not run yet.
    instance_->reach(source, stop == MUT_STOP_DUE ? context.watermark : cursor.watermark);
    cause_position_ = rows.first_position + cursor.row;
    if (stop == MUT_STOP_DUE) {
      if (Ran ran = fire(fires); ran != Ran::All) return ran;
    }
    if (!is_full()) continue;
    if (fires == Fires::ByCaller) break;
    if (!take_output()) return Ran::Stopped;
  }
  instance_->watermarks[source] = cursor.watermark;
  return cursor.row < cursor.row_end ? Ran::Some : Ran::All;
}

void Shard::expire() {
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    int64_t watermark = instance_->watermark_of(plan.stores[i].clock);
    // What fires by time is advanced when it has fired.
    bool fires = plan.stores[i].has_results && !state::counts_events(plan.stores[i].desc) &&
                 plan.stores[i].desc.kind != state::StoreKind::Process;
    if (watermark == no_watermark || fires) continue;
    env::Does lets_go = keeps_state(i);
    instance_->store(i).advance(watermark);
  }
}

namespace {

bool is_over(const Clock& clock, const std::vector<char>& over) {
  for (size_t i = 0; i < over.size(); ++i) {
    if ((clock.mask >> i & 1U) != 0 && over[i] == 0) return false;
  }
  return true;
}

}  // namespace

// What a count window holds when all its sources have ended, before the windows that its rows fall into
// close; where some of its events come late themselves, after them.
void Shard::finish_counts(Rest rest, const std::vector<char>& over) {
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    const StorePlan& of = plan.stores[i];
    if (!state::counts_events(of.desc) || of.waits_above != (rest == Rest::OfResults)) continue;
    if (!is_over(of.clock, over)) continue;
    env::Does fires = keeps_state(i);
    state::ResultRows rows(instance_->store(i).desc(), result_texts_);
    instance_->store(i).finish(rows);
    run_results(i, rows);
  }
}

void Shard::end_stores(const std::vector<char>& over) {
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    if (is_over(plan.stores[i].clock, over)) instance_->store(i).end_input();
  }
}

void Shard::finish(size_t store) {
  const Plan& plan = instance_->plan();
  const StorePlan& of = plan.stores[store];
  if (!of.has_results || !state::waits_for_end(of.desc)) return;
  env::Does fires = keeps_state(store);
  state::ResultRows rows(instance_->store(store).desc(), result_texts_);
  rows.in_pieces(result_piece_rows, [&](const state::ResultRows& piece) { run_results(store, piece); });
  instance_->store(store).finish(rows);
  run_results(store, rows);
  bool shared = std::any_of(plan.stores.begin() + static_cast<ptrdiff_t>(store) + 1, plan.stores.end(),
                            [&](const StorePlan& later) { return later.watermark_bit == of.watermark_bit; });
  if (!shared) instance_->watermarks[static_cast<size_t>(of.watermark_bit)] = state::never;
  fire_due();
}

}  // namespace mut::runtime
