#include "runtime/graph/runner.h"

#include <algorithm>
#include <limits>

#include "runtime/abi/check.h"
#include "runtime/env/does.h"
#include "runtime/swap/key_conversion.h"

namespace mut::runtime {
namespace {

// Of what an edit left to be converted, between two stretches of rows: for so long, and at least so many.
constexpr int64_t piece_ns = 400'000;
constexpr int64_t piece_awaited_ns = 800'000;  // while an edit waits for it
constexpr uint64_t piece_entries = 256;
// So long an edit waits for what is left; then it takes it at its cut.
constexpr int64_t rest_wait_ns = 3'000'000'000;

// The source of the last event, as the next version numbers it: what fires at the cut fires for that event.
// The first where it is not there any more.
uint32_t same_source(Instance& old, const Plan& next, const Migration& migration) {
  if (old.context().source >= old.plan().sources.size()) return 0;  // a script may have none
  std::string name = old.plan().sources[old.context().source].name;
  for (const auto& [before, after] : migration.renamed_sources) {
    if (before == name) {
      name = after;
      break;
    }
  }
  for (size_t i = 0; i < next.sources.size(); ++i) {
    if (next.sources[i].name == name) return static_cast<uint32_t>(i);
  }
  return 0;
}

// Of a batch some parts for each shard.
uint32_t part_rows(const RunnerOptions& options) {
  constexpr uint32_t parts = 16;
  return std::max<uint32_t>(1, options.batch_rows / parts);
}

}  // namespace

Runner::Runner(env::Env& env, const RunnerOptions& options, RetireList& retired)
    : env_(env),
      retired_(retired),
      worker_(retired.add_worker()),
      options_(options),
      crew_(env, options.shards),
      fleet_(crew_,
             {options.shards, options.seed ? *options.seed : env.random_seed(),
              std::make_shared<state::Budget>(options.memory_bytes, options.spill), Shard::Of::Live,
              part_rows(options)},
             [this](Shard& shard) { return take_output(shard); }),
      feeds_(env, options.batch_rows, options.now_ns),
      outlets_(false) {}

Runner::~Runner() = default;

Readers Runner::readers() const {
  Readers out;
  for (const auto& shard : fleet_.shards()) out.push_back(shard.get());
  if (canary_) out.push_back(canary_->fleet().shards()[0].get());
  if (!shadow_) return out;
  for (const auto& shard : shadow_->fleet().shards()) out.push_back(shard.get());
  return out;
}

bool Runner::fail(Error error) {
  error_ = std::move(error);
  return false;
}

void Runner::start(Instances instances, uint64_t version, NamedReaders sources,
                   std::vector<OutletBinding> sinks) {
  (void)fleet_.set_instances(std::move(instances));
  version_ = version;
  if (options_.at_last == RunnerOptions::AtLast::Tell) feeds_.take_until_durable();
  feeds_.start(plan(), std::move(sources));
  for (OutletBinding& sink : sinks) {
    Status begun = outlets_.add(std::move(sink));
    if (!begun) fail(begun.error());
  }
  outlets_.connect(plan());
}

void Runner::gather_state() {
  fleet_.gather();
  if (shadow_) shadow_->fleet().gather();
}

void Runner::look_for_idle() {
  if (!feeds_.note_idle(readers())) return;
  fleet_.set_arrival(feeds_.now_ns());
  if (canary_) canary_->fleet().set_arrival(feeds_.now_ns());
  fire_due();
  take_all_output(Merge::ByShard);
  fire_shadow();
}

bool Runner::take_output(Shard& shard) {
  if (canary_) return take_reached();
  Instance& instance = shard.instance();
  stats_.rows_out += instance.context().output_rows;
  if (shadow_) shadow_->rows().take(ShadowRows::Side::Live, instance.plan(), instance.sinks());
  Status status = outlets_.write(instance.plan(), instance.sinks(), version_);
  shard.clear_output();
  return status ? true : fail(status.error());
}

bool Runner::take_all_output(Merge by) {
  if (canary_) return take_reached();
  fleet_.gather_errors();
  stats_.rows_out += fleet_.output_rows();
  std::span<const MutSink> rows = fleet_.output(by);
  if (shadow_) shadow_->rows().take(ShadowRows::Side::Live, plan(), rows);
  Status status = outlets_.write(plan(), rows, version_);
  fleet_.clear_output();
  return status ? true : fail(status.error());
}

// All shards over the rows of the stretch, as far as they come.
Fleet::Runs Runner::run_shards(Stretch& stretch) {
  return fleet_.run(stretch.source, feeds_[stretch.source].view, stretch.cursors);
}

// Shards wait for each other at the end of a batch, and edits for it: it is long where rows are run fast.
void Runner::choose_batch_rows(const Stretch& stretch) {
  constexpr int64_t shortest_ns = 300'000;
  constexpr int64_t longest_ns = 1'000'000;
  if (fleet_.size() == 1 || options_.batch_rows_most == options_.batch_rows) return;
  Feed& feed = feeds_[stretch.source];
  uint32_t rows = std::max(feed.batch_rows, options_.batch_rows);
  if (!plan().sources[stretch.source].parted) {
    rows = options_.batch_rows;
  } else if (int64_t took = env_.monotonic_ns() - stretch.begin_ns; took > longest_ns) {
    rows = std::max(rows / 2, options_.batch_rows);
  } else if (took < shortest_ns && feed.view.row_count == rows) {
    rows = std::min(rows * 2, options_.batch_rows_most);
  }
  feed.batch_rows = rows;
}

bool Runner::run_rows(const Turn& turn) {
  const Feed& feed = feeds_[turn.source];
  fleet_.set_arrival(feed.view.arrival);
  MutCursor cursor{feed.row, turn.row_end, fleet_.instance(0).watermarks[turn.source]};
  if (!sabotage(turn.source, cursor)) return false;
  stretch_ = Stretch{turn.source, std::vector<MutCursor>(fleet_.size(), cursor), cursor.watermark};
  if (canary_) {
    canary_->divide(turn.source, feed.view, cursor.row, turn.row_end);
    canary_->fleet().set_arrival(feed.view.arrival);
    stretch_->inside = canary_->fleet().cursors(turn.source, cursor.row, turn.row_end);
    stretch_->row_end = turn.row_end;
  }
  return go_on();
}

bool Runner::go_on() {
  if (canary_) return go_on_beside();
  if (fleet_.size() > 1) stretch_->begin_ns = env_.monotonic_ns();
  int64_t begin = shadow_ ? env_.thread_cpu_ns() : 0;
  Fleet::Runs runs = run_shards(*stretch_);
  choose_batch_rows(*stretch_);
  int64_t live_end = shadow_ ? env_.thread_cpu_ns() : 0;
  shadow_cost_.live_ns += live_end - begin;
  if (runs == Fleet::Runs::Failed) return false;
  // With one shard the rest of the rows is another stretch: an edit may come before it. Not while a shadow
  // has still to fire what is due there.
  if (runs == Fleet::Runs::Partly && (fleet_.size() > 1 || shadow_))
    return take_all_output(Merge::ByPosition);
  Feed& feed = feeds_[stretch_->source];
  uint32_t end = stretch_->cursors[0].row;
  uint64_t processed = end - feed.row;
  if (shadow_) {
    int64_t shadow_begin = env_.thread_cpu_ns();
    shadow_->run(stretch_->source, feed.view, feed.row, end);
    shadow_cost_.candidate_ns += env_.thread_cpu_ns() - shadow_begin;
  }
  // A kernel that has stopped because something is due has counted the row that it did not run.
  if (fleet_.size() == 1 && runs == Fleet::Runs::Over) {
    feed.advance(end, {stretch_->watermark, stretch_->cursors[0].watermark,
                       plan().sources[stretch_->source].lateness});
  } else {
    feed.advance(end);
  }
  stats_.records_in += processed;
  stretch_.reset();
  bool written = take_all_output(Merge::ByPosition);
  if (runs == Fleet::Runs::Partly) return written;  // nothing is too old for what is still to fire
  fleet_.expire();
  if (shadow_) shadow_->rows().settle();
  return written;
}

// A source that has ended does not hold others back; when all have, everything fires.
void Runner::finish_input() {
  std::vector<char> over = feeds_.over();
  bool ends = feeds_.all_over() && (options_.at_end == RunnerOptions::AtEnd::Finish || stopped_);
  Fleet::End end = ends ? Fleet::End::Final : Fleet::End::OfSome;
  fleet_.finish_input(over, end);
  if (shadow_) shadow_->finish_input(over, end);
  if (canary_) {
    take_all_output(Merge::ByShard);  // before those of the canary
    canary_->fleet().finish_input(over, end);
  }
  if (!ends && fleet_.size() == 1 && !canary_) return;
  take_all_output(Merge::ByShard);
  if (shadow_) shadow_->rows().settle();
  finished_ = ends;
}

bool Runner::advance(int64_t time) {
  // Those behind the sources' are of `window all`: its rows come at the end of the input only.
  fleet_.raise_watermarks(feeds_.size(), time);
  fleet_.set_arrival(feeds_.now_ns());
  if (canary_) {
    canary_->fleet().raise_watermarks(feeds_.size(), time);
    canary_->fleet().set_arrival(feeds_.now_ns());
  }
  fire_due();
  if (shadow_) shadow_->fleet().raise_watermarks(feeds_.size(), time);
  look_for_idle();
  bool fine = error_.message.empty() && take_all_output(Merge::ByShard);
  fire_shadow();
  return fine;
}

void Runner::end_input(End end) {
  end_is_told_ = true;
  if (end == End::Leave) finished_ = true;
}

void Runner::stop() {
  stopped_ = true;
  feeds_.stop(options_.at_last == RunnerOptions::AtLast::Tell ? Feeds::Stop::LeaveWhatReplays
                                                              : Feeds::Stop::RunWhatCame);
  outlets_.hurry();
}

// Kernels run in here alone.
Progress Runner::run() {
  worker_.enter();
  Progress progress = advance();
  if (progress != Progress::Failed && take_over() && progress == Progress::Idle) progress = Progress::More;
  worker_.rest();
  return progress;
}

void Runner::retire(const Kernels& code) { retired_.retire(code.owner, code.version); }

// No code goes on the thread that runs rows.
void Runner::retire_conversions(Migration& migration) {
  for (auto& conversion : std::exchange(migration.conversions, {})) retire(conversion->kernels);
}

// It may be much. The budgets that it counts in live as long.
void Runner::retire(std::shared_ptr<void> owned, size_t bytes,
                    const std::shared_ptr<state::Budget>& counted) {
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
  retired_.retire_state(std::make_shared<Leaving>(counted, std::move(owned), bytes));
}

void Runner::retire(Instances old, const Fleet& of) {
  for (auto& version : old) {
    Kernels code = version->set_kernels({});
    size_t bytes = version->own_bytes();
    retire(std::move(version), bytes, of.shared_budget());
    retire(code);  // behind what it ran on
  }
}

void Runner::retire_emptied(state::Store& store) {
  std::shared_ptr<state::Store> emptied = store.take_emptied();
  if (!emptied) return;
  if (auto change = store.take_idle_change()) retire(std::move(change), 0, fleet_.shared_budget());
  emptied->count_spare();
  size_t bytes = emptied.use_count() == 1 ? emptied->bytes() : 0;  // an undo may need it
  retire(std::move(emptied), bytes, fleet_.shared_budget());
  ++emptied_;
}

bool Runner::take_over() {
  env::Does converts(Work::Edit);
  // A row that a kernel was left at lies where it lies.
  if (stretch_ || fleet_.is_firing()) return false;
  bool left = false;
  int64_t until = 0;  // asked for where there is something to do
  for (const auto& shard : fleet_.shards()) {
    Instance& instance = shard->instance();
    for (size_t i = 0; i < instance.store_count(); ++i) {
      state::Store& store = instance.store(i);
      if (!store.is_taking()) continue;
      if (env_.fail_points().at("take_over") == env::Fault::Drop) continue;
      if (until == 0) until = env_.thread_cpu_ns() + (scheduled_ ? piece_awaited_ns : piece_ns);
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
  if (stretch_ || fleet_.is_firing()) {
    if (outlets_.hold_up(env_)) return Progress::Idle;
    // Before anything else, also before an edit: it is of an event that is being processed.
    // A run that another goes on from keeps them.
    bool goes = stopped_ && options_.at_last == RunnerOptions::AtLast::Finish;
    if (goes) fleet_.let_timers_go();
    if (stopped_ && shadow_) shadow_->fleet().let_timers_go();
    if (stopped_ && canary_) canary_->fleet().let_timers_go();
    bool fine = stretch_ ? go_on() : fleet_.fire_rest() != Shard::Ran::Stopped;
    return fine && error_.message.empty() ? Progress::More : Progress::Failed;
  }
  if (scheduled_ && feeds_.cut_reached() && !awaits_rest()) {
    exchange();
    return error_.message.empty() ? Progress::More : Progress::Failed;
  }
  if (outlets_.hold_up(env_)) return Progress::Idle;
  bool ended_before = feeds_.all_ended();
  Feeds::Filled filled = feeds_.fill(readers());
  if (filled == Feeds::Filled::Failed) {
    fail(feeds_.error());
    return Progress::Failed;
  }
  look_for_idle();
  if (!error_.message.empty()) return Progress::Failed;
  if (std::optional<Turn> turn = feeds_.next(plan())) {
    if (filled == Feeds::Filled::SomeEnded && !leaves_end()) finish_input();
    return run_rows(*turn) ? Progress::More : Progress::Failed;
  }
  bool all_over = feeds_.all_over();
  if (scheduled_ && all_over) rest_until_ns_ = 0;
  if (scheduled_ && (feeds_.cut_reached() || all_over)) return Progress::More;
  bool ends = all_over && (options_.at_end == RunnerOptions::AtEnd::Finish || stopped_);
  if (ends && options_.at_last == RunnerOptions::AtLast::Tell && !end_is_told_) return Progress::Ending;
  if ((filled == Feeds::Filled::SomeEnded || ended_before || all_over) && !leaves_end()) finish_input();
  if (!error_.message.empty()) return Progress::Failed;
  return finished_ ? Progress::Done : Progress::Idle;
}

// All shards over rows of a batch, at once.
bool Runner::run_once(size_t index, const MutCursor& cursor) {
  Stretch once{index, std::vector<MutCursor>(fleet_.size(), cursor)};
  return run_shards(once) != Fleet::Runs::Failed;
}

// What the ledger has to find (fail points): an event is left out, comes twice, or is run half by the old
// version and half by the next. Moves the cursor past what it has run. Nothing without fail points.
bool Runner::sabotage(size_t index, MutCursor& cursor) {
  env::FailPoints& points = env_.fail_points();
  const Feed& feed = feeds_[index];
  auto watermark = [&] { return fleet_.instance(0).watermarks[index]; };
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
    for (const auto& shard : fleet_.shards()) shard->instance().context().literals = which;
  };
  const char* own = fleet_.instance(0).context().literals;
  use(literals.data());
  fine = fine && run_once(index, cursor);
  use(own);
  cursor.row = cursor.row_end;
  cursor.watermark = watermark();
  return fine;
}

// What an edit before left to be converted would be converted at this cut, all of it at once: one that may
// come at any boundary comes when little is left.
bool Runner::awaits_rest() {
  bool may = scheduled_->at.empty() && scheduled_->rest == PreparedSwap::Rest::Awaits;
  if (!may || env_.monotonic_ns() >= rest_until_ns_) return false;
  for (const auto& shard : fleet_.shards()) {
    for (size_t i = 0; i < shard->instance().store_count(); ++i) {
      if (shard->instance().store(i).is_taking()) return true;
    }
  }
  return false;
}

void Runner::schedule(PreparedSwap swap) {
  rest_until_ns_ = env_.monotonic_ns() + rest_wait_ns;
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
  for (const auto& version : swap.next) retire(version->set_kernels({}));
  retire_conversions(swap.migration);
  last_swap_ = std::move(result);
}

// Between two rows: state moves, sinks go over, the old version is gone.
void Runner::exchange() {
  env::Does exchanges(Work::Edit);
  int64_t begin = env_.thread_cpu_ns();
  (void)env_.fail_points().at("swap.cut");
  take_all_output(Merge::ByShard);
  gather_state();
  PreparedSwap swap = std::move(*scheduled_);
  unschedule();
  if (swap.begins) return begin_shadow(std::move(swap));
  if (swap.canary) return begin_canary(std::move(swap));
  if (swap.closes != PreparedSwap::Closes::Nothing) return close_canary(std::move(swap));
  if (canary_) return refuse(std::move(swap), "a canary runs; complete it or end it first");
  const bool adopts = swap.adopts != nullptr;
  if (adopts && (!shadow_ || &shadow_->rows() != swap.adopts.get()))
    return refuse(std::move(swap), "the shadow whose state it was to have does not run");
  if (shadow_) shadow_->rows().settle();
  const Fleet& from = adopts ? shadow_->fleet() : fleet_;
  SwapResult result;
  result.version = swap.version;
  result.cut = feeds_.positions();
  std::vector<ShardMigration> at_cut;
  for (size_t i = 0; i < fleet_.size(); ++i)
    at_cut.push_back({&from.instance(i), swap.next[i].get(), &fleet_.shards()[i]->kept()});
  (void)env_.fail_points().at("swap.migrating");
  Conversion conversion = convert(at_cut, swap.migration);
  if (!conversion.problem.empty()) return refuse(std::move(swap), std::move(conversion.problem));
  (void)env_.fail_points().at("swap.voted");
  MigrationCount moved = migrate(at_cut, swap.migration, conversion);
  result.entries_converted = moved.entries;
  result.cells_converted = moved.cells;
  for (auto& next : swap.next) {
    for (size_t i = 0; adopts && i < next->store_count(); ++i) next->store(i).move_to(fleet_.budget());
  }
  Instances old = fleet_.set_instances(std::move(swap.next));
  fleet_.set_arrival(old[0]->context().arrival);
  fleet_.set_source(same_source(*old[0], plan(), swap.migration));
  // It knows the sources of the version before only.
  if (swap.beside == PreparedSwap::Beside::Ends) end_shadow();
  count_parked();
  version_ = swap.version;
  Status retained = outlets_.retain(plan(), swap.migration.renamed_sinks);
  if (!retained) fail(retained.error());
  for (OutletBinding& sink : swap.new_sinks) {
    Status replaced = outlets_.replace(std::move(sink));
    if (!replaced) fail(replaced.error());
  }
  outlets_.connect(plan());
  Status handed = feeds_.hand_over(readers(), swap.migration.renamed_sources, swap.sources);
  if (!handed) fail(handed.error());
  // What an edit made due fires at the cut, before the next event.
  fleet_.fire_due();
  take_all_output(Merge::ByShard);
  retire(std::move(old), fleet_);
  retire_conversions(swap.migration);
  result.pause_ns = env_.thread_cpu_ns() - begin;
  last_swap_ = std::move(result);
  ++stats_.swaps;
  (void)env_.fail_points().at("swap.committed");
}

uint64_t Runner::parked_entries(const ParkId& id) const {
  uint64_t out = 0;
  for (const auto& shard : fleet_.shards()) {
    auto known = shard->kept().find(id);
    if (known != shard->kept().end()) out += known->second->entry_count();
  }
  return out;
}

void Runner::let_go(const ParkId& id) {
  for (const auto& shard : fleet_.shards()) {
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
    retire(std::move(known->second), bytes, fleet_.shared_budget());
    shard->kept().erase(known);
  }
  count_parked();
}

void Runner::count_parked() {
  size_t bytes = 0;
  for (const auto& shard : fleet_.shards()) {
    for (const auto& [id, store] : shard->kept()) {
      store->count_spare();
      bytes += store->bytes();
    }
  }
  fleet_.budget().set_parked(bytes);
}

void Runner::exchange_kernels(const Kernels& kernels) {
  for (const auto& shard : fleet_.shards()) retire(shard->instance().set_kernels(kernels));
}

Status Runner::flush() { return outlets_.flush(); }

Status Runner::close() { return outlets_.close(); }

}  // namespace mut::runtime
