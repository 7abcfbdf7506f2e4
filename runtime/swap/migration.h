// What an exchange of versions does to state: data, made by the comparison of two plans.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace mut::runtime {

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
  std::vector<int> keys;   // by key of the new store: key of the old one; empty: in the same order
};

struct StoreMigration : StorePart {
  StoreTransfer transfer = StoreTransfer::Fresh;
  std::vector<StorePart> joined;  // Retune, Branch, Convert: further old stores of the stage; histories only
};

struct Migration {
  std::vector<StoreMigration> stores;  // by new store
  std::vector<int> params;             // by new param: old one whose value stays, or -1
  std::vector<std::pair<std::string, std::string>> renamed_sources;  // old, new
  std::vector<std::pair<std::string, std::string>> renamed_sinks;
};

class Instance;

struct MigrationCount {
  uint64_t entries = 0;
  uint64_t cells = 0;
};

// Moves and converts the state of `old` into `next`, whose stores are empty. Cannot fail.
MigrationCount migrate(Instance& old, Instance& next, const Migration& migration);

}  // namespace mut::runtime
