// Count windows that overlap, each with a row of its own in a second table: an event is added to all that are
// open.
#pragma once
#include "runtime/state/sliding_counts.h"

namespace mut::state {

class ApartCountStore final : public SlidingCountStore {
 public:
  ApartCountStore(StoreDesc desc, uint64_t seed, Budget& budget);
  // Before an event: room for the rows that it needs. To how many it is to be added besides that of its key;
  // 0: the budget is spent, and nothing has changed.
  uint32_t prepare(const uint64_t* key);
  bool has_room(const uint64_t* key, uint64_t text_bytes) override;
  // The row of one of the windows of the event prepared for.
  char* window(uint32_t index) { return part(open_id_, open_first_ + index); }
  MutTable* windows() { return parts_.view(); }
  void save(Saver& to) const override;
  void load(Loader& from) override;
  uint64_t entry_count() const override { return table_.row_count() + parts_.row_count(); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

 private:
  void take(char* row, int64_t time, ResultRows& out) override;
  void give_rest(const char* row, ResultRows& out) override;
  void free_values(char* row) override;
  // Of a key among the parts; 0: none yet.
  uint64_t id_of(const char* row) const;
  void keep_id(char* row, uint64_t id) const;
  // Null when the budget is spent, and when there is none.
  char* make_part(uint64_t id, uint64_t number);
  char* part(uint64_t id, uint64_t number) const;
  void drop_part(uint64_t id, uint64_t number);
  // Numbers of the parts that a key may have, the next event's too.
  std::vector<uint64_t> parts_of(const char* row) const;
  void give_part(const char* row, const char* part, ResultRows& out) const;
  // Windows that hold the event of that index, from 0 on: the i-th ends with event i * every.
  uint64_t first_of(int64_t event) const { return static_cast<uint64_t>(event / desc_.every) + 1; }
  uint64_t last_of(int64_t event) const { return static_cast<uint64_t>((event + desc_.size) / desc_.every); }

  StoreDesc part_desc_;  // (id, number) → cells · Extent
  KeyedTable parts_;
  uint64_t last_id_ = 0;
  uint64_t open_id_ = 0;
  uint64_t open_first_ = 0;
  uint32_t open_count_ = 0;
};

}  // namespace mut::state
