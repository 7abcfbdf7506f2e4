// What an exchange of versions does to state: data, made by the comparison of two plans.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mut::state {
class Store;
}

namespace mut::runtime {

class Instance;
struct Plan;
struct KeyConversion;

enum class StoreTransfer : uint8_t {
  Fresh,    // starts empty
  Move,     // same layout and rules: the store goes over as it is
  Retune,   // same layout of entries, other rules: it goes over and takes those
  Branch,   // as Retune, but a copy: the old store goes to others too
  Convert,  // entry by entry
};

// What an old store gives to a new one.
struct StorePart {
  int old_store = -1;
  std::vector<int> cells;  // by cell of the new store: cell of the old one, or -1
  // By key of the new store: key of the old one, or -1 where a conversion makes it; empty: in the same order.
  std::vector<int> keys;
  int conversion = -1;  // of Migration::conversions; -1: none
};

// A store that an edit dropped cells of, kept for an undo: by the version that did, and its number before.
struct ParkId {
  uint64_t version = 0;
  int store = -1;
  friend auto operator<=>(const ParkId&, const ParkId&) = default;
};
// Cells of a parked store that come back.
struct ReturnPart {
  ParkId parked;
  std::vector<int> cells;  // by cell of the new store: cell of the parked one, or -1
};

struct StoreMigration : StorePart {
  StoreTransfer transfer = StoreTransfer::Fresh;
  std::vector<StorePart>
      joined;  // Retune, Branch, Convert: further old stores; of histories and of groups only
  // After that. Into a fresh store the first one is converted, or moves where it fits as a whole.
  std::vector<ReturnPart> returned;
  bool returns_whole = false;
};

struct Migration {
  std::vector<StoreMigration> stores;  // by new store
  std::vector<int> params;             // by new param: old one whose value stays, or -1
  std::vector<std::pair<std::string, std::string>> renamed_sources;  // old, new
  std::vector<std::pair<std::string, std::string>> renamed_sinks;
  std::vector<std::shared_ptr<const KeyConversion>> conversions;
  std::vector<ParkId> parks;  // old stores that are kept, unless they are empty; they go nowhere else whole
  // Stays: the old version runs on with what it has, so that nothing of it moves, at the cut or behind it;
  // each store is then Fresh or Convert.
  enum class Old : uint8_t { Goes, Stays } old = Old::Goes;
};

// Every entry of every store once more; the version that has them runs on.
Migration copy_of(const Plan& plan);

struct MigrationCount {
  uint64_t entries = 0;
  uint64_t cells = 0;
};

using Parked = std::map<ParkId, std::shared_ptr<state::Store>>;

// A shard at the cut. What comes back is taken from `parked`, and what is to be kept is put there.
struct ShardMigration {
  Instance* old = nullptr;
  Instance* next = nullptr;  // whose stores are empty
  Parked* parked = nullptr;
};

struct Conversion {
  std::string problem;           // why an entry cannot go over; empty: all can
  std::vector<bool> taken_over;  // by new store: its entries are converted behind the cut, a piece at a time
};

// The first part: fills those stores of `next` that are made entry by entry at the cut. `old` stays as it is.
// With a problem `next` is of no use, and `old` runs on.
Conversion convert(const std::vector<ShardMigration>& shards, const Migration& migration);
// The second, which cannot fail: moves what goes over as it is, and what is taken over.
MigrationCount migrate(const std::vector<ShardMigration>& shards, const Migration& migration,
                       const Conversion& conversion);

// Whether entries of the new store `index` are in other shards than those of an old one that it goes on with.
bool changes_shards(const Migration& migration, size_t index, const Plan& old, const Plan& next);

}  // namespace mut::runtime
