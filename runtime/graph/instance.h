// One version of a program on one shard: its context, stores and pending rows.
#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "runtime/batch/batch.h"
#include "runtime/codec/encoder.h"
#include "runtime/graph/error_log.h"
#include "runtime/graph/plan.h"
#include "runtime/state/store.h"

namespace mut::runtime {

constexpr int64_t no_watermark = std::numeric_limits<int64_t>::min();

// `never` and `no_watermark` stay what they are.
int64_t later(int64_t time, int64_t delay);
int64_t earlier(int64_t time, int64_t delay);

// Which shard it is, of how many. `seed`: of the hashes of keys, the same for all.
struct ShardPlace {
  uint32_t shard = 0;
  uint32_t shards = 1;
  uint64_t seed = 0;
};

// Rows that wait in the sinks of an instance before they are taken.
constexpr uint64_t output_rows_usual = 4096;
// And bytes that they, and what led to them, may have taken when variables of the script are read.
constexpr uint64_t arena_bytes_usual = 16 * 1024 * 1024;

class Instance {
 public:
  // Stores are made empty. `log` outlives the instance.
  Instance(std::shared_ptr<const Plan> plan, Kernels kernels, const ShardPlace& place, state::Budget& budget,
           ErrorLog& log);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Plan& plan() const { return *plan_; }
  std::shared_ptr<const Plan> shared_plan() const { return plan_; }
  MutContext& context() { return context_; }
  // In the layout of Plan::param_record.
  const char* params() const { return params_.data(); }
  const Kernels& kernels() const { return kernels_; }
  // The same plan with other machine code: a tier. Gives back what it ran on.
  Kernels set_kernels(Kernels kernels) {
    Kernels before = std::exchange(kernels_, std::move(kernels));
    for (size_t i = 0; i < stores_.size(); ++i) bind_condition(i);
    return before;
  }
  state::Store& store(size_t index) { return *stores_[index]; }
  const state::Store& store(size_t index) const { return *stores_[index]; }
  std::shared_ptr<state::Store>& store_slot(size_t index);
  void refresh_store(size_t index) {
    views_[index] = stores_[index]->view();
    bind_condition(index);
  }
  size_t store_count() const { return stores_.size(); }
  // Of the stores that nothing else needs.
  size_t own_bytes() const;
  std::span<const MutSink> sinks() const { return sinks_; }
  bool has_output() const { return context_.output_rows > 0; }
  // What stages that choose have let go, by site.
  std::vector<uint64_t>& dropped();
  // Kernels ask who is to have an event. Those that are not let it go unseen: see dropped().
  const ReaderIndex& ask_readers(size_t index) {
    ++asked_[index];
    return plan_->reader_indexes[index];
  }
  batch::Arena& arena() { return arena_; }

  // Of the row being run, for errors; set before a kernel is called.
  const MutBatch* batch = nullptr;
  // By source, then by `window all`: `never` once it has given its rows. By bit of a mask.
  std::vector<int64_t> watermarks;
  // Sources that have been silent for longer than they may: they hold nothing back. By bit.
  uint64_t idle = 0;
  int64_t watermark_of(const Clock& clock) const;
  // A source is not idle any more: its watermark goes up to where it does not take back what stages have
  // seen.
  void wake(size_t source);
  // Where it would go up to.
  int64_t woken(size_t source) const;
  // Whether a source above has not ended: at its end nothing is forgotten any more, also where a `window all`
  // has still to give its rows.
  bool is_read(const Clock& clock) const;
  // The same at the event that a kernel is processing: what is open, held or late is judged by it. While
  // something fires, no source is further than right before it became due.
  int64_t now(const Clock& clock) const;
  // A store has something that fires at `due`: the kernel that runs returns in time.
  void wait_for(size_t store, int64_t due);
  // What follows is caused by what is due first in that store; until fired().
  void firing(size_t store);
  void fired() { firing_limits_.clear(); }
  // From here on timers that timers set do not fire.
  void let_timers_go() { timers_go_ = true; }
  bool timers_go() const { return timers_go_; }
  // Events of that source have seen that watermark.
  void reach(size_t source, int64_t watermark) { reached_[source] = std::max(reached_[source], watermark); }
  // All that the watermarks bring about has fired.
  void reach_all() {
    for (size_t i = 0; i < watermarks.size(); ++i) reach(i, watermarks[i]);
  }
  void set_param(size_t index, const void* value);

  // Rows were taken out of the sinks: empties them and the arena.
  void clear_output();
  void grow_sink(size_t index);

  // A value waits to become a param at a tick of the watermark.
  struct PendingSet {
    bool waits = false;
    int64_t time = no_watermark;  // of the newest value, also of one that took effect
    int64_t tick = state::never;
    std::vector<char> value;
    std::string text;
  };
  std::vector<PendingSet>& pending_sets() { return pending_sets_; }
  // False where the value is outside of the range of the param.
  bool propose_param(size_t set, const void* value, int64_t time);
  void apply_set(size_t set);
  // At an exchange: what waits for the same param goes on waiting.
  void take_pending_set(size_t set, const Instance& old, size_t old_set);

  // All but the stores as bytes, between two events; the other way into a version of the same plan.
  void save(state::Saver& to);
  void load(state::Loader& from);

  // Called by kernels.
  void fail(size_t site, int32_t error, uint64_t position, const void* record, const abi::TypeDesc* type,
            MutErrorEvent* out);
  void undecodable(size_t site, const MutBatch& of, uint32_t row, MutErrorEvent* out);

  ErrorLog& error_log() { return log_; }

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  // The least over a clock's bits of what `watermark_at` says of one. Idle ones count where no other is left.
  template <typename At>
  int64_t least_of(const Clock& clock, At watermark_at) const;
  // Gives a store of patterns the code that it asks.
  void bind_condition(size_t index);
  void describe_event(size_t site, MutErrorEvent* out, ErrorRecord record, std::string_view raw,
                      bool has_raw);

  std::shared_ptr<const Plan> plan_;
  Kernels kernels_;
  ErrorLog& log_;
  MutContext context_{};
  std::vector<std::shared_ptr<state::Store>> stores_;  // shared with what takes them over
  std::vector<void*> views_;
  std::vector<MutSink> sinks_;
  std::vector<std::vector<char>> sink_memory_;
  std::vector<uint64_t> dropped_;
  std::vector<uint64_t> asked_;  // by Plan::reader_indexes: events that dropped_ of its readers has not yet
  std::vector<uint64_t> seeds_;
  std::vector<char> params_;
  std::vector<std::string> param_texts_;
  batch::Arena arena_;
  std::vector<PendingSet> pending_sets_;
  bool timers_go_ = false;
  std::vector<int64_t> firing_limits_;                     // of watermarks, while something fires
  std::vector<int64_t> reached_;                           // what of the watermarks has been seen so far
  std::vector<std::unique_ptr<codec::Encoder>> encoders_;  // by site, made at first use
};

}  // namespace mut::runtime
