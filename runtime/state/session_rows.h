// The rows of sessions. One session of each key lies in the first of several tables, the latest of them where
// rows can be moved; what others there are lie in tables behind it, so that rows look like those of other
// windows. Where a session begins and ends stands behind its cells (StoreDesc::session_offset), or in rows of
// their own, of sessions inside of a store of another kind. One thread.
#pragma once
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/state/keyed_table.h"

namespace mut::state {

class SessionRows {
 public:
  // Flags of MutSession::state, above those that kernels know; the number of the session stands above all.
  enum Flag : uint64_t {
    Given = MUT_SESSION_GIVEN,
    Followed = MUT_SESSION_FOLLOWED,
    Changed = 4,      // since the last tick
    AmongOpen = 8,    // has an entry in the queue of open sessions
    AmongGiven = 16,  // in that of those that were given
  };
  // Of one session. Valid until a row is inserted, moved or erased.
  struct Place {
    char* row = nullptr;  // null: there is none
    size_t layer = 0;
  };

  // `desc` outlives it.
  SessionRows(const StoreDesc& desc, uint64_t seed, Budget& budget);

  KeyedTable& newest() const { return *layers_[0].rows; }
  KeyedTable& table(const Place& place) const { return *layers_[place.layer].rows; }
  MutSession& session(const Place& place) const {
    if (!lie_inline()) return session_apart(place);
    return *reinterpret_cast<MutSession*>(place.row + desc_.session_offset);
  }
  uint64_t number(const Place& place) const { return session(place).state >> number_shift; }
  static uint64_t hash(const Place& place) {
    uint64_t out;
    memcpy(&out, place.row, sizeof(out));
    return out;
  }
  bool lie_inline() const { return desc_.session_offset != 0; }
  uint64_t count() const;
  // All of them as bytes; the other way into what has none.
  void save(Saver& to) const;
  void load(Loader& from);

  // Appends the sessions of a key in the order in which they were made.
  void add_of_key(const uint64_t* key, std::vector<Place>& out) const;
  Place find(uint64_t number, uint64_t hash) const {
    size_t layer = layer_of_.empty() ? 0 : layer_of(number);
    auto is_it = [&](char* row) { return this->number({row, layer}) == number; };
    return {layers_[layer].rows->find_hashed(hash, is_it), layer};
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (size_t layer = 0; layer < layers_.size(); ++layer)
      layers_[layer].rows->for_each([&](char* row) { visit(Place{row, layer}); });
  }

  // A session of one event, with empty cells; no row when the budget is spent.
  Place insert(const uint64_t* key, int64_t time);
  // Its cells are freed.
  void erase(const Place& place);
  // A session of which the times have changed: its row goes to the first table when no other of the key is
  // there and it can be moved. Where it lies now.
  Place settle(const Place& place, const uint64_t* key);
  void purge_distinct();

 private:
  MutSession& session_apart(const Place& place) const;
  size_t layer_of(uint64_t number) const;
  static constexpr int number_shift = 5;
  struct Layer {
    std::unique_ptr<KeyedTable> rows;
    std::unique_ptr<KeyedTable> sessions;  // by the same keys; null: they stand in the rows
  };
  struct Above {
    uint64_t number;
    size_t layer;
  };
  void add_layer();
  Place place_in(size_t layer, const uint64_t* key) const;
  // Those of a key that lie above the first table, or null.
  std::vector<Above>* above(const uint64_t* key) const;
  size_t free_layer(const uint64_t* key) const;
  // Puts a session into a table above the first one: no row when the budget is spent.
  Place insert_above(const uint64_t* key, uint64_t number);
  void forget_above(const uint64_t* key, uint64_t number);
  // Takes the row of the first table to one above it; false: the budget is spent.
  bool raise(const Place& first, const uint64_t* key);
  void move_values(const Place& from, const Place& to) const;
  void mark_followed(const uint64_t* key) const;
  void begin(const Place& place, int64_t time, uint64_t number) const;

  const StoreDesc& desc_;
  uint64_t seed_;
  Budget& budget_;
  bool moves_;  // nothing of a row but its key lies elsewhere
  StoreDesc key_desc_;
  StoreDesc session_desc_;
  std::vector<Layer> layers_;
  KeyedTable keys_;  // those with sessions above the first table → their number
  std::unordered_map<uint64_t, std::vector<Above>> above_;
  std::unordered_map<uint64_t, size_t> layer_of_;  // by number of a session above the first table
  uint64_t next_key_ = 0;
  uint64_t next_number_ = 0;
};

}  // namespace mut::state
