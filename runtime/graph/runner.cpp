#include "runtime/graph/runner.h"

#include <algorithm>
#include <limits>

#include "runtime/abi/check.h"
#include "runtime/graph/decode_again.h"
#include "runtime/state/counts.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

// Between two looks at the clock while a source that may be idle waits.
constexpr int64_t idle_look_ns = 20'000'000;
constexpr size_t mask_bits = 64;

// No code goes on the thread that runs rows.
void retire_conversions(Migration& migration, RetireList& retired) {
  for (auto& conversion : std::exchange(migration.conversions, {})) retired.retire(conversion->kernels.owner);
}

}  // namespace

Runner::Runner(env::Env& env, const RunnerOptions& options, RetireList& retired)
    : env_(env),
      retired_(retired),
      worker_(retired.add_worker()),
      options_(options),
      seed_(env.random_seed()),
      budget_(options.memory_bytes),
      outlets_(false),
      crew_(env, options.shards) {
  for (uint32_t i = 0; i < options.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, [this](Shard& shard) { return take_output(shard); }));
  }
}

Runner::~Runner() = default;

Instances Runner::make_instances(const std::shared_ptr<const Plan>& plan, const Kernels& kernels) {
  Instances out;
  for (const auto& shard : shards_) {
    ShardPlace place{shard->index(), static_cast<uint32_t>(shards_.size()), seed_};
    out.push_back(std::make_unique<Instance>(plan, kernels, place, budget_, shard->errors()));
  }
  return out;
}

bool Runner::fail(Error error) {
  error_ = std::move(error);
  return false;
}

void Runner::start(Instances instances, uint64_t version,
                   std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>> sources,
                   std::vector<OutletBinding> sinks) {
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i]->set_instance(std::move(instances[i]));
  version_ = version;
  for (const SourcePlan& source : plan().sources) {
    Feed feed;
    feed.name = source.name;
    for (auto& [name, reader] : sources) {
      if (name == source.name) feed.reader = std::move(reader);
    }
    if (!feed.reader) feed.ended = true;
    feeds_.push_back(std::move(feed));
  }
  for (OutletBinding& sink : sinks) {
    Status begun = outlets_.add(std::move(sink));
    if (!begun) fail(begun.error());
  }
  outlets_.connect(plan());
}

std::vector<SourceCount> Runner::positions() const {
  std::vector<SourceCount> out;
  for (const Feed& feed : feeds_) out.push_back({feed.name, feed.position});
  return out;
}

std::vector<FeedState> Runner::feed_states() const {
  using Reads = FeedState::Reads;
  std::vector<FeedState> out;
  for (const Feed& feed : feeds_) {
    Reads reads = feed.waits ? Reads::Waiting : Reads::Rows;
    if (is_over(feed)) reads = feed.reader ? Reads::Ended : Reads::Nothing;
    out.push_back({feed.name, feed.position, reads});
  }
  return out;
}

int64_t Runner::retry_after_ns() const {
  int64_t least = -1;
  for (const Feed& feed : feeds_) {
    if (feed.ended || !feed.reader) continue;
    int64_t after = feed.reader->retry_after_ns();
    if (feed.silent_since && (after < 0 || after > idle_look_ns)) after = idle_look_ns;
    if (after >= 0 && (least < 0 || after < least)) least = after;
  }
  return least;
}

// Makes sure the feed has a row, or knows that there is none. False on failure.
bool Runner::fill(Feed& feed, size_t index) {
  feed.waits = false;
  if (feed.ended || (feed.batch && feed.row < feed.batch->row_count())) return true;
  const SourcePlan& of = plan().sources[index];
  batch::NeededColumns needed = of.needed;
  // With several sources a cut may fall inside of a batch: its rest is run by a version that may need more.
  if (feeds_.size() > 1) std::fill(needed.begin(), needed.end(), char{1});
  // A batch ends at a cut, so that no row was decoded for a version that does not run it.
  uint32_t rows = options_.batch_rows;
  if (scheduled_ && cut_of(feed) > feed.position)
    rows = static_cast<uint32_t>(std::min<uint64_t>(rows, cut_of(feed) - feed.position));
  if (!feed.batch || feed.batch->needed() != needed || &feed.batch->record() != of.record.get() ||
      feed.batch->row_capacity() != rows) {
    feed.batch = std::make_unique<batch::Batch>(of.record, needed, rows);
  }
  feed.batch->clear();
  feed.row = 0;
  switch (feed.reader->poll(*feed.batch)) {
    case connector::Poll::Ready:
      break;
    case connector::Poll::Wait:
      feed.waits = true;
      if (of.idle >= 0 && !feed.silent_since) feed.silent_since = steady_ns();
      return true;
    case connector::Poll::End:
      feed.ended = true;
      return true;
    case connector::Poll::Failed:
      feed.ended = true;
      return fail(feed.reader->error().within("source `" + feed.name + "`"));
  }
  ++stats_.batches;
  if (!feed.batch->has_arrival()) feed.batch->set_arrival(now_ns());
  feed.silent_since.reset();
  for (const auto& shard : shards_) {
    Instance& instance = shard->instance();
    if ((instance.idle >> std::min(index, mask_bits - 1) & 1U) == 0) continue;
    instance.wake(index);
    instance.context().overdue = 1;  // its watermark may have gone up
  }
  present(feed, index);
  return true;
}

// The rows of a feed's batch as kernels see them.
void Runner::present(Feed& feed, size_t index) {
  const SourcePlan& of = plan().sources[index];
  if (of.computes_times) feed.batch->own_times();
  feed.view = feed.batch->view();
  if (of.computes_times) {
    feed.bad.assign(feed.view.row_count, 0);
    if (feed.view.bad != nullptr)
      std::copy(feed.view.bad, feed.view.bad + feed.view.row_count, feed.bad.begin());
    Instance& first = shards_[0]->instance();
    first.context().source = static_cast<uint32_t>(index);
    first.context().arrival = feed.view.arrival;
    first.kernels().times[index](&first.context(), &feed.view, feed.bad.data());
    feed.view.bad = feed.bad.data();
  }
  mark_future(feed, of.ahead);
}

void Runner::mark_future(Feed& feed, int64_t ahead_ns) {
  if (feed.view.bad != nullptr && feed.view.bad == feed.bad.data())  // an edit may let more pass
    std::replace(feed.bad.begin(), feed.bad.end(), uint8_t{MUT_ROW_FUTURE}, uint8_t{MUT_ROW_FINE});
  if (ahead_ns < 0) return;
  int64_t limit = later(feed.view.arrival, ahead_ns);
  const uint32_t count = feed.view.row_count;
  auto is_ahead = [&](uint32_t row) {
    bool bad = feed.view.bad != nullptr && feed.view.bad[row] != 0;
    int64_t time = 0;
    return !bad &&
           (__builtin_add_overflow(feed.view.times[row], feed.view.time_shift, &time) || time > limit);
  };
  uint32_t row = 0;
  while (row < count && !is_ahead(row)) ++row;
  if (row == count) return;
  if (feed.view.bad != feed.bad.data() || feed.view.bad == nullptr) {
    feed.bad.assign(count, MUT_ROW_FINE);
    if (feed.view.bad != nullptr) std::copy(feed.view.bad, feed.view.bad + count, feed.bad.begin());
    feed.view.bad = feed.bad.data();
  }
  for (; row < count; ++row) {
    if (is_ahead(row)) feed.bad[row] = MUT_ROW_FUTURE;
  }
}

void Runner::set_arrival(int64_t arrival_ns) {
  for (const auto& shard : shards_) shard->instance().context().arrival = arrival_ns;
}

void Runner::look_for_idle() {
  const std::vector<SourcePlan>& plans = plan().sources;
  bool any = false;
  for (size_t i = 0; i < feeds_.size() && i < mask_bits; ++i) {
    const Feed& feed = feeds_[i];
    if (!feed.silent_since || feed.ended || plans[i].idle < 0) continue;
    if (steady_ns() - *feed.silent_since < plans[i].idle) continue;
    any = true;
    for (const auto& shard : shards_) {
      Instance& instance = shard->instance();
      instance.idle |= uint64_t{1} << i;
      instance.watermarks[i] = std::max(instance.watermarks[i], earlier(now_ns(), plans[i].lateness));
    }
  }
  if (!any) return;
  set_arrival(now_ns());
  fire_due();
  take_all_output(Merge::ByShard);
}

// The source whose next record has the smallest event time, ties by declaration, and how many rows of
// it come before the next record of another source. False when no row is to be had now.
bool Runner::pick(size_t& chosen, uint32_t& row_end) {
  const std::vector<SourcePlan>& plans = plan().sources;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    Feed& feed = feeds_[i];
    // A table that is read to its end first: nothing else goes on before.
    if (!plans[i].preload || !plans[i].live || is_over(feed)) continue;
    if (feed.waits || (scheduled_ && feed.position >= cut_of(feed))) return false;
    chosen = i;
    row_end = feed.batch->row_count();
    if (scheduled_)
      row_end = static_cast<uint32_t>(std::min<uint64_t>(row_end, feed.row + (cut_of(feed) - feed.position)));
    return true;
  }
  bool found = false;
  int64_t best_time = 0;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    Feed& feed = feeds_[i];
    if (feed.ended || feed.waits || !feed.batch || feed.row >= feed.batch->row_count()) continue;
    if (scheduled_ && feed.position >= cut_of(feed)) continue;  // waits for the cut
    bool bad = feed.view.bad != nullptr && feed.view.bad[feed.row] != 0;
    int64_t time =
        bad ? std::numeric_limits<int64_t>::min() : feed.view.times[feed.row] + feed.view.time_shift;
    if (!found || time < best_time) {
      found = true;
      best_time = time;
      chosen = i;
    }
  }
  if (!found) return false;
  Feed& feed = feeds_[chosen];
  row_end = feed.batch->row_count();
  for (size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& other = feeds_[i];
    if (i == chosen || other.ended || other.waits || !other.batch || other.row >= other.batch->row_count())
      continue;
    if (scheduled_ && other.position >= cut_of(other)) continue;
    bool other_bad = other.view.bad != nullptr && other.view.bad[other.row] != 0;
    int64_t limit =
        other_bad ? std::numeric_limits<int64_t>::min() : other.view.times[other.row] + other.view.time_shift;
    // A later declared source waits on equal times.
    for (uint32_t row = feed.row + 1; row < row_end; ++row) {
      bool bad = feed.view.bad != nullptr && feed.view.bad[row] != 0;
      int64_t time = bad ? std::numeric_limits<int64_t>::min() : feed.view.times[row] + feed.view.time_shift;
      if (time > limit || (time == limit && i < chosen)) row_end = row;
    }
  }
  if (scheduled_)
    row_end = static_cast<uint32_t>(std::min<uint64_t>(row_end, feed.row + (cut_of(feed) - feed.position)));
  return true;
}

bool Runner::is_over(const Feed& feed) {
  return feed.ended && (!feed.batch || feed.row >= feed.batch->row_count());
}

uint64_t Runner::cut_of(const Feed& feed) const {
  for (const SourceCount& cut : scheduled_->at) {
    if (cut.source == feed.name) return cut.records;
  }
  return std::numeric_limits<uint64_t>::max();
}

bool Runner::cut_reached() const {
  return std::all_of(scheduled_->at.begin(), scheduled_->at.end(), [&](const SourceCount& cut) {
    auto feed = std::find_if(feeds_.begin(), feeds_.end(),
                             [&](const Feed& candidate) { return candidate.name == cut.source; });
    return feed == feeds_.end() || feed->position >= cut.records ||
           (feed->ended && (!feed->batch || feed->row >= feed->batch->row_count()));
  });
}

bool Runner::is_firing() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->is_firing(); });
}

void Runner::fire_due() {
  for (const auto& shard : shards_) shard->fire_due();
}

bool Runner::take_output(Shard& shard) {
  if (together_) return true;
  Instance& instance = shard.instance();
  stats_.rows_out += instance.context().output_rows;
  Status status = outlets_.write(instance.plan(), instance.sinks(), version_);
  shard.clear_output();
  return status ? true : fail(status.error());
}

bool Runner::take_all_output(Merge by) {
  if (shards_.size() == 1) return take_output(*shards_[0]);
  gather_errors();
  std::vector<const Instance*> instances;
  for (const auto& shard : shards_) {
    stats_.rows_out += shard->instance().context().output_rows;
    instances.push_back(&shard->instance());
  }
  Status status = outlets_.write(plan(), merged_.merge(instances, by), version_);
  for (const auto& shard : shards_) shard->clear_output();
  return status ? true : fail(status.error());
}

// What the other shards have told since the last time.
void Runner::gather_errors() {
  for (size_t i = 1; i < shards_.size(); ++i) shards_[0]->errors().take(shards_[i]->errors());
}

// All shards over the rows of the stretch, as far as they come.
Runner::Runs Runner::run_shards(Stretch& stretch) {
  std::vector<Shard::Ran> ran(shards_.size(), Shard::Ran::All);
  const MutBatch& rows = feeds_[stretch.source].view;
  together_ = shards_.size() > 1;
  crew_.run([&](uint32_t i) {
    Shard& shard = *shards_[i];
    if (shard.is_firing()) ran[i] = shard.fire_rest();
    if (ran[i] == Shard::Ran::All) ran[i] = shard.run(stretch.source, rows, stretch.cursors[i]);
  });
  together_ = false;
  auto any = [&](Shard::Ran what) { return std::find(ran.begin(), ran.end(), what) != ran.end(); };
  if (any(Shard::Ran::Stopped)) return Runs::Failed;
  return any(Shard::Ran::Some) ? Runs::Partly : Runs::Over;
}

bool Runner::run_rows(size_t index, uint32_t row_end) {
  set_arrival(feeds_[index].view.arrival);
  MutCursor cursor{feeds_[index].row, row_end, shards_[0]->instance().watermarks[index]};
  if (!sabotage(index, cursor)) return false;
  stretch_ = Stretch{index, std::vector<MutCursor>(shards_.size(), cursor)};
  return go_on();
}

bool Runner::go_on() {
  Runs runs = run_shards(*stretch_);
  if (runs == Runs::Failed) return false;
  // With one shard the rest of the rows is another stretch: an edit may come before it.
  if (runs == Runs::Partly && shards_.size() > 1) return take_all_output(Merge::ByPosition);
  Feed& feed = feeds_[stretch_->source];
  uint64_t processed = stretch_->cursors[0].row - feed.row;
  feed.row = stretch_->cursors[0].row;
  feed.position += processed;
  stats_.records_in += processed;
  stretch_.reset();
  bool written = take_all_output(Merge::ByPosition);
  if (runs == Runs::Partly) return written;  // nothing is too old for what is still to fire
  for (const auto& shard : shards_) shard->expire();
  return written;
}

// What is left in a window of a number of events is as old as the last event of the stage says, whichever
// shard had that.
void Runner::share_stage_clocks() {
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

// A source that has ended does not hold others back; when all have, everything fires.
void Runner::finish_input() {
  std::vector<char> over;
  for (const Feed& feed : feeds_) over.push_back(static_cast<char>(is_over(feed)));
  bool all = std::find(over.begin(), over.end(), 0) == over.end();
  bool ends = all && (options_.at_end == RunnerOptions::AtEnd::Finish || stopped_);
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
    shard->fire_due();
  }
  share_stage_clocks();
  for (const auto& shard : shards_) {
    shard->finish_counts(Shard::Rest::OfResults, over);
    shard->fire_due();
    if (ends) shard->finish();
  }
  if (!ends && shards_.size() == 1) return;
  take_all_output(Merge::ByShard);
  finished_ = ends;
}

bool Runner::advance(int64_t time) {
  // Those behind the sources' are of `window all`: its rows come at the end of the input only.
  for (const auto& shard : shards_) {
    std::vector<int64_t>& watermarks = shard->instance().watermarks;
    for (size_t i = 0; i < feeds_.size(); ++i) watermarks[i] = std::max(watermarks[i], time);
  }
  set_arrival(now_ns());
  fire_due();
  look_for_idle();
  return error_.message.empty() && take_all_output(Merge::ByShard);
}

void Runner::stop() {
  stopped_ = true;
  for (Feed& feed : feeds_) {
    if (feed.reader) feed.reader->stop();
  }
}

// Kernels run in here alone.
Progress Runner::run() {
  worker_.enter();
  Progress progress = advance();
  worker_.rest();
  return progress;
}

Progress Runner::advance() {
  if (finished_) return Progress::Done;
  if (!error_.message.empty()) return Progress::Failed;
  if (stretch_ || is_firing()) {
    // Before anything else, also before an edit: it is of an event that is being processed.
    for (const auto& shard : shards_) {
      if (stopped_) shard->instance().let_timers_go();
    }
    bool fine = stretch_ ? go_on() : shards_[0]->fire_rest() != Shard::Ran::Stopped;
    return fine && error_.message.empty() ? Progress::More : Progress::Failed;
  }
  if (scheduled_ && cut_reached()) {
    exchange();
    return error_.message.empty() ? Progress::More : Progress::Failed;
  }
  bool ended_before = std::all_of(feeds_.begin(), feeds_.end(), [](const Feed& feed) { return feed.ended; });
  bool newly_ended = false;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    bool ended = feeds_[i].ended;
    if (stopped_ && feeds_[i].waits) feeds_[i].ended = true;
    if (!fill(feeds_[i], i)) return Progress::Failed;
    newly_ended = newly_ended || (feeds_[i].ended && !ended);
  }
  look_for_idle();
  if (!error_.message.empty()) return Progress::Failed;
  size_t chosen = 0;
  uint32_t row_end = 0;
  if (pick(chosen, row_end)) {
    if (newly_ended) finish_input();
    return run_rows(chosen, row_end) ? Progress::More : Progress::Failed;
  }
  bool all_ended = std::all_of(feeds_.begin(), feeds_.end(), [](const Feed& feed) {
    return feed.ended && (!feed.batch || feed.row >= feed.batch->row_count());
  });
  if (scheduled_ && (cut_reached() || all_ended)) return Progress::More;
  if (newly_ended || ended_before || all_ended) finish_input();
  if (!error_.message.empty()) return Progress::Failed;
  return finished_ ? Progress::Done : Progress::Idle;
}

// All shards over rows of a batch, at once.
bool Runner::run_once(size_t index, const MutCursor& cursor) {
  Stretch once{index, std::vector<MutCursor>(shards_.size(), cursor)};
  return run_shards(once) != Runs::Failed;
}

// What the ledger has to find (fail points): an event is left out, comes twice, or is run half by the old
// version and half by the next. Moves the cursor past what it has run. Nothing without fail points.
bool Runner::sabotage(size_t index, MutCursor& cursor) {
  env::FailPoints& points = env_.fail_points();
  const Feed& feed = feeds_[index];
  auto watermark = [&] { return shards_[0]->instance().watermarks[index]; };
  if (points.at("drop_one") == env::Fault::Drop) ++cursor.row;
  if (points.at("dup_one") == env::Fault::Duplicate && cursor.row < cursor.row_end) {
    if (!run_once(index, {cursor.row, cursor.row + 1, cursor.watermark})) return false;
  }
  bool last_of_version = scheduled_ && cursor.row < cursor.row_end &&
                         feed.position + (cursor.row_end - feed.row) == cut_of(feed);
  if (!last_of_version || points.at("mix_one") != env::Fault::Error) return true;
  const std::vector<char>& literals = scheduled_->next[0]->plan().literals;
  if (literals.size() != plan().literals.size()) return true;
  bool fine = run_once(index, {cursor.row, cursor.row_end - 1, cursor.watermark});
  cursor.row = cursor.row_end - 1;
  cursor.watermark = watermark();
  auto use = [&](const char* which) {
    for (const auto& shard : shards_) shard->instance().context().literals = which;
  };
  const char* own = shards_[0]->instance().context().literals;
  use(literals.data());
  fine = fine && run_once(index, cursor);
  use(own);
  cursor.row = cursor.row_end;
  cursor.watermark = watermark();
  return fine;
}

void Runner::schedule(PreparedSwap swap) {
  scheduled_ = std::move(swap);
  if (scheduled_->at.empty() || env_.fail_points().at("swap_early") != env::Fault::Error) return;
  if (scheduled_->at[0].records > 0) --scheduled_->at[0].records;
}

void Runner::refuse(PreparedSwap swap, std::string why) {
  SwapResult result;
  result.version = swap.version;
  result.refused = std::move(why);
  for (const auto& version : swap.next) retired_.retire(version->set_kernels({}).owner);
  retire_conversions(swap.migration, retired_);
  last_swap_ = std::move(result);
}

bool Runner::replace_input(Feed& feed, PreparedSwap::Replaced& other) {
  Feed next;
  auto known = left_.find(other.now);
  bool resumed = known != left_.end();
  if (resumed) {
    next = std::move(known->second);
    left_.erase(known);
  } else {
    next.reader = std::move(other.reader);
  }
  next.name = feed.name;
  next.position = feed.position;  // cuts count the records of a source, whatever it reads
  left_.insert_or_assign(other.was, std::exchange(feed, std::move(next)));
  return resumed;
}

// Between two rows: state moves, sinks go over, the old version is gone.
void Runner::exchange() {
  int64_t begin = env_.thread_cpu_ns();
  take_all_output(Merge::ByShard);
  PreparedSwap swap = std::move(*scheduled_);
  scheduled_.reset();
  SwapResult result;
  result.version = swap.version;
  result.cut = positions();
  std::vector<ShardMigration> at_cut;
  for (size_t i = 0; i < shards_.size(); ++i)
    at_cut.push_back({&shards_[i]->instance(), swap.next[i].get(), &shards_[i]->kept()});
  std::string problem = convert(at_cut, swap.migration);
  if (!problem.empty()) return refuse(std::move(swap), std::move(problem));
  MigrationCount moved = migrate(at_cut, swap.migration);
  result.entries_converted = moved.entries;
  result.cells_converted = moved.cells;
  Instances old;
  for (size_t i = 0; i < shards_.size(); ++i)
    old.push_back(shards_[i]->set_instance(std::move(swap.next[i])));
  set_arrival(old[0]->context().arrival);
  count_parked();
  version_ = swap.version;
  Status retained = outlets_.retain(plan(), swap.migration.renamed_sinks);
  if (!retained) fail(retained.error());
  for (OutletBinding& sink : swap.new_sinks) {
    Status replaced = outlets_.replace(std::move(sink));
    if (!replaced) fail(replaced.error());
  }
  outlets_.connect(plan());
  // Sources go by name; the rows they have handed over already are run by the new version.
  std::vector<Feed> feeds;
  for (const SourcePlan& source : plan().sources) {
    std::string before = source.name;
    for (const auto& [from, to] : swap.migration.renamed_sources) {
      if (to == source.name) before = from;
    }
    Feed feed;
    for (Feed& known : feeds_) {
      if (known.name == before) feed = std::move(known);
    }
    feed.name = source.name;
    // One that is read already goes on where it is, also when no stream has wanted it for a while.
    for (auto& [name, reader] : swap.new_sources) {
      if (name != source.name || feed.reader) continue;
      feed = Feed{};
      feed.name = name;
      feed.reader = std::move(reader);
      for (const auto& shard : shards_) {
        shard->instance().watermarks[static_cast<size_t>(&source - plan().sources.data())] = no_watermark;
      }
    }
    bool resumed = false;
    for (PreparedSwap::Replaced& other : swap.replaced) {
      if (other.source != source.name || !feed.reader) continue;
      resumed = replace_input(feed, other);
      for (const auto& shard : shards_) {
        int64_t& watermark =
            shard->instance().watermarks[static_cast<size_t>(&source - plan().sources.data())];
        if (watermark == state::never) watermark = no_watermark;  // the end was that of the other
      }
    }
    if (!feed.reader) feed.ended = true;
    bool redeclared = resumed || std::find(swap.redeclared.begin(), swap.redeclared.end(), source.name) !=
                                     swap.redeclared.end();
    if (redeclared && feed.reader) {
      std::optional<size_t> time_field;
      if (source.time_column >= 0) time_field = static_cast<size_t>(source.time_column);
      Status done = feed.reader->redeclare(source.record, time_field);
      if (!done) fail(done.error().within("source `" + feed.name + "`"));
      // With several sources the cut may lie between rows that were decoded already.
      codec::Decoder* decoder = feed.reader->decoder();
      if (done && decoder != nullptr && feed.batch && feed.row < feed.batch->row_count()) {
        feed.batch = decode_again(*decoder, *feed.batch, feed.row, source.record);
        feed.row = 0;
        present(feed, static_cast<size_t>(&source - plan().sources.data()));
      }
    } else if (feed.batch && feed.row < feed.batch->row_count()) {
      mark_future(feed, source.ahead);
    }
    feeds.push_back(std::move(feed));
  }
  feeds_ = std::move(feeds);
  // What an edit made due fires at the cut, before the next event.
  fire_due();
  take_all_output(Merge::ByShard);
  for (const auto& version : old) retired_.retire(version->set_kernels({}).owner);
  retire_conversions(swap.migration, retired_);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
  ++stats_.swaps;
}

uint64_t Runner::parked_entries(const ParkId& id) const {
  uint64_t out = 0;
  for (const auto& shard : shards_) {
    auto known = shard->kept().find(id);
    if (known != shard->kept().end()) out += known->second->entry_count();
  }
  return out;
}

void Runner::let_go(const ParkId& id) {
  for (const auto& shard : shards_) shard->kept().erase(id);
  count_parked();
}

void Runner::count_parked() {
  size_t bytes = 0;
  for (const auto& shard : shards_) {
    for (const auto& [id, store] : shard->kept()) bytes += store->bytes();
  }
  budget_.set_parked(bytes);
}

void Runner::exchange_kernels(const Kernels& kernels) {
  for (const auto& shard : shards_) retired_.retire(shard->instance().set_kernels(kernels).owner);
}

// What every shard has is counted in the first.
template <typename Count>
uint64_t Runner::over_shards(size_t store, const Count& count) const {
  bool everywhere = plan().stores[store].home == state::Home::Everywhere;
  uint64_t out = 0;
  for (size_t i = 0; i < (everywhere ? 1 : shards_.size()); ++i) out += count(instance(i).store(store));
  return out;
}

uint64_t Runner::entry_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.entry_count(); });
}

uint64_t Runner::late_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.late_count(); });
}

uint64_t Runner::let_go_count(size_t store) const {
  return over_shards(store, [](const state::Store& of) { return of.let_go_count(); });
}

int64_t Runner::due(size_t store) const {
  int64_t out = state::never;
  for (const auto& shard : shards_) out = std::min(out, shard->instance().store(store).due());
  return out;
}

size_t Runner::state_bytes(size_t store) const {
  size_t out = 0;
  for (const auto& shard : shards_) out += shard->instance().store(store).bytes();
  return out;
}

uint64_t Runner::dropped(size_t site) const {
  bool everywhere = plan().sites[site].everywhere;
  uint64_t out = 0;
  for (size_t i = 0; i < (everywhere ? 1 : shards_.size()); ++i) out += instance(i).dropped()[site];
  return out;
}

Status Runner::flush() { return outlets_.flush(); }

Status Runner::close() { return outlets_.close(); }

}  // namespace mut::runtime
