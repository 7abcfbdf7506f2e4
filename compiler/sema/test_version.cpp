#include "compiler/sema/test_version.h"

#include <algorithm>

namespace mut::sema {
namespace {

// What a declaration is called; `was` where it says so.
struct Called {
  std::string name;
  std::string was;
};

std::string was_of(const std::optional<ast::Ident>& was) { return was ? was->text : ""; }

template <typename Node>
Called called(const Node& node) {
  if constexpr (requires { node.name.text; }) {
    if constexpr (requires { node.was->text; }) return {node.name.text, was_of(node.was)};
    return {node.name.text, ""};
  } else {
    return {};
  }
}
Called called(const ast::SetDecl& node) { return {node.param.text, ""}; }
Called called(const ast::RouteDecl& node) { return {path_text(node.input), ""}; }
Called called(const ast::MigrateDecl& node) { return {path_text(node.target), ""}; }
Called called(const ast::GuardDecl& node) {
  return {"guard " + node.what.text + (node.stream ? " of " + path_text(*node.stream) : ""), ""};
}
Called called(const ast::TestDecl&) { return {}; }
Called called(const ast::ImportDecl&) { return {}; }
Called called(const ast::EmitDecl& node) {
  return {node.as ? node.as->text : path_text(node.stream), was_of(node.was)};
}

Called called_of(const ast::Declaration& declaration) {
  return std::visit([](const auto& node) { return called(node); }, declaration.node);
}

bool replaces(const ast::Declaration& change, const ast::Declaration& old) {
  if (change.node.index() != old.node.index()) return false;
  Called now = called_of(change);
  std::string before = called_of(old).name;
  return !before.empty() && (before == now.name || before == now.was);
}

}  // namespace

std::string path_text(const ast::Path& path) {
  std::string out;
  for (const ast::Ident& part : path.parts) out += (out.empty() ? "" : ".") + part.text;
  return out;
}

Declarations declarations_of(const ast::Program& program) {
  Declarations out;
  for (const ast::Declaration& declaration : program.declarations) out.push_back(&declaration);
  return out;
}

std::optional<Declarations> next_version(const Declarations& version, const ast::SwapStep& swap,
                                         diag::Engine& diags) {
  Declarations out;
  std::vector<char> used(swap.without.size(), 0);
  for (const ast::Declaration* old : version) {
    // Tests belong to the script that is tested, not to its versions.
    if (std::holds_alternative<ast::TestDecl>(old->node)) continue;
    bool goes = false;
    for (size_t i = 0; i < swap.without.size(); ++i) {
      if (called_of(*old).name != swap.without[i].text) continue;
      used[i] = 1;
      goes = true;
    }
    // What replaces stands in the place of the old one: the order of declarations decides ties.
    for (const auto& change : swap.changes) {
      if (goes || !replaces(*change, *old)) continue;
      if (std::find(out.begin(), out.end(), change.get()) == out.end()) out.push_back(change.get());
      goes = true;
    }
    if (!goes) out.push_back(old);
  }
  for (const auto& change : swap.changes) {
    if (std::find(out.begin(), out.end(), change.get()) == out.end()) out.push_back(change.get());
  }
  bool fine = true;
  for (size_t i = 0; i < swap.without.size(); ++i) {
    if (used[i]) continue;
    fine = false;
    std::vector<std::string> candidates;
    for (const ast::Declaration* old : version) candidates.push_back(called_of(*old).name);
    auto report = diags.report(diag::Code::UnknownName, swap.without[i].span, swap.without[i].text);
    if (auto near = diag::did_you_mean(swap.without[i].text, candidates))
      report.note("did you mean `" + *near + "`?").fix(swap.without[i].span, *near);
  }
  if (!fine) return std::nullopt;
  return out;
}

bool expects_swap(const ast::TestDecl& test, size_t step) {
  if (std::get<ast::SwapStep>(test.steps[step].node).expect_refused) return false;
  for (size_t i = step + 1; i < test.steps.size(); ++i) {
    const auto& node = test.steps[i].node;
    if (std::holds_alternative<ast::ExpectRefusedStep>(node) ||
        std::holds_alternative<ast::ExpectUnchangedStep>(node))
      return false;
    if (!std::holds_alternative<ast::ExpectPlanStep>(node)) return true;
  }
  return true;
}

}  // namespace mut::sema
