#include "runtime/graph/shard.h"

#include <algorithm>
#include <limits>

#include "runtime/abi/check.h"
#include "runtime/graph/decode_again.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

// Results of a window that are made at once: they stay in the second cache.
constexpr size_t result_piece_rows = 1024;
constexpr size_t fires_of_piece = 4096;

// No code goes on the thread that runs rows.
void retire_conversions(Migration& migration, RetireList& retired) {
  for (auto& conversion : std::exchange(migration.conversions, {})) retired.retire(conversion->kernels.owner);
}

}  // namespace

Shard::Shard(env::Env& env, const ShardOptions& options, RetireList& retired)
    : env_(env),
      retired_(retired),
      worker_(retired.add_worker()),
      options_(options),
      seed_(env.random_seed()),
      budget_(options.memory_bytes),
      outlets_(false) {}

Shard::~Shard() = default;

bool Shard::fail(Error error) {
  error_ = std::move(error);
  return false;
}

void Shard::start(std::unique_ptr<Instance> instance, uint64_t version,
                  std::vector<std::pair<std::string, std::unique_ptr<connector::SourceReader>>> sources,
                  std::vector<OutletBinding> sinks) {
  instance_ = std::move(instance);
  version_ = version;
  for (const SourcePlan& source : instance_->plan().sources) {
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
  outlets_.connect(instance_->plan());
}

std::vector<SourceCount> Shard::positions() const {
  std::vector<SourceCount> out;
  for (const Feed& feed : feeds_) out.push_back({feed.name, feed.position});
  return out;
}

std::vector<FeedState> Shard::feed_states() const {
  using Reads = FeedState::Reads;
  std::vector<FeedState> out;
  for (const Feed& feed : feeds_) {
    Reads reads = feed.waits ? Reads::Waiting : Reads::Rows;
    if (is_over(feed)) reads = feed.reader ? Reads::Ended : Reads::Nothing;
    out.push_back({feed.name, feed.position, reads});
  }
  return out;
}

int64_t Shard::retry_after_ns() const {
  int64_t least = -1;
  for (const Feed& feed : feeds_) {
    if (feed.ended || !feed.reader) continue;
    int64_t after = feed.reader->retry_after_ns();
    if (after >= 0 && (least < 0 || after < least)) least = after;
  }
  return least;
}

// Makes sure the feed has a row, or knows that there is none. False on failure.
bool Shard::fill(Feed& feed, size_t index) {
  feed.waits = false;
  if (feed.ended || (feed.batch && feed.row < feed.batch->row_count())) return true;
  const SourcePlan& plan = instance_->plan().sources[index];
  batch::NeededColumns needed = plan.needed;
  // With several sources a cut may fall inside of a batch: its rest is run by a version that may need more.
  if (feeds_.size() > 1) std::fill(needed.begin(), needed.end(), char{1});
  // A batch ends at a cut, so that no row was decoded for a version that does not run it.
  uint32_t rows = options_.batch_rows;
  if (scheduled_ && cut_of(feed) > feed.position)
    rows = static_cast<uint32_t>(std::min<uint64_t>(rows, cut_of(feed) - feed.position));
  if (!feed.batch || feed.batch->needed() != needed || &feed.batch->record() != plan.record.get() ||
      feed.batch->row_capacity() != rows) {
    feed.batch = std::make_unique<batch::Batch>(plan.record, needed, rows);
  }
  feed.batch->clear();
  feed.row = 0;
  switch (feed.reader->poll(*feed.batch)) {
    case connector::Poll::Ready:
      break;
    case connector::Poll::Wait:
      feed.waits = true;
      return true;
    case connector::Poll::End:
      feed.ended = true;
      return true;
    case connector::Poll::Failed:
      feed.ended = true;
      return fail(feed.reader->error().within("source `" + feed.name + "`"));
  }
  ++stats_.batches;
  present(feed, index);
  return true;
}

// The rows of a feed's batch as kernels see them.
void Shard::present(Feed& feed, size_t index) {
  const SourcePlan& plan = instance_->plan().sources[index];
  if (plan.computes_times) feed.batch->own_times();
  feed.view = feed.batch->view();
  if (plan.computes_times) {
    feed.bad.assign(feed.view.row_count, 0);
    if (feed.view.bad != nullptr)
      std::copy(feed.view.bad, feed.view.bad + feed.view.row_count, feed.bad.begin());
    instance_->context().source = static_cast<uint32_t>(index);
    instance_->kernels().times[index](&instance_->context(), &feed.view, feed.bad.data());
    feed.view.bad = feed.bad.data();
  }
}

// The source whose next record has the smallest event time, ties by declaration, and how many rows of
// it come before the next record of another source. False when no row is to be had now.
bool Shard::pick(size_t& chosen, uint32_t& row_end) {
  const std::vector<SourcePlan>& plans = instance_->plan().sources;
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

bool Shard::is_over(const Feed& feed) {
  return feed.ended && (!feed.batch || feed.row >= feed.batch->row_count());
}

uint64_t Shard::cut_of(const Feed& feed) const {
  for (const SourceCount& cut : scheduled_->at) {
    if (cut.source == feed.name) return cut.records;
  }
  return std::numeric_limits<uint64_t>::max();
}

bool Shard::cut_reached() const {
  return std::all_of(scheduled_->at.begin(), scheduled_->at.end(), [&](const SourceCount& cut) {
    auto feed = std::find_if(feeds_.begin(), feeds_.end(),
                             [&](const Feed& candidate) { return candidate.name == cut.source; });
    return feed == feeds_.end() || feed->position >= cut.records ||
           (feed->ended && (!feed->batch || feed->row >= feed->batch->row_count()));
  });
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
  if (!error_.message.empty()) return;
  context.firing = 1;
  instance_->kernels().results[index](&context, rows.rows(), rows.times(), rows.count(), cause_position_);
  context.firing = 0;
  if (context.output_rows >= context.output_rows_max) take_output();
}

void Shard::fire_store(size_t index) {
  state::ResultRows rows(instance_->store(index).desc(), result_texts_);
  rows.in_pieces(result_piece_rows, [&](const state::ResultRows& piece) { run_results(index, piece); });
  instance_->firing(index);
  instance_->store(index).fire(rows);
  run_results(index, rows);
  instance_->fired();
  instance_->store(index).release();
}

// Fires what the watermarks have reached, in order of due time, then of declaration. Due times are compared
// as of the sources: what a join gives late comes before what waits for it.
void Shard::fire_due() {
  while (fire_piece() == Fired::Some && error_.message.empty()) {
  }
}

Shard::Fired Shard::fire_piece() {
  const Plan& plan = instance_->plan();
  size_t fired = 0;
  while (true) {
    int64_t best = state::never;
    size_t chosen = plan.stores.size();
    for (size_t i = 0; i < plan.stores.size(); ++i) {
      if (!plan.stores[i].has_results) continue;
      int64_t due = instance_->store(i).due();
      int64_t at = later(due, plan.stores[i].clock.delay_max());
      if (at < best && due <= instance_->watermark_of(plan.stores[i].clock)) {
        best = at;
        chosen = i;
      }
    }
    size_t set = plan.sets.size();
    for (size_t i = 0; i < plan.sets.size(); ++i) {
      const Instance::PendingSet& pending = instance_->pending_sets()[i];
      int64_t at = later(pending.tick, plan.sets[i].clock.delay_max());
      if (pending.waits && at < best && pending.tick <= instance_->watermark_of(plan.sets[i].clock)) {
        best = at;
        set = i;
      }
    }
    if (set < plan.sets.size()) {
      instance_->apply_set(set);
      continue;
    }
    if (chosen == plan.stores.size()) break;
    fire_store(chosen);
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
    if (watermark != no_watermark) instance_->store(i).advance(watermark);
  }
  return Fired::All;
}

bool Shard::take_output() {
  stats_.rows_out += instance_->context().output_rows;
  Status status = outlets_.write(*instance_, version_);
  instance_->clear_output();
  result_texts_.reset();
  return status ? true : fail(status.error());
}

// Runs the rows of the cursor to their end, firing in between what becomes due; not to their end where that
// is long.
bool Shard::run_kernel(size_t index, MutCursor& cursor) {
  Feed& feed = feeds_[index];
  MutContext& context = instance_->context();
  MutSourceKernel kernel = instance_->kernels().sources[index];
  if (kernel == nullptr) cursor.row = cursor.row_end;  // nothing reads this source
  while (cursor.row < cursor.row_end) {
    if (context.overdue != 0) {  // an event of another source, or of the batch before, has set it
      cause_position_ = feed.view.first_position + cursor.row;
      firing_ = fire_piece() == Fired::Some;
      if (firing_ || !error_.message.empty()) return error_.message.empty();
    }
    update_due(index);
    int32_t stop = kernel(&context, &feed.view, &cursor);
    instance_->watermarks[index] = cursor.watermark;
    // One that raised the watermark and waits for what is due has not run yet.
    instance_->reach(index, stop == MUT_STOP_DUE ? context.watermark : cursor.watermark);
    cause_position_ = feed.view.first_position + cursor.row;
    if (stop == MUT_STOP_DUE) firing_ = fire_piece() == Fired::Some;
    if (firing_ || !error_.message.empty()) return error_.message.empty();
    if (context.output_rows >= context.output_rows_max && !take_output()) return false;
  }
  return true;
}

bool Shard::run_rows(size_t index, uint32_t row_end) {
  Feed& feed = feeds_[index];
  MutContext& context = instance_->context();
  context.source = static_cast<uint32_t>(index);
  context.watermark = instance_->watermarks[index];
  instance_->batch = &feed.view;
  MutCursor cursor{feed.row, row_end, instance_->watermarks[index]};
  if (!sabotage(index, cursor) || !run_kernel(index, cursor)) return false;
  uint64_t processed = cursor.row - feed.row;
  feed.row = cursor.row;
  feed.position += processed;
  stats_.records_in += processed;
  instance_->watermarks[index] = cursor.watermark;
  bool written = take_output();
  if (firing_) return written;  // nothing is too old for what is still to fire
  // Expiry, a piece a batch.
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    int64_t watermark = instance_->watermark_of(plan.stores[i].clock);
    // What fires by time is advanced when it has fired.
    bool fires = plan.stores[i].has_results && plan.stores[i].desc.kind != state::StoreKind::Counts &&
                 plan.stores[i].desc.kind != state::StoreKind::Process;
    if (watermark != no_watermark && !fires) instance_->store(i).advance(watermark);
  }
  return written;
}

// What a count window holds when all its sources have ended, before the windows that its rows fall into
// close; where some of its events come late themselves, after them.
void Shard::finish_counts(Rest rest) {
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    const StorePlan& of = plan.stores[i];
    if (of.desc.kind != state::StoreKind::Counts || of.waits_above != (rest == Rest::OfResults)) continue;
    bool over = true;
    for (size_t k = 0; k < feeds_.size(); ++k)
      over = over && ((of.clock.mask >> k & 1U) == 0 || is_over(feeds_[k]));
    if (!over) continue;
    state::ResultRows rows(instance_->store(i).desc(), result_texts_);
    instance_->store(i).finish(rows);
    run_results(i, rows);
  }
}

void Shard::end_stores() {
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    bool over = true;
    for (size_t k = 0; k < feeds_.size(); ++k)
      over = over && ((plan.stores[i].clock.mask >> k & 1U) == 0 || is_over(feeds_[k]));
    if (over) instance_->store(i).end_input();
  }
}

// A source that has ended does not hold others back; when all have, everything fires.
void Shard::finish_input() {
  if (instance_->context().overdue != 0) fire_due();  // by the last event, not by the end
  finish_counts(Rest::OfSources);
  end_stores();
  bool all = true;
  for (size_t i = 0; i < feeds_.size(); ++i) {
    bool over = is_over(feeds_[i]);
    if (over) instance_->watermarks[i] = state::never;
    all = all && over;
  }
  fire_due();
  finish_counts(Rest::OfResults);
  fire_due();
  if (!all || (options_.at_end == ShardOptions::AtEnd::Stay && !stopped_)) return;
  const Plan& plan = instance_->plan();
  for (size_t i = 0; i < plan.stores.size(); ++i) {
    if (!plan.stores[i].has_results || !state::waits_for_end(plan.stores[i].desc)) continue;
    state::ResultRows rows(instance_->store(i).desc(), result_texts_);
    rows.in_pieces(result_piece_rows, [&](const state::ResultRows& piece) { run_results(i, piece); });
    instance_->store(i).finish(rows);
    run_results(i, rows);
    bool shared = std::any_of(
        plan.stores.begin() + static_cast<ptrdiff_t>(i) + 1, plan.stores.end(),
        [&](const StorePlan& later) { return later.watermark_bit == plan.stores[i].watermark_bit; });
    if (!shared) instance_->watermarks[static_cast<size_t>(plan.stores[i].watermark_bit)] = state::never;
    fire_due();
  }
  take_output();
  finished_ = true;
}

bool Shard::advance(int64_t time) {
  // Those behind the sources' are of `window all`: its rows come at the end of the input only.
  for (size_t i = 0; i < feeds_.size(); ++i)
    instance_->watermarks[i] = std::max(instance_->watermarks[i], time);
  fire_due();
  return error_.message.empty() && take_output();
}

void Shard::stop() {
  stopped_ = true;
  for (Feed& feed : feeds_) {
    if (feed.reader) feed.reader->stop();
  }
}

// Kernels run in here alone.
Progress Shard::run() {
  worker_.enter();
  Progress progress = advance();
  worker_.rest();
  return progress;
}

Progress Shard::advance() {
  if (finished_) return Progress::Done;
  if (!error_.message.empty()) return Progress::Failed;
  if (firing_) {
    // Before anything else, also before an edit: it is of an event that is being processed.
    if (stopped_) instance_->let_timers_go();
    firing_ = fire_piece() == Fired::Some;
    return error_.message.empty() ? Progress::More : Progress::Failed;
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

// What the ledger has to find (fail points): an event is left out, comes twice, or is run half by the old
// version and half by the next. Moves the cursor past what it has run. Nothing without fail points.
bool Shard::sabotage(size_t index, MutCursor& cursor) {
  env::FailPoints& points = env_.fail_points();
  const Feed& feed = feeds_[index];
  if (points.at("drop_one") == env::Fault::Drop) ++cursor.row;
  if (points.at("dup_one") == env::Fault::Duplicate && cursor.row < cursor.row_end) {
    MutCursor once{cursor.row, cursor.row + 1, cursor.watermark};
    if (!run_kernel(index, once)) return false;
  }
  bool last_of_version = scheduled_ && cursor.row < cursor.row_end &&
                         feed.position + (cursor.row_end - feed.row) == cut_of(feed);
  if (!last_of_version || points.at("mix_one") != env::Fault::Error) return true;
  const std::vector<char>& literals = scheduled_->next->plan().literals;
  if (literals.size() != instance_->plan().literals.size()) return true;
  --cursor.row_end;
  bool fine = run_kernel(index, cursor);
  ++cursor.row_end;
  const char* own = std::exchange(instance_->context().literals, literals.data());
  fine = fine && run_kernel(index, cursor);
  instance_->context().literals = own;
  return fine;
}

void Shard::schedule(PreparedSwap swap) {
  scheduled_ = std::move(swap);
  if (scheduled_->at.empty() || env_.fail_points().at("swap_early") != env::Fault::Error) return;
  if (scheduled_->at[0].records > 0) --scheduled_->at[0].records;
}

void Shard::refuse(PreparedSwap swap, std::string why) {
  SwapResult result;
  result.version = swap.version;
  result.refused = std::move(why);
  retired_.retire(swap.next->set_kernels({}).owner);
  retire_conversions(swap.migration, retired_);
  last_swap_ = std::move(result);
}

// Between two rows: state moves, sinks go over, the old version is gone.
void Shard::exchange() {
  int64_t begin = env_.thread_cpu_ns();
  take_output();
  PreparedSwap swap = std::move(*scheduled_);
  scheduled_.reset();
  SwapResult result;
  result.version = swap.version;
  result.cut = positions();
  std::string problem = convert(*instance_, *swap.next, swap.migration);
  if (!problem.empty()) return refuse(std::move(swap), std::move(problem));
  MigrationCount moved = migrate(*instance_, *swap.next, swap.migration, kept_);
  count_parked();
  result.entries_converted = moved.entries;
  result.cells_converted = moved.cells;
  std::unique_ptr<Instance> old = std::exchange(instance_, std::move(swap.next));
  version_ = swap.version;
  Status retained = outlets_.retain(instance_->plan(), swap.migration.renamed_sinks);
  if (!retained) fail(retained.error());
  for (OutletBinding& sink : swap.new_sinks) {
    Status replaced = outlets_.replace(std::move(sink));
    if (!replaced) fail(replaced.error());
  }
  outlets_.connect(instance_->plan());
  // Sources go by name; the rows they have handed over already are run by the new version.
  std::vector<Feed> feeds;
  for (const SourcePlan& source : instance_->plan().sources) {
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
      instance_->watermarks[static_cast<size_t>(&source - instance_->plan().sources.data())] = no_watermark;
    }
    bool resumed = false;
    for (PreparedSwap::Replaced& other : swap.replaced) {
      if (other.source != source.name || !feed.reader) continue;
      resumed = replace_input(feed, other);
      int64_t& watermark =
          instance_->watermarks[static_cast<size_t>(&source - instance_->plan().sources.data())];
      if (watermark == state::never) watermark = no_watermark;  // the end was that of the other
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
        present(feed, static_cast<size_t>(&source - instance_->plan().sources.data()));
      }
    }
    feeds.push_back(std::move(feed));
  }
  feeds_ = std::move(feeds);
  // What an edit made due fires at the cut, before the next event.
  fire_due();
  take_output();
  retired_.retire(old->set_kernels({}).owner);
  retire_conversions(swap.migration, retired_);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
  ++stats_.swaps;
}

bool Shard::replace_input(Feed& feed, PreparedSwap::Replaced& other) {
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

const state::Store* Shard::parked(const ParkId& id) const {
  auto known = kept_.find(id);
  return known == kept_.end() ? nullptr : known->second.get();
}

void Shard::let_go(const ParkId& id) {
  kept_.erase(id);
  count_parked();
}

void Shard::count_parked() {
  size_t bytes = 0;
  for (const auto& [id, store] : kept_) bytes += store->bytes();
  budget_.set_parked(bytes);
}

void Shard::exchange_kernels(Kernels kernels) {
  retired_.retire(instance_->set_kernels(std::move(kernels)).owner);
}

Status Shard::flush() { return outlets_.flush(); }

Status Shard::close() { return outlets_.close(); }

}  // namespace mut::runtime
