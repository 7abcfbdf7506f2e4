#include "runtime/graph/runner.h"

#include <algorithm>
#include <limits>

#include "runtime/abi/check.h"
#include "runtime/state/counts.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

// Of what an edit left to be converted, between two stretches of rows: for so long, and at least so many.
constexpr int64_t piece_ns = 400'000;
constexpr uint64_t piece_entries = 256;

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
      budget_(std::make_shared<state::Budget>(options.memory_bytes)),
      feeds_(env, options.batch_rows, options.now_ns),
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
    out.push_back(std::make_unique<Instance>(plan, kernels, place, *budget_, shard->errors()));
  }
  return out;
}

bool Runner::fail(Error error) {
  error_ = std::move(error);
  return false;
}

void Runner::start(Instances instances, uint64_t version, NamedReaders sources,
                   std::vector<OutletBinding> sinks) {
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i]->set_instance(std::move(instances[i]));
  version_ = version;
  feeds_.start(plan(), std::move(sources));
  for (OutletBinding& sink : sinks) {
    Status begun = outlets_.add(std::move(sink));
    if (!begun) fail(begun.error());
  }
  outlets_.connect(plan());
}

void Runner::set_arrival(int64_t arrival_ns) {
  for (const auto& shard : shards_) shard->instance().context().arrival = arrival_ns;
}

void Runner::look_for_idle() {
  if (!feeds_.note_idle(shards_)) return;
  set_arrival(feeds_.now_ns());
  fire_due();
  take_all_output(Merge::ByShard);
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
    // Rows of several shards are taken when all of them stand at one event.
    if (together_) shard.instance().context().output_rows_max = std::numeric_limits<uint64_t>::max();
    if (shard.is_firing()) ran[i] = shard.fire_rest();
    if (ran[i] == Shard::Ran::All) ran[i] = shard.run(stretch.source, rows, stretch.cursors[i]);
    shard.instance().context().output_rows_max = output_rows_usual;
  });
  together_ = false;
  auto any = [&](Shard::Ran what) { return std::find(ran.begin(), ran.end(), what) != ran.end(); };
  if (any(Shard::Ran::Stopped)) return Runs::Failed;
  return any(Shard::Ran::Some) ? Runs::Partly : Runs::Over;
}

bool Runner::run_rows(const Turn& turn) {
  const Feed& feed = feeds_[turn.source];
  set_arrival(feed.view.arrival);
  MutCursor cursor{feed.row, turn.row_end, shards_[0]->instance().watermarks[turn.source]};
  if (!sabotage(turn.source, cursor)) return false;
  stretch_ = Stretch{turn.source, std::vector<MutCursor>(shards_.size(), cursor)};
  return go_on();
}

bool Runner::go_on() {
  Runs runs = run_shards(*stretch_);
  if (runs == Runs::Failed) return false;
  // With one shard the rest of the rows is another stretch: an edit may come before it.
  if (runs == Runs::Partly && shards_.size() > 1) return take_all_output(Merge::ByPosition);
  Feed& feed = feeds_[stretch_->source];
  uint64_t processed = stretch_->cursors[0].row - feed.row;
  feed.advance(stretch_->cursors[0].row);
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
  std::vector<char> over = feeds_.over();
  bool ends = feeds_.all_over() && (options_.at_end == RunnerOptions::AtEnd::Finish || stopped_);
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
  set_arrival(feeds_.now_ns());
  fire_due();
  look_for_idle();
  return error_.message.empty() && take_all_output(Merge::ByShard);
}

void Runner::stop() {
  stopped_ = true;
  feeds_.stop();
}

// Kernels run in here alone.
Progress Runner::run() {
  worker_.enter();
  Progress progress = advance();
  if (progress != Progress::Failed && take_over() && progress == Progress::Idle) progress = Progress::More;
  worker_.rest();
  return progress;
}

// It may be much. The budgets that it counts in live as long.
void Runner::retire(std::shared_ptr<void> owned, size_t bytes) {
  struct Leaving {
    Leaving(std::shared_ptr<state::Budget> of, std::shared_ptr<void> what, size_t much)
        : budget(std::move(of)), owned(std::move(what)), bytes(much) {
      budget->leave(bytes);
    }
    ~Leaving() {
      owned.reset();
      budget->left(bytes);
    }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;
    std::shared_ptr<state::Budget> budget;
    std::shared_ptr<void> owned;
    size_t bytes;
  };
  retired_.retire_state(std::make_shared<Leaving>(budget_, std::move(owned), bytes));
}

void Runner::retire_emptied(state::Store& store) {
  std::shared_ptr<state::Store> emptied = store.take_emptied();
  if (!emptied) return;
  size_t bytes = emptied.use_count() == 1 ? emptied->bytes() : 0;  // an undo may need it
  retire(std::move(emptied), bytes);
  ++emptied_;
}

bool Runner::take_over() {
  // A row that a kernel was left at lies where it lies.
  if (stretch_ || is_firing()) return false;
  bool left = false;
  int64_t until = 0;  // asked for where there is something to do
  for (const auto& shard : shards_) {
    Instance& instance = shard->instance();
    for (size_t i = 0; i < instance.store_count(); ++i) {
      state::Store& store = instance.store(i);
      if (!store.is_taking()) continue;
      if (env_.fail_points().at("take_over") == env::Fault::Drop) continue;
      if (until == 0) until = env_.thread_cpu_ns() + piece_ns;
      while (store.left_to_take() > 0 && env_.thread_cpu_ns() < until) store.take_piece(piece_entries);
      retire_emptied(store);
      left = left || store.is_taking();
    }
  }
  return left;
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
  if (scheduled_ && feeds_.cut_reached()) {
    exchange();
    return error_.message.empty() ? Progress::More : Progress::Failed;
  }
  bool ended_before = feeds_.all_ended();
  Feeds::Filled filled = feeds_.fill(shards_);
  if (filled == Feeds::Filled::Failed) {
    fail(feeds_.error());
    return Progress::Failed;
  }
  look_for_idle();
  if (!error_.message.empty()) return Progress::Failed;
  if (std::optional<Turn> turn = feeds_.next(plan())) {
    if (filled == Feeds::Filled::SomeEnded) finish_input();
    return run_rows(*turn) ? Progress::More : Progress::Failed;
  }
  bool all_over = feeds_.all_over();
  if (scheduled_ && (feeds_.cut_reached() || all_over)) return Progress::More;
  if (filled == Feeds::Filled::SomeEnded || ended_before || all_over) finish_input();
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
                         feed.position + (cursor.row_end - feed.row) == feeds_.cut_of(feed);
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
  std::vector<SourceCount> cut = scheduled_->at;
  bool early = !cut.empty() && env_.fail_points().at("swap_early") == env::Fault::Error;
  if (early && cut[0].records > 0) --cut[0].records;
  feeds_.stop_at(std::move(cut));
}

void Runner::unschedule() {
  scheduled_.reset();
  feeds_.forget_cut();
}

void Runner::refuse(PreparedSwap swap, std::string why) {
  SwapResult result;
  result.version = swap.version;
  result.refused = std::move(why);
  for (const auto& version : swap.next) retired_.retire(version->set_kernels({}).owner);
  retire_conversions(swap.migration, retired_);
  last_swap_ = std::move(result);
}

// Between two rows: state moves, sinks go over, the old version is gone.
void Runner::exchange() {
  int64_t begin = env_.thread_cpu_ns();
  (void)env_.fail_points().at("swap.cut");
  take_all_output(Merge::ByShard);
  PreparedSwap swap = std::move(*scheduled_);
  unschedule();
  SwapResult result;
  result.version = swap.version;
  result.cut = feeds_.positions();
  std::vector<ShardMigration> at_cut;
  for (size_t i = 0; i < shards_.size(); ++i)
    at_cut.push_back({&shards_[i]->instance(), swap.next[i].get(), &shards_[i]->kept()});
  (void)env_.fail_points().at("swap.migrating");
  Conversion conversion = convert(at_cut, swap.migration);
  if (!conversion.problem.empty()) return refuse(std::move(swap), std::move(conversion.problem));
  (void)env_.fail_points().at("swap.voted");
  MigrationCount moved = migrate(at_cut, swap.migration, conversion);
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
  Status handed = feeds_.hand_over(shards_, swap.migration.renamed_sources, swap.sources);
  if (!handed) fail(handed.error());
  // What an edit made due fires at the cut, before the next event.
  fire_due();
  take_all_output(Merge::ByShard);
  for (auto& version : old) {
    std::shared_ptr<void> code = version->set_kernels({}).owner;
    size_t bytes = version->own_bytes();
    retire(std::move(version), bytes);
    retired_.retire(std::move(code));  // behind what it ran on
  }
  retire_conversions(swap.migration, retired_);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
  ++stats_.swaps;
  (void)env_.fail_points().at("swap.committed");
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
  for (const auto& shard : shards_) {
    auto known = shard->kept().find(id);
    if (known == shard->kept().end()) continue;
    // One that is still taken over is needed until all of it is.
    Instance& instance = shard->instance();
    for (size_t i = 0; i < instance.store_count() && known->second.use_count() > 1; ++i) {
      state::Store& store = instance.store(i);
      if (!store.takes_from(*known->second)) continue;
      store.take_rest();
      retire_emptied(store);
    }
    size_t bytes = known->second->bytes();
    retire(std::move(known->second), bytes);
    shard->kept().erase(known);
  }
  count_parked();
}

void Runner::count_parked() {
  size_t bytes = 0;
  for (const auto& shard : shards_) {
    for (const auto& [id, store] : shard->kept()) bytes += store->bytes();
  }
  budget_->set_parked(bytes);
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

uint64_t Runner::dropped(size_t site) const {
  bool everywhere = plan().sites[site].everywhere;
  uint64_t out = 0;
  for (size_t i = 0; i < (everywhere ? 1 : shards_.size()); ++i) out += instance(i).dropped()[site];
  return out;
}

Status Runner::flush() { return outlets_.flush(); }

Status Runner::close() { return outlets_.close(); }

}  // namespace mut::runtime
