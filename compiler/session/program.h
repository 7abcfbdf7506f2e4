// One version of a script on its way from text to something that can run.
#pragma once
#include <memory>
#include <string>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/graph/graph.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/ast.h"
#include "runtime/graph/plan.h"

namespace mut::session {

// A stream that is there for somebody who looks, not for the script: `stream t = orders | where total > 9`.
struct TapStream {
  std::string name;  // no name of a script
  std::string text;  // its declaration, under any name
  friend bool operator==(const TapStream&, const TapStream&) = default;
};

// Checked, graphed and described. Immutable once made.
struct Program {
  std::shared_ptr<source::SourceSet> sources;
  std::shared_ptr<const typed::Program> typed;
  std::shared_ptr<const graph::Graph> graph;
  std::shared_ptr<const runtime::Plan> plan;
  std::string text;
  std::vector<TapStream> asked_taps;                           // what it was made with
  std::vector<TapStream> taps;                                 // those that it has
  std::vector<std::pair<std::string, std::string>> lost_taps;  // the others: name, and why
  // Name and value of each param, as a script writes it; values that an edit does not touch are those of the
  // version before.
  std::vector<std::pair<std::string, std::string>> params;
  const std::string& name() const { return sources->file({0}).name(); }
};

// Null after errors, which are in `diags`. `sources` must be fresh.
std::shared_ptr<Program> make_program(std::string_view text, std::string name,
                                      std::shared_ptr<source::SourceSet> sources, diag::Engine& diags,
                                      const sema::CheckOptions& options = {},
                                      const std::vector<TapStream>& taps = {},
                                      graph::Graph::Shards shards = graph::Graph::Shards::One);

// The runtime's view of a graph. `values` of params are the declared ones.
std::shared_ptr<runtime::Plan> make_plan(const graph::Graph& graph, const source::SourceSet& sources);

// A value in memory layout; texts go to `texts`, which must outlive it.
void write_const(const typed::Const& value, typed::TypeRef type, const abi::TypeDesc& layout, char* out,
                 std::vector<std::shared_ptr<std::string>>& texts);

}  // namespace mut::session
