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

using change::CompareOptions;
using change::Policy;
using runtime::StoreTransfer;

inline const std::string head =
    "type E = { u: string, r: string, x: int, y: float, k: int, ok: bool, ts: time }\n"
    "source s: E = file(\"s.jsonl\") time ts\n";

// A stream `c` over `s` with these stages, to a file.
inline std::string script(const std::string& stages) {
  return head + "stream c = s\n" + stages + "\nemit c to file(\"out.jsonl\")\n";
}
inline std::string grouped(const std::string& items) {
  return script("| @g aggregate " + items + " by u ttl none");
}

inline CompareOptions accept(const std::vector<std::string>& texts) {
  CompareOptions out;
  for (const std::string& text : texts) out.consents.push_back(*change::parse_consent(text));
  return out;
}

}  // namespace mut::test
