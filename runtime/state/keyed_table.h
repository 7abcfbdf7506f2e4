// A table of rows by key, in segments of at most 64 KiB: growth splits one segment, never all.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "runtime/abi/kernel.h"
#include "runtime/inline/tags.h"
#include "runtime/state/backlog.h"
#include "runtime/state/heap.h"
#include "runtime/state/row_memory.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

// The time of the newest event of a row that has none.
constexpr int64_t no_event_yet = std::numeric_limits<int64_t>::min();

class KeyedTable {
 public:
  // `desc` is shared by all tables of a store and outlives them.
  KeyedTable(const StoreDesc& desc, uint32_t row_size, uint32_t key_words, uint64_t text_mask, uint64_t seed,
             Budget& budget);
  KeyedTable(const StoreDesc& desc, uint64_t seed, Budget& budget)
      : KeyedTable(desc, desc.row_size, desc.key_words, desc.text_mask, seed, budget) {}
  ~KeyedTable();
  KeyedTable(const KeyedTable&) = delete;
  KeyedTable& operator=(const KeyedTable&) = delete;

  // Becomes a copy of a table of the same layout that has no distinct values; was empty.
  void copy_from(const KeyedTable& other);

  // All of it as bytes, when nothing is to be taken over; the other way into an empty one of the same layout.
  // Counts in the budget, whatever its limit.
  void save(Saver& to) const;
  void load(Loader& from);

  // What kernels get. Stable address.
  MutTable* view() { return &view_; }
  Heap& heap() { return heap_; }
  const StoreDesc& desc() const { return desc_; }
  uint64_t row_count() const { return row_count_; }

  char* find(const uint64_t* key) const;
  // The row of that hash that `is_it(row)` accepts, or null.
  template <typename IsIt>
  char* find_hashed(uint64_t hash, IsIt is_it) const {
    const MutSegment& segment = *segment_of(hash);
    const uint8_t* tags = tags_of(segment);
    auto group = static_cast<uint32_t>(inl::home_group(hash, group_count(segment)));
    while (true) {
      const uint8_t* of = tags + group * inl::group_slots;
      for (uint32_t same = inl::tags_equal(of, inl::tag_of(hash)); same != 0; same &= same - 1) {
        uint32_t slot = group * inl::group_slots + static_cast<uint32_t>(__builtin_ctz(same));
        char* row = segment.rows + slot * view_.row_size;
        if (is_it(row)) return row;
      }
      if (inl::tags_equal(of, inl::tag_free) != 0) return nullptr;
      if (++group == group_count(segment)) group = 0;
    }
  }
  // Null when the budget is spent.
  char* find_or_insert(const uint64_t* key);
  // The same where the hash is at hand: that of the key in a table of the same seed and key words.
  char* find(const uint64_t* key, uint64_t hash) const;
  char* find_or_insert(const uint64_t* key, uint64_t hash);
  // `key` is not in the table. Texts of the key are copied. Null when the budget is spent.
  char* insert(const uint64_t* key, uint64_t hash);

  // So many rows are to be expected in the table, which is empty: it need not grow one step after the other.
  // At most a segment, and nothing where the budget has no room.
  void make_room(uint64_t rows);

  // From now on the table has the rows of `before` too, whose keys have the same words: each is made when its
  // key is inserted, or by take_piece(). What visits all rows has to wait until nothing is left. Was empty;
  // `before` does not change meanwhile.
  void take_over(const KeyedTable& before, TakeOver fill);
  // Rows of the older table that are not here yet.
  uint64_t left() const { return backlog_ ? backlog_->left() : 0; }
  // So many of those, while any are left. How many.
  uint64_t take_piece(uint64_t rows);
  void take_rest() { take_piece(std::numeric_limits<uint64_t>::max()); }
  // As find(), for a row that may not be here yet.
  char* find_or_take(const uint64_t* key);
  // Where a row of it lies, until the table changes.
  RowPlace place_of(const char* row) const;
  // As insert(), without a look at what is to be taken over, and beyond the budget.
  char* make_row_regardless(const uint64_t* key);
  uint32_t key_words() const { return key_words_; }

  // Frees the key's texts; those of cells are the caller's. Moves other rows.
  void erase(char* row);
  // A key with texts as MutStr, from a row; `out` has key_words words.
  void load_key(const char* row, uint64_t* out) const;

  // Visits all rows; `visit(char* row)` must not insert or erase.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& segment : segments_) for_rows(*segment, visit);
  }
  // Rows of the segment that a budgeted walk is at, for expiry a piece at a time.
  template <typename Visit>
  void for_segment(size_t index, Visit visit) const {
    if (!segments_.empty()) for_rows(*segments_[index % segments_.size()], visit);
  }
  // The keys of those of its rows that `chosen` picks: erasing moves rows. Texts live as long as their row.
  template <typename Chosen>
  std::vector<std::vector<uint64_t>> keys_of_segment(size_t index, Chosen chosen) const {
    std::vector<std::vector<uint64_t>> out;
    for_segment(index, [&](const char* row) {
      if (chosen(row)) load_key(row, out.emplace_back(key_words_ + 1).data());
    });
    return out;
  }
  // A kernel inserts: from so many rows on it finds them by the key itself, until most are not found so.
  void consider_recent();
  void stop_recent();
  // How many segments expiry is to look at now: two rows for each that was asked for since the last time, so
  // that what can go is found before the table has doubled because of it, one for each that was changed, and
  // some for none, so that what is idle is looked through too. A large segment takes several calls.
  size_t take_sweep(uint64_t changed_rows = 0);
  size_t segment_count() const { return segments_.size(); }
  uint32_t slot_count(size_t segment) const { return segments_[segment]->slot_count; }

  // Values seen by a Distinct cell: rows keyed by (group number, value). Made at first use.
  KeyedTable& distinct_values(uint32_t cell_index);
  // Counts a value of a group once; true when it was new. `value` has the words of the cell's kind.
  bool add_distinct(char* row, uint32_t cell_index, const uint64_t* value);
  bool has_distinct(const char* row, uint32_t cell_index, const uint64_t* value) const;
  // A group is over: nobody asks for its number again. Its values go with those of others, a segment at a
  // time.
  void erase_distinct(uint64_t group);
  // The values of all groups that are over go now.
  void purge_distinct();
  uint64_t next_group() { return ++group_; }

 private:
  // Takes segments, heap and numbers of an empty table away.
  void clear_for_load();
  template <typename Visit>
  void for_rows(const MutSegment& segment, Visit visit) const {
    const uint8_t* tags = tags_of(segment);
    for (uint32_t group = 0; group < group_count(segment); ++group) {
      for (uint32_t taken = inl::tags_taken(tags + group * inl::group_slots); taken != 0;
           taken &= taken - 1) {
        uint32_t slot = group * inl::group_slots + static_cast<uint32_t>(__builtin_ctz(taken));
        visit(segment.rows + slot * view_.row_size);
      }
    }
  }
  static uint32_t group_count(const MutSegment& segment) {
    return (segment.slot_count + inl::group_slots - 1) / inl::group_slots;
  }
  uint8_t* tags_of(const MutSegment& segment) const {
    return reinterpret_cast<uint8_t*>(segment.rows + segment.slot_count * view_.row_size);
  }
  size_t bytes_of(const MutSegment& segment) const {
    return segment.slot_count * view_.row_size + group_count(segment) * inl::group_slots;
  }
  MutSegment* segment_of(uint64_t hash) const { return directory_[hash >> view_.directory_shift]; }
  // Entries [first, first + count) of the directory name this segment from now on.
  void point(size_t first, size_t count, MutSegment& segment);
  std::unique_ptr<MutSegment> make_segment(uint32_t slot_count, uint32_t depth);
  void free_rows(MutSegment& segment);
  // Takes the first free slot for a hash; the segment has one. The row is not cleared.
  char* place(MutSegment& segment, uint64_t hash);
  // A row behind a full group that was turned away by it, or by one before it; no slot: none.
  uint32_t turned_away(const MutSegment& segment, uint32_t group) const;
  // Takes the rows whose next bit of the hash is set into a segment of their own.
  std::unique_ptr<MutSegment> split(MutSegment& low);
  void sweep_distinct();
  enum class Room : uint8_t { OfBudget, Regardless };
  char* make_row(const uint64_t* key, uint64_t hash, Room room);  // null when the budget is spent
  bool grow(uint64_t hash, Room room);                            // false then
  // Rows found ahead of their events, and those used last, lie elsewhere now, or nowhere.
  void rows_moved();
  // One of them does.
  void row_moves(const char* row);
  void forget_emptied();
  void look_ahead();  // from now on, when the table is large enough

  const StoreDesc& desc_;
  uint32_t key_words_;
  uint64_t text_mask_;
  uint32_t slots_max_;
  MutTable view_{};
  Budget& budget_;
  Heap heap_;
  RowMemory memory_{budget_};  // of full segments, once there are many
  std::vector<std::unique_ptr<MutSegment>> segments_;
  std::vector<MutSegment*> directory_;
  std::vector<MutPlace> places_;                       // the same, as kernels read it
  std::vector<std::unique_ptr<KeyedTable>> distinct_;  // by cell, null where not Distinct
  std::unordered_set<uint64_t> going_;  // groups whose values the pass that is under way erases
  std::unordered_set<uint64_t> gone_;   // those of the next
  size_t swept_segments_ = 0;           // of the pass
  std::unique_ptr<MutAhead> ahead_;     // of a large table
  std::unique_ptr<MutRecent> recent_;   // of one with keys of one number, while look-ups by them are used
  bool recent_is_over_ = false;
  std::unique_ptr<Backlog> backlog_;  // null: nothing is to be taken over
  uint64_t row_count_ = 0;
  uint64_t asked_rows_ = 0;  // since take_sweep(): new keys, whether there was room or not
  uint64_t to_sweep_ = 0;    // rows that it has not given a segment for yet
  uint64_t group_ = 0;
  bool has_groups_;  // rows are groups of the description, not values of one
};

}  // namespace mut::state
