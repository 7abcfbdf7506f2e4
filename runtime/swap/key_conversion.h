// Keys of an old store as those of a new one, and variables of a process of its keys and variables: by a
// small program that was compiled with the edit.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/batch/batch.h"
#include "runtime/graph/instance.h"
#include "runtime/state/store.h"

namespace mut::runtime {

// A key as JSON, by the names of the description.
std::string key_text(const state::StoreDesc& of, const uint64_t* key);
// A value of the record as JSON.
std::string as_json(const abi::TypeDescRef& record, const char* value);

// Immutable; one for all shards.
struct KeyConversion {
  // What the program makes keys of: the old ones, or the rows that a store keeps whole (row_conversion.h).
  enum class Of : uint8_t { Keys, Rows } of = Of::Keys;
  // One source, whose records have the field `old`, a record of old keys and variables, and `is_set`, which
  // says of each of `read` whether it has a value. One sink: of the values that are made of it, those of
  // `parts` and then those of `values`. A row that fails gives none.
  std::shared_ptr<const Plan> plan;
  Kernels kernels;
  struct Input {
    enum class From : uint8_t { Key, Variable };
    From from = From::Key;
    int index = -1;  // of the keys, or of the cells of the old store
  };
  std::vector<Input> inputs;  // by field of `old`
  std::vector<int> read;      // by field of `is_set`: of the cells of the old store
  struct Part {
    int old = -1;   // the words of that old key, or …
    int made = -1;  // … the value that the sink has at this place
  };
  std::vector<Part> parts;  // by key of the new store
  struct Value {
    int cell = -1;  // of the new store
    int made = -1;
  };
  std::vector<Value> values;
  bool merges = false;  // several old keys may become one, or none changes
  bool apart = false;   // keys stay, and none can fail: entries may be converted one by one behind the cut
  std::vector<int> sources;  // Rows: by cell of the new store: the source and the sink of its rows, or -1
  std::string path;          // of the stage, for reports
};

// On one thread, for one store. Remembers the first key that cannot go over.
class KeyConverter final : public state::KeyChange {
 public:
  // Regardless: behind the cut, where no entry can be refused any more.
  enum class Room : uint8_t { OfBudget, Regardless };
  // `next`: whose params hold.
  KeyConverter(std::shared_ptr<const KeyConversion> conversion, const Instance& next, Room room);
  ~KeyConverter() override;
  void begin_row(const state::KeyedTable& old, const char* row) override;
  void end_row(state::KeyedTable& next, char* row) override;
  void apply(const state::StoreDesc& old, const state::StoreDesc& next, uint64_t* key) override;
  // Empty: every key went over.
  const std::string& problem() const { return problem_; }

 private:
  // The row that the program makes of a key, or null.
  const char* run(const state::StoreDesc& old, const uint64_t* key);
  void note(const state::StoreDesc& old, const uint64_t* key, const std::string& why);
  void check_alone(const state::StoreDesc& old, const uint64_t* from, const state::StoreDesc& next,
                   const uint64_t* to);

  std::shared_ptr<const KeyConversion> kept_;
  const KeyConversion& conversion_;
  Room room_;
  ErrorLog errors_;
  state::Budget budget_;
  Instance instance_;
  std::vector<char> record_;    // of the source, in memory layout
  const char* made_ = nullptr;  // of the key that was asked for last; null: none
  batch::Arena arena_;          // of the variables of a row
  std::vector<uint64_t> from_;
  std::map<std::string, std::string> taken_;  // key made → of which, where they must not become one
  std::string problem_;
};

}  // namespace mut::runtime
