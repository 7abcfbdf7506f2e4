// Which stage and cell of the version before a stage or cell continues (live-change.md 2.3).
#pragma once
#include <set>
#include <string>
#include <vector>

#include "compiler/change/cells.h"
#include "compiler/diagnostics/diagnostics.h"

namespace mut::change {

// Why a version cannot take over; cannot be forced.
struct Refusal {
  diag::Code code{};
  source::Span span;  // in the new script
  std::vector<std::string> arguments;
  std::vector<source::Span> others;     // also in the new script
  std::vector<source::Span> old_spans;  // in the old script
  std::string hint;
  std::string message() const;  // without code and places
};

enum class Identity : uint8_t {
  None,      // continues nothing
  Same,      // by name, or by being the only one alike
  Was,       // by `was`
  Inferred,  // the only one that is left, or the only rename that is possible
  Copy,      // by `from`
};

struct CellMatch {
  int old_cell = -1;
  Identity identity = Identity::None;
  std::vector<int> merged{};  // further old cells that it takes in, by `from` of several stages
};

struct Matches {
  std::vector<CellMatch> cells;       // by new cell
  std::vector<int> stages;            // by new stage: the old one that it continues, or -1
  std::vector<std::string> inferred;  // stages without label that were matched: "stream/stage"
  std::vector<std::string> notes;
  std::vector<Refusal> refusals;
  std::set<int> refused_old_cells;  // of the refusals
  std::set<int> refused_new_cells;
  // Stages that begin or end while another of their kind does the opposite: likely renames.
  std::vector<std::pair<int, int>> likely_renames;  // old, new: indices into State::stages
};

// Former names of sources, streams and fields of sources by `was`; conflicts are refused.
FormerNames former_names(const typed::Program& before, const typed::Program& after, Matches& out);
// The same where `after` ran before `before`.
FormerNames names_back(const typed::Program& before, const typed::Program& after);

void match_cells(const typed::Program& before, const State& old_state, const typed::Program& after,
                 const State& new_state, const FormerNames& names, Matches& out);

}  // namespace mut::change
