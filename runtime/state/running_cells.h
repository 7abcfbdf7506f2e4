// Results of cells over the last samples of a key that are carried along: a sample is added when it comes
// into the range and taken out when it leaves it, so that a result costs the same however long the history
// is. Sums and counts are exact, whatever the order; of floats only those which are whole numbers and small
// enough for every sum of them to be exact. The least and the greatest value stand first in a queue of those
// that no later one is better than.
//
// What is carried along can be made anew from the samples at any time, and is when something else than an
// event changes them. Short ranges are not worth it. One thread.
//
// It counts in the budget as about to go: no event is refused for it, and it is forgotten where the budget
// needs the room.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/inline/aggregate.h"
#include "runtime/state/cells.h"

namespace mut::state {

// One cell of one key. Samples are numbered from 0 on; those that have left keep their number.
class RunningCell {
 public:
  static bool can_carry(const CellDesc& cell);

  bool is_valid() const { return valid_; }
  void forget() { *this = {}; }
  uint64_t first() const { return first_; }
  uint64_t end() const { return end_; }
  void begin_at(uint64_t number);
  // Sample end() is next, and counts (`value`) or not (null).
  void add(const CellDesc& cell, const uint64_t* value);
  // Sample first() leaves.
  void remove(const CellDesc& cell, const uint64_t* value);
  // A sample came late and has that number now: those from it on have the next.
  void insert(const CellDesc& cell, uint64_t number, const uint64_t* value);

  // The result with one value more, or without it (null). False: it has to be made of the samples.
  bool result(const CellDesc& cell, const uint64_t* self, const Heap& heap, CellResult& out) const;
  size_t bytes() const { return candidates_.capacity() * sizeof(Candidate); }

 private:
  struct Candidate {
    uint64_t number;
    uint64_t words[2];
  };
  enum class Sign : uint8_t { Plus, Minus };
  void count(const CellDesc& cell, const uint64_t* value, Sign sign);
  void enter(const CellDesc& cell, uint64_t number, const uint64_t* value);

  bool valid_ = false;
  uint64_t first_ = 0;
  uint64_t end_ = 0;
  int64_t counted_ = 0;     // samples that count
  int64_t uneven_ = 0;      // of floats, those that are not carried
  __int128 sum_ = 0;        // of ints, of floats that are whole, of bools that are true
  __int128 magnitude_ = 0;  // of floats that are whole, without their signs
  inl::DecimalSumCell units_{};
  std::vector<Candidate> candidates_;  // those before `best_` have left
  size_t best_ = 0;
};

// Those of the keys of a store, by a number that stands in the row of a key; 0: none.
class RunningCells {
 public:
  explicit RunningCells(Budget& budget) : budget_(budget) {}
  ~RunningCells() { forget(); }
  RunningCells(const RunningCells&) = delete;
  RunningCells& operator=(const RunningCells&) = delete;

  struct OfKey {
    uint64_t left = 0;  // samples that have left: the number of the oldest one
    std::vector<RunningCell> cells;
  };

  // Null: it was forgotten, or there is none.
  OfKey* find(uint32_t number) {
    return number > forgotten_ && number - forgotten_ <= keys_.size() ? &keys_[number - forgotten_ - 1]
                                                                      : nullptr;
  }
  // 0 when the budget is spent.
  uint32_t make(size_t cells);
  void free(uint32_t number);
  // A cell has so many bytes() more now.
  void note_growth(size_t bytes);
  // Forgets all where the budget needs the room, until a part of it is free again.
  void make_way();
  // What is held now is not counted as about to go.
  void count_in_full();
  // All; their numbers mean nothing from now on.
  void forget();
  // Numbers up to that one are not ours.
  void begin_after(uint32_t number) { forgotten_ = number; }
  uint32_t last_number() const { return forgotten_ + static_cast<uint32_t>(keys_.size()); }
  bool empty() const { return keys_.empty(); }

 private:
  static size_t bytes_of(const OfKey& key);
  void note_shrinking(size_t bytes);

  Budget& budget_;
  size_t bytes_ = 0;    // of all that are in use
  size_t leaving_ = 0;  // of these, counted as about to go
  bool was_in_the_way_ = false;
  std::vector<OfKey> keys_;  // those that are free have no cells
  std::vector<uint32_t> free_;
  uint32_t forgotten_ = 0;
};

}  // namespace mut::state
