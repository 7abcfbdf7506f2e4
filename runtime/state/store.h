// What the runtime needs of every store, whatever it keeps.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/state/results.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

class Loader;
class Saver;

constexpr int64_t never = std::numeric_limits<int64_t>::max();

// Which of the entries a shard has: those whose key says so.
struct Share {
  uint32_t shard = 0;
  uint32_t shards = 1;
  uint64_t seed = 0;
  int key = -1;        // index into StoreDesc::keys
  uint32_t count = 1;  // those of so many shards from that one on
};

class KeyedTable;

// How keys of an old store become those of a new one, where that is more than another order, and what else is
// made of its entries.
class KeyChange {
 public:
  virtual ~KeyChange() = default;
  // Of a store with a row for each key: the row whose key is asked for next, and what became of it, a row
  // that has all that goes over as it is.
  virtual void begin_row(const KeyedTable& old, const char* row) = 0;
  virtual void end_row(KeyedTable& next, char* row) = 0;
  // `key` has room for the words of both. Of an entry that cannot go over any words will do: nothing of the
  // new store is used then. Texts live as long as this.
  virtual void apply(const StoreDesc& old, const StoreDesc& next, uint64_t* key) = 0;
};

// How keys are made anew of the rows that a store keeps whole.
class RowKeys {
 public:
  enum class Made : uint8_t {
    Key,      // `key` has the words
    Nothing,  // the row equals no other by it; `key` has words that no event has
    Failed,   // it cannot be made, which is remembered: nothing of the new store is used then
  };
  virtual ~RowKeys() = default;
  // `side`: the cell that keeps the row. `row`: as the new store keeps it, in memory layout. `key`: as it
  // was, with room for the words of both. Texts live as long as the row, the old key and until the next call.
  virtual Made apply(const StoreDesc& old, const StoreDesc& next, size_t side, const char* row,
                     uint64_t* key) = 0;
  // Remembers a row of the old store that cannot go over, and why.
  virtual void refuse(const abi::TypeDesc& record, const char* row, const std::string& why) = 0;
};

// Why a conversion has no room for an entry: both stores are there while it is made.
constexpr const char* no_memory = "the state budget has no room for both versions of it";

// An entry of an old store that the new one cannot take.
struct Misfit {
  std::vector<uint64_t> key;  // as ours; its texts are those of the old store
  std::string what;
};

// One piece of state of a stage. Owned by a version; one thread.
class Store {
 public:
  explicit Store(StoreDesc desc) : desc_(std::move(desc)) {}
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const StoreDesc& desc() const { return desc_; }
  StoreDesc& desc() { return desc_; }
  // What kernels find in MutContext::stores.
  virtual void* view() = 0;
  // When the next thing fires, in event time, or earlier: then fire() appends nothing. `never`: nothing
  // waits.
  virtual int64_t due() const { return never; }
  // When what changed is told next (`trigger every`); `never`: nothing has changed.
  virtual int64_t tick() const { return never; }
  // Another shard tells then, of the same stage: as this one does if it has not planned it earlier.
  virtual void note_tick(int64_t tick) { (void)tick; }
  // Appends what fires at due(), in order, and forgets it at the next release().
  virtual void fire(ResultRows&) {}
  // The rows of fire() are not needed any more.
  virtual void release() {}
  // Nothing older than this will come in time: closes what ends by then. Called after firing.
  virtual void advance(int64_t watermark) { (void)watermark; }
  // No event comes any more; timers still fire.
  virtual void end_input() {}
  // End of input: appends what has no time of its own (`window all`).
  virtual void finish(ResultRows&) {}

  virtual uint64_t entry_count() const = 0;
  // Starts of a pattern that a bound let go.
  // What only saves time is counted as about to go, so that no event is refused for it. From now on it counts
  // like the rest: the store moves, or goes as a whole.
  virtual void count_spare() {}
  virtual uint64_t let_go_count() const { return 0; }
  // The stage that it counts for.
  virtual const std::string& let_go_path() const { return desc_.path; }
  // Another store tells of them.
  virtual void forget_let_go() {}
  // Of what it allocated; 0 for a store that counts in the budget of others.
  size_t bytes() const { return bytes_ ? bytes_->used() : 0; }
  void count_in(std::unique_ptr<Budget> bytes) { bytes_ = std::move(bytes); }
  void move_to(Budget& engine) {
    count_spare();
    if (bytes_) bytes_->move_to(engine);
  }
  uint64_t late_count() const { return late_; }
  void set_late_count(uint64_t count) { late_ = count; }

  // All of it as bytes, between two events and when nothing is left to be taken over; the other way into an
  // empty store of the same description. See save_store() and load_store().
  virtual void save(Saver& to) const = 0;
  virtual void load(Loader& from) = 0;
  // What every store has beside.
  void save_common(Saver& to) const;
  void load_common(Loader& from);

  // Copies the state of `old` entry by entry. `cells[i]` is the index of the cell in `old` that cell i
  // continues, or -1: it starts empty. Keys have the same words. `watermark`: of the stage, at the cut.
  virtual void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) = 0;
  // Whether it can become the next version of `old` a piece at a time: no entry can fail, and none
  // becomes another's. `cells` as for convert_from().
  virtual bool can_take_over(const Store& old, const std::vector<int>& cells) const {
    (void)old, (void)cells;
    return false;
  }
  // About what that takes; and whether the budget has so much.
  size_t bytes_to_take(const Store& old) const;
  bool budget_fits(size_t bytes) const { return !bytes_ || bytes_->fits(bytes); }
  // In place of convert_from(): `old`, which nobody changes any more, stays as it is; entries are converted
  // when their keys come, and by take_piece(). Only stores that can_take_over() can. `change`: null, or what
  // makes of each entry what does not go over as it is; only stores of groups know it.
  virtual void take_over(std::shared_ptr<Store> old, const std::vector<int>& cells, int64_t watermark,
                         std::shared_ptr<KeyChange> change);
  // Converts about so many entries of those that wait.
  virtual void take_piece(uint64_t entries) { (void)entries; }
  virtual uint64_t left_to_take() const { return 0; }
  void take_rest() {
    while (left_to_take() > 0) take_piece(std::numeric_limits<uint64_t>::max());
  }
  // Whether there is a store that it took over, and whose memory is to be given back when nothing is left.
  bool is_taking() const { return before_ != nullptr; }
  bool takes_from(const Store& store) const { return before_.get() == &store; }
  // That store; null while something is left. Its memory counts in the budget until it dies.
  std::shared_ptr<Store> take_emptied() { return left_to_take() == 0 ? std::move(before_) : nullptr; }
  // What changed its entries; null: nothing did, or something is left. Has code, which takes time to unlink.
  std::shared_ptr<KeyChange> take_idle_change() { return left_to_take() == 0 ? std::move(change_) : nullptr; }
  // Takes the rules of another description of the same entries: a longer history, other windows. `cells` as
  // for convert_from(). Costs nothing per entry. Only rings, panes and joins can.
  virtual void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark);
  // A copy of everything, block by block. Only rings can.
  virtual std::unique_ptr<Store> branch() const;
  // Adds the state of a further old store: rings that of one which saw the same events, groups that of one
  // which saw others. After either.
  virtual void join_from(const Store& old, const std::vector<int>& cells, int64_t watermark);
  // Cells that are empty take what `parked` held of them when an edit dropped them, for keys, windows and
  // samples that are here still; `cells` as for convert_from(). Only stores that can_return() can.
  virtual void return_from(const Store& parked, const std::vector<int>& cells);
  // Before either: for each of our keys its place among the keys of the old store; empty: the same.
  void set_key_places(std::vector<int> places) { key_places_ = std::move(places); }
  // Before convert_from(), of a store that moves_between_shards(): it takes the entries of that shard alone,
  // and can be called again for the stores of other shards.
  void set_share(std::optional<Share> share) { share_ = share; }
  // Of a conversion: the first entry that could not be taken. Then nothing of this store is used.
  const std::optional<Misfit>& misfit() const { return misfit_; }
  // In place of key places, for the conversions that follow; null: none. Not owned.
  void set_key_change(KeyChange* change) { key_change_ = change; }
  // The same of a store that keeps rows whole.
  void set_row_keys(RowKeys* keys) { row_keys_ = keys; }

 protected:
  // Words of a key of ours or of the old store's, and one to spare.
  size_t key_room(const StoreDesc& old) const { return std::max(desc_.key_words, old.key_words) + size_t{1}; }
  // `what`: why it cannot be taken; empty: it can.
  void note(const uint64_t* key, std::string what) {
    if (!what.empty() && !misfit_) misfit_ = {{key, key + desc_.key_words}, std::move(what)};
  }
  // Puts the words of a key of the old store in our order, without those of keys that we have not. `key` has
  // room for the words of both. False: another shard has it.
  bool place_key(const StoreDesc& old, uint64_t* key) const;

  std::unique_ptr<Budget> bytes_;  // before all that counts in it
  StoreDesc desc_;
  uint64_t late_ = 0;
  std::shared_ptr<Store> before_;      // that is taken over
  std::shared_ptr<KeyChange> change_;  // of its entries
  std::vector<int> key_places_;
  std::optional<Share> share_;
  KeyChange* key_change_ = nullptr;
  RowKeys* row_keys_ = nullptr;
  std::optional<Misfit> misfit_;
};

// Whether its entries can be dealt out anew when an edit spreads its stage by another key. What numbers
// events as they arrive cannot: the numbers of two shards say nothing of each other.
bool moves_between_shards(const StoreDesc& desc);

std::unique_ptr<Store> make_store(StoreDesc desc, uint64_t seed, Budget& budget);
// The same of windows of time inside of another store, which count in its budget.
std::unique_ptr<Store> make_windows(StoreDesc desc, uint64_t seed, Budget& budget);

// Whether a key of a store of `old` is one of `next` word by word.
bool has_same_key_words(const StoreDesc& old, const StoreDesc& next);

// Whether every entry of a table of `old` can be one of a table of `next` under the same words of its key,
// and each by itself.
bool converts_apart(const StoreDesc& old, const StoreDesc& next, const std::vector<int>& cells);

// Copies the cells of one row into another; the target's cells are empty. Distinct values follow. Says which
// value does not fit its new type.
std::string convert_row(const KeyedTable& from, const char* old_row, KeyedTable& to, char* new_row,
                        const std::vector<int>& cells);

}  // namespace mut::state
