// Compares two versions of a program: what the edit does to every cell of state, and how it goes over.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/change/key_rule.h"
#include "compiler/change/match.h"
#include "compiler/change/verdicts.h"
#include "compiler/graph/graph.h"
#include "compiler/source/source_set.h"
#include "runtime/swap/migration.h"

namespace mut::change {

enum class Policy : uint8_t {
  Strict,  // nothing but same, keep, convert, new
  Ask,     // drop, reset and choice need consent
  Live,    // takes drop and reset, picks reset for choice
  Back,    // as Live, but what is kept of a cell comes back
};

// `--accept reset:stream/stage/cell`; a path that ends in `/` means all below it. The path may leave
// out the function: `stream/stage/total` for `stream/stage/total/sum`.
struct Consent {
  std::string verdict;  // drop, reset, carry
  std::string path;
};
// "reset:spend/g/total"; empty when it is none.
std::optional<Consent> parse_consent(std::string_view text);

// A store that an edit dropped cells of.
struct ParkedStore {
  runtime::ParkId id;
  const graph::Graph* graph = nullptr;  // of the version that had it
  std::vector<int> cells;               // those that were dropped
  uint64_t entries = 0;
};
// So many versions later it is let go.
constexpr uint64_t parked_versions = 16;

struct CompareOptions {
  Policy policy = Policy::Ask;
  std::vector<Consent> consents;
  bool force_convert = false;  // every continued store entry by entry, for tests
  // Entries of the old stores, by index; empty: not known. A store without entries needs no consent.
  std::vector<uint64_t> old_entries;
  // Values of the old params as they are now, as text, by index; empty: as they are declared.
  std::vector<std::string> old_params;
  // Back: `after` ran right before `before`, whose renames are taken back.
  FormerNames::Direction direction = FormerNames::Direction::Forward;
  // The number of `after`: what it drops is parked under it. 0: nothing is parked.
  uint64_t version = 0;
  std::vector<ParkedStore> parked;  // the newest last
  // Texts of both versions, for reasons and line numbers; may be null.
  const source::SourceSet* old_sources = nullptr;
  const source::SourceSet* new_sources = nullptr;
  MigrateChecker migrate;  // null: `migrate` is not looked at
};

struct CellPlan {
  std::string path;      // "stream/stage/cell", as the new script names it; of a dropped cell as the old did
  std::string old_path;  // empty: it continues nothing
  Verdict verdict = Verdict::Same;
  std::string reason;
  source::Span new_span;             // of a dropped cell: in the old script
  bool needs_consent = false;        // and has none yet
  std::vector<std::string> choices;  // what would be accepted: carry, reset, drop
  std::string decision;              // what was accepted, or picked by the policy
  std::string hint;
  std::optional<uint64_t> entries;  // of its store, when known
};

// How keys of stores go over, as a program to be compiled.
struct KeyConversion {
  std::string path;  // of the stage in the new script
  std::shared_ptr<const KeyRule> rule;
  bool merges = false;  // what is kept of two keys that become one can be merged
};

struct SwapPlan {
  enum class Outcome : uint8_t { NoChange, Applicable, NeedsDecision, Refused };
  Outcome outcome = Outcome::NoChange;
  std::vector<CellPlan> cells;  // in order of the new program, then what is dropped
  std::vector<std::string> notes;
  std::vector<std::string> refusals;  // "error[MUT5001]: …" with places and a hint, ready to print
  std::vector<diag::Code> refusal_codes;
  runtime::Migration migration;  // only of use when Applicable or NoChange
  // What StorePart::conversion is an index into; the migration gets them compiled.
  std::vector<KeyConversion> conversions;
  bool recompiles = false;  // the machine code differs in more than literals
  int streams_changed = 0;
  // By park of the migration: the cells that it is about, of the old store.
  std::vector<std::vector<int>> parked_cells;
  std::vector<std::string> sources_replaced;    // new names: they read something else from the cut on
  std::vector<std::string> sources_redeclared;  // new names: their readers are to be made again
};

// Judges `after` as the version that follows `before`. Neither is changed. Never fails: what cannot go
// over is a refusal in the plan.
SwapPlan compare(const graph::Graph& before, const graph::Graph& after, const CompareOptions& options = {});

// 0 applicable, 11 no change, 10 needs a decision, 20 refused.
int exit_code(SwapPlan::Outcome outcome);

}  // namespace mut::change
