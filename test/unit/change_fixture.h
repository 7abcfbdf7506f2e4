// Two versions of a script and the plan between them.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "compiler/change/compare.h"
#include "compiler/change/print.h"
#include "compiler/sema/check.h"
#include "compiler/syntax/parse.h"

namespace mut::test {

struct Version {
  explicit Version(const std::string& text) {
    source::FileId file = sources.add("test.mut", text);
    diag::Engine diags;
    ast::Program tree = syntax::parse(sources, file, diags);
    auto program = diags.has_errors() ? std::nullopt : sema::check(tree, diags);
    if (!program) throw std::runtime_error(diag::render_text(diags, sources, diag::Color::Never));
    graph = graph::build_graph(std::make_shared<typed::Program>(std::move(*program)));
  }
  source::SourceSet sources;
  graph::Graph graph;
};

struct Edit {
  Edit(const std::string& old_text, const std::string& new_text, change::CompareOptions options = {})
      : before(old_text), after(new_text) {
    options.old_sources = &before.sources;
    options.new_sources = &after.sources;
    plan = change::compare(before.graph, after.graph, options);
  }

  // "keep-mixed c/g/n/count" of every cell that is not `same`, in order.
  std::vector<std::string> changes() const {
    std::vector<std::string> out;
    for (const change::CellPlan& cell : plan.cells) {
      if (cell.verdict == change::Verdict::Same) continue;
      out.push_back(std::string(change::verdict_name(cell.verdict)) + " " + cell.path);
    }
    return out;
  }
  const change::CellPlan& cell(const std::string& path) const {
    for (const change::CellPlan& cell : plan.cells) {
      if (cell.path == path) return cell;
    }
    throw std::runtime_error("no cell " + path);
  }
  std::string text() const { return change::print_text(plan, "v1", "v2"); }

  Version before;
  Version after;
  change::SwapPlan plan;
};

using Lines = std::vector<std::string>;
using Outcome = change::SwapPlan::Outcome;

}  // namespace mut::test
