// The newest row of each key, and for a while the rows that it replaced.
#pragma once
#include <algorithm>

#include "runtime/state/store.h"

namespace mut::state {

enum class Put : int32_t { NoMemory = -1, Older = 0, Taken = 1 };

class TableStore final : public Store {
 public:
  TableStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return table_.view(); }
  // Frees a piece of what is gone.
  void advance(int64_t watermark) override;
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return row_count_; }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

  // The watermark at the event to come: by it rows outlive their `ttl` and versions their time. The end of
  // the input lets nothing go.
  void observe(int64_t watermark) {
    if (watermark != never) watermark_ = std::max(watermark_, watermark);
  }
  Put put(const uint64_t* key, int64_t time, const char* record);
  // The key of the last put(), as long as its texts are.
  const uint64_t* changed_key() const { return changed_key_.data(); }
  // The newest row not later than `as_of`, as a record in memory layout: of `arena` when it holds texts or
  // lists, else valid until the next put(). Null when there is none.
  const char* find(const uint64_t* key, int64_t as_of, batch::Arena& arena) const;

 private:
  template <typename Io, typename Self>
  static void pass(Io& io, Self& self);
  // In a row of the table: a ring of versions, oldest first.
  struct Versions {
    uint64_t offset;
    uint32_t capacity;  // a power of two; 0: no memory yet
    uint32_t head;
    uint32_t count;
    uint32_t unused;
  };
  struct Version {
    int64_t time;
    uint64_t arrival;  // among the rows of all keys: of two that get one key by an edit the later one counts
    uint64_t piece;    // packed record
    uint64_t bytes;
  };
  Versions load(const char* row) const;
  void save(char* row, const Versions& versions) const;
  Version* at(const Versions& versions, uint32_t index) const;
  Heap& table_heap() const { return const_cast<KeyedTable&>(table_).heap(); }
  void drop_oldest(Versions& versions);
  // Whether a row of that time has outlived its `ttl`.
  bool is_gone(int64_t time) const;
  // Whether a version that was replaced at that time is kept no more.
  bool is_over(int64_t replaced) const;
  // Adds behind what is not later.
  bool add(char* row, int64_t time, uint64_t arrival, const char* record);
  // Whether a row of that time is the newest of a key with these, of which there may be none.
  bool is_newest(const Versions& versions, int64_t time) const;
  void rekey(const TableStore& old);
  void erase(char* row);
  void let_go(const TableStore& old);

  Budget& budget_;
  KeyedTable table_;
  bool has_references_;
  uint64_t row_count_ = 0;
  uint64_t arrivals_ = 0;
  int64_t watermark_ = std::numeric_limits<int64_t>::min();
  // What an earlier version of the program had let go stays gone: rows before the one time, versions that
  // were replaced up to the other.
  int64_t gone_before_ = std::numeric_limits<int64_t>::min();
  int64_t over_upto_ = std::numeric_limits<int64_t>::min();
  size_t sweep_ = 0;
  std::vector<uint64_t> changed_key_;
};

}  // namespace mut::state
