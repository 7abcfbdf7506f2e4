// How the keys of a stage are made of those that it had, where they are no longer the same words: as
// `migrate` says, by a narrower type, or because the new key can be computed from the old ones. And how
// variables of a `process` are made, as `migrate` says, of its keys and variables.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/change/cells.h"
#include "compiler/change/lineage.h"
#include "compiler/typed/program.h"

namespace mut::change {

// A stage whose keys and variables a `migrate` of the new script may make.
struct MigrateWish {
  std::string stream;  // as the new script names them
  std::string stage;
  std::vector<typed::Field> old;  // its old keys, then its old variables
};
// What it says, checked against both versions.
struct CheckedMigrate {
  // Its one stream that is no source selects the items, over a record with the one field `old`. Null: it does
  // not check, and `problem` says why.
  std::shared_ptr<const typed::Program> program;
  std::string problem;
};
// Nothing: the new script has no `migrate` of that stage, or only what the version before had already.
using MigrateChecker = std::function<std::optional<CheckedMigrate>(const MigrateWish&)>;

struct KeyPart {
  enum class Made : uint8_t { Kept, Narrowed, Computed, Migrated };
  Made made = Made::Kept;
  int old = -1;          // Kept, Narrowed: of which one
  typed::ExprPtr value;  // all but Kept: over a record with the field `old`
};

// A variable of a process that `migrate` makes.
struct ValuePart {
  int cell = -1;         // of the new store
  typed::ExprPtr value;  // over the same record
};

// What a field of the record `old` is.
struct RuleInput {
  enum class From : uint8_t { Key, Variable };
  From from = From::Key;
  int index = -1;  // of the old keys, or of the cells of the old store
};

// Of a store that keeps rows whole: one of its cells.
struct RowSide {
  bool keyed = false;  // the keys of its rows can be had
  int source = -1;  // of the program: its rows, as the new version has them; -1: nothing is computed of them
  bool can_fail = false;  // for some rows
};

struct KeyRule {
  // What new keys are made of: the old ones, or the rows that are kept (row_key_rule.h).
  enum class Of : uint8_t { Keys, Rows } of = Of::Keys;
  std::vector<RowSide> sides;  // Rows: by cell
  // By new key. Of rows: Kept, or Computed without a value, which each side has its own of.
  std::vector<KeyPart> parts;
  std::vector<ValuePart> values;
  std::vector<RuleInput> inputs;  // by field of the record `old`
  // Old variables that `values` and `parts` read, by cell: by field of the record `is_set`, whether the
  // process has given it a value yet.
  std::vector<int> read;
  // A stream `made` of what `parts` and `values` make, from rows of a source with the fields `old` and
  // `is_set`. Of rows: for each side that something is computed of a source with the one field `row` and a
  // stream of the keys that are Computed, in order; null: there is none.
  std::shared_ptr<const typed::Program> program;
  std::vector<std::shared_ptr<const void>> types;  // that the program refers to
  bool can_fail = false;                           // for some entries
  bool computed = false;
  bool migrated = false;  // of keys
  bool unites = false;    // several old keys become one, by what the edit says
  std::string narrowed;   // "int → i32"; empty: no key is
  std::string widened;    // "int → int?", where that is another word
  std::string problem;    // of `migrate`; then there is nothing else

  // Whether the words of all keys stay what they are.
  bool keeps_keys() const;
  bool makes(int cell) const;
};

// What is needed to find out.
struct KeyRuleSources {
  const graph::Graph* before = nullptr;
  const graph::Graph* after = nullptr;
  const Lineage* lineage = nullptr;         // of `after`, params by name
  const MigrateChecker* migrate = nullptr;  // may be null
};

// Nothing: each key is as it was or wider, or the new ones cannot be had from the old.
std::optional<KeyRule> key_rule(const Cell& before, const Cell& after, const KeyRuleSources& sources);
// Whether the expression itself, without its arguments, is something else for each event, whatever the fields
// of the event are: what is kept does not tell it.
bool is_of_event(const typed::Expr& expr);
// Whether it is worth asking for a cell of that kind of store.
bool converts_keys(state::StoreKind kind);

}  // namespace mut::change
