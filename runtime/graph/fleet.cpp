#include "runtime/graph/fleet.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/state/counts.h"
#include "runtime/state/held.h"

namespace mut::runtime {

Fleet::Fleet(Crew& crew, Makeup makeup, std::function<bool(Shard&)> full)
    : crew_(crew), makeup_(std::move(makeup)) {
  auto take = [this, full = std::move(full)](Shard& shard) { return together_ || full(shard); };
  for (uint32_t i = 0; i < makeup_.shards; ++i)
    shards_.push_back(std::make_unique<Shard>(i, makeup_.of, take));
}

Instances Fleet::make_instances(const std::shared_ptr<const Plan>& plan, const Kernels& kernels) const {
  Instances out;
  for (const auto& shard : shards_) {
    ShardPlace place{shard->index(), makeup_.shards, makeup_.seed};
    out.push_back(std::make_unique<Instance>(plan, kernels, place, *makeup_.budget, shard->errors()));
  }
  return out;
}

Instances Fleet::set_instances(Instances next) {
  Instances old;
  for (size_t i = 0; i < shards_.size(); ++i) old.push_back(shards_[i]->set_instance(std::move(next[i])));
  // What changed before an edit of `trigger every` is told by the old rule, with what changes until then.
  for (size_t i = 0; i < plan().stores.size(); ++i) share_tick(i);
  return old;
}

Fleet::Runs Fleet::run(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors) {
  if (shards_.size() == 1) {
    Shard::Ran ran = shards_[0]->is_firing() ? shards_[0]->fire_rest() : Shard::Ran::All;
    if (ran == Shard::Ran::All) ran = shards_[0]->run(source, rows, cursors[0]);
    return ran == Shard::Ran::Stopped ? Runs::Failed : ran == Shard::Ran::Some ? Runs::Partly : Runs::Over;
  }
  // Rows of several shards are taken when all of them stand at one event.
  auto take_rows_at = [&](uint64_t count) {
    for (const auto& shard : shards_) shard->instance().context().output_rows_max = count;
  };
  together_ = true;
  take_rows_at(std::numeric_limits<uint64_t>::max());
  Runs out = plan().sources[source].parted ? run_in_parts(source, rows, cursors)
                                           : run_in_step(source, rows, cursors);
  take_rows_at(output_rows_usual);
  together_ = false;
  share_ticks();
  return out;
}

Fleet::Runs Fleet::run_in_step(size_t source, const MutBatch& rows, std::vector<MutCursor>& cursors) {
  gather();
  std::vector<Shard::Ran> ran(shards_.size(), Shard::Ran::All);
  crew_.run([&](uint32_t i) {
    Shard& shard = *shards_[i];
    if (shard.is_firing()) ran[i] = shard.fire_rest();
    if (ran[i] == Shard::Ran::All) ran[i] = shard.run(source, rows, cursors[i]);
  });
  auto any = [&](Shard::Ran what) { return std::find(ran.begin(), ran.end(), what) != ran.end(); };
  if (any(Shard::Ran::Stopped)) return Runs::Failed;
  return any(Shard::Ran::Some) ? Runs::Partly : Runs::Over;
}

std::vector<MutCursor> Fleet::cursors(size_t source, uint32_t row, uint32_t row_end) const {
  return std::vector<MutCursor>(shards_.size(), MutCursor{row, row_end, instance(0).watermarks[source]});
}

bool Fleet::is_firing() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->is_firing(); });
}

void Fleet::fire_due() {
  gather();
  for (const auto& shard : shards_) shard->fire_due();
}

void Fleet::expire() {
  for (const auto& shard : shards_) shard->expire();
}

void Fleet::let_timers_go() {
  for (const auto& shard : shards_) shard->instance().let_timers_go();
}

void Fleet::set_arrival(int64_t arrival_ns) {
  for (const auto& shard : shards_) shard->instance().context().arrival = arrival_ns;
}

void Fleet::set_source(uint32_t source) {
  for (const auto& shard : shards_) shard->instance().context().source = source;
}

void Fleet::raise_watermarks(size_t sources, int64_t time) {
  for (const auto& shard : shards_) {
    std::vector<int64_t>& watermarks = shard->instance().watermarks;
    for (size_t i = 0; i < sources; ++i) watermarks[i] = std::max(watermarks[i], time);
  }
}

// As long as there is no watermark, and once the input has ended, the oldest event of a stage says when it
// ticks, whichever shard has that.
void Fleet::share_ticks() {
  for (size_t i = 0; i < plan().stores.size() && shards_.size() > 1; ++i) {
    const StorePlan& store = plan().stores[i];
    int64_t watermark = instance(0).watermark_of(store.clock);
    bool flows = watermark != no_watermark && watermark != state::never;
    if (!flows) share_tick(i);
  }
}

void Fleet::share_tick(size_t store) {
  if (shards_.size() == 1 || plan().stores[store].desc.gives != state::Gives::AtTicks) return;
  int64_t tick = state::never;
  for (const auto& shard : shards_) tick = std::min(tick, shard->instance().store(store).tick());
  for (const auto& shard : shards_) shard->instance().store(store).note_tick(tick);
}

// What is left in a window of a number of events is as old as the last event of the stage says, whichever
// shard had that.
void Fleet::share_stage_clocks() {
  for (size_t i = 0; i < plan().stores.size() && shards_.size() > 1; ++i) {
    if (plan().stores[i].desc.kind != state::StoreKind::Counts) continue;
    auto counts = [&](const std::unique_ptr<Shard>& shard) -> state::CountStore& {
      return static_cast<state::CountStore&>(shard->instance().store(i));
    };
    int64_t newest = no_watermark;
    for (const auto& shard : shards_) newest = std::max(newest, counts(shard).observed());
    for (const auto& shard : shards_) counts(shard).observe(newest);
  }
}

// As fire_due(), one by one over all shards where a stage ticks: what fires in one may say when it ticks in
// another.
void Fleet::fire_at_end() {
  bool ticks = std::any_of(plan().stores.begin(), plan().stores.end(),
                           [](const StorePlan& store) { return store.desc.gives == state::Gives::AtTicks; });
  while (ticks && shards_.size() > 1) {
    share_ticks();
    std::vector<Shard::Due> due;
    for (const auto& shard : shards_) due.push_back(shard->stopped() ? Shard::Due{} : shard->next_due());
    Shard::Due first = *std::min_element(due.begin(), due.end());
    if (first.is == Shard::Due::Is::Nothing) break;
    for (size_t i = 0; i < due.size(); ++i) {
      if (due[i] == first) shards_[i]->fire(first);
    }
  }
  fire_due();
}

void Fleet::finish_input(const std::vector<char>& over, End end) {
  gather();
  for (const auto& shard : shards_) {
    if (shard->instance().context().overdue != 0) shard->fire_due();  // by the last event, not by the end
  }
  share_stage_clocks();
  for (const auto& shard : shards_) {
    shard->finish_counts(Shard::Rest::OfSources, over);
    shard->end_stores(over);
    for (size_t i = 0; i < over.size(); ++i) {
      if (over[i] != 0) shard->instance().watermarks[i] = state::never;
    }
  }
  fire_at_end();
  share_stage_clocks();
  for (const auto& shard : shards_) shard->finish_counts(Shard::Rest::OfResults, over);
  fire_at_end();
  // Store by store: what one gives may enter the next.
  for (size_t i = 0; i < plan().stores.size() && end == End::Final; ++i) {
    share_newest(i);
    for (const auto& shard : shards_) shard->finish(i);
    share_ticks();
  }
}

// Rows of `sort` and `top` over `window all` have the time of the newest event, whichever shard had that.
void Fleet::share_newest(size_t store) {
  const state::StoreDesc& desc = plan().stores[store].desc;
  if (desc.kind != state::StoreKind::Held || !desc.hold.whole) return;
  auto held = [&](const std::unique_ptr<Shard>& shard) -> state::HeldStore& {
    return static_cast<state::HeldStore&>(shard->instance().store(store));
  };
  int64_t newest = no_watermark;
  for (const auto& shard : shards_) newest = std::max(newest, held(shard).newest());
  for (const auto& shard : shards_) held(shard).note_newest(newest);
}

std::span<const MutSink> Fleet::output(Merge by) {
  if (shards_.size() == 1) return instance(0).sinks();
  std::vector<const Instance*> instances;
  for (const auto& shard : shards_) instances.push_back(&shard->instance());
  return merged_.merge(instances, by);
}

uint64_t Fleet::output_rows() const {
  uint64_t out = 0;
  for (const auto& shard : shards_) out += shard->instance().context().output_rows;
  return out;
}

void Fleet::clear_output() {
  for (const auto& shard : shards_) shard->clear_output();
}

ErrorLog& Fleet::gather_errors() {
  for (size_t i = 1; i < shards_.size(); ++i) shards_[0]->errors().take(shards_[i]->errors());
  return shards_[0]->errors();
}

// What every shard has is counted in the first.
template <typename Count>
uint64_t Fleet::over_shards(size_t store, const Count& count) const {
  bool everywhere = plan().stores[store].home == state::Home::Everywhere;
  uint64_t out = 0;
  for (size_t i = 0; i < (everywhere ? 1 : shards_.size()); ++i) out += count(instance(i).store(store));
  return out;
}

uint64_t Fleet::entry_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.entry_count(); });
}

uint64_t Fleet::late_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.late_count(); });
}

uint64_t Fleet::let_go_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.let_go_count(); });
}

int64_t Fleet::due(size_t store) const {
  int64_t out = state::never;
  for (const auto& shard : shards_) out = std::min(out, shard->instance().store(store).due());
  return out;
}

std::vector<uint64_t> Fleet::entries_by_shard(size_t store) const {
  std::vector<uint64_t> out;
  if (shards_.size() == 1 || plan().stores[store].home != state::Home::ByKey) return out;
  for (size_t i = 0; i < shards_.size(); ++i) out.push_back(instance(i).store(store).entry_count());
  return out;
}

std::vector<int64_t> Fleet::worked_ns() const {
  return shards_.size() == 1 ? std::vector<int64_t>() : crew_.worked_ns();
}

uint64_t Fleet::dropped(size_t site) const {
  bool everywhere = plan().sites[site].everywhere;
  uint64_t out = 0;
  for (size_t i = 0; i < (everywhere ? 1 : shards_.size()); ++i) out += instance(i).dropped()[site];
  return out;
}

}  // namespace mut::runtime
