#include <fmt/format.h>

#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/printer.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {
namespace {

// Branches of a route that may stand on one line.
constexpr size_t branches_on_a_line_max = 2;

std::string_view spell(ast::FullPolicy policy) {
  static constexpr std::string_view words[] = {"block", "drop_oldest", "drop_newest", "spill"};
  return words[static_cast<size_t>(policy)];
}

}  // namespace

std::string Formatter::program(const ast::Program& program) {
  bool first = true;
  if (program.edition) {
    leading(program.declarations.empty() ? UINT32_MAX : 0, true);
    out_.text(fmt::format("edition {}", *program.edition));
    out_.hard_line();
    first = false;
  }
  for (const ast::Declaration& one : program.declarations) {
    if (program.edition && &one == program.declarations.data() && !comment_waits(one.span.begin))
      out_.hard_line();
    leading(one.span.begin, true);
    uint32_t begin = one.doc.empty() ? one.span.begin : docs_begin(one.span.begin);
    bool after_edition = program.edition && &one == program.declarations.data();
    if (!first && !after_edition && blank_line_before(begin)) out_.hard_line();
    declaration(one);
    trailing(one.span.end);
    out_.hard_line();
    first = false;
  }
  leading(UINT32_MAX, true);
  return out_.render();
}

void Formatter::was(const std::optional<ast::Ident>& old_name) {
  if (old_name) out_.text(" was " + printer::spell(*old_name));
}

void Formatter::parameters(const std::vector<ast::Parameter>& params) {
  auto span = [&](size_t i) {
    return params[i].type ? cover(params[i].name.span, params[i].type->span) : params[i].name.span;
  };
  list({"(", ")", false, false, UINT32_MAX}, params.size(), span, [&](size_t i) {
    out_.text(printer::spell(params[i].name));
    if (!params[i].type) return;
    out_.text(": ");
    type(*params[i].type);
  });
}

void Formatter::connector(const ast::ConnectorExpr& node) {
  out_.text(printer::spell(node.name, NamePlace::Connector));
  arguments(node.args, nullptr);
  if (node.rows.empty()) return;
  list(
      {" {", "}", true, false, node.span.end}, node.rows.size(), [&](size_t i) { return node.rows[i].span; },
      [&](size_t i) { named(node.rows[i]); });
}

// Under their declaration, side by side when they fit.
void Formatter::clauses(const std::vector<std::function<void()>>& parts) {
  if (parts.empty()) return;
  out_.begin_indent(2);
  out_.hard_line();
  out_.begin(0);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i]();
    if (i + 1 == parts.size()) break;
    out_.text(",");
    out_.line();
  }
  out_.end();
  out_.end_indent();
}

void Formatter::source(const ast::SourceDecl& node) {
  out_.text("source " + printer::spell(node.name));
  was(node.was);
  out_.text(": ");
  type(*node.type);
  out_.text(" = ");
  connector(node.connector);
  std::vector<std::function<void()>> parts;
  auto amount = [&](std::string_view word, const ast::ExprPtr& value) {
    if (!value) return;
    parts.emplace_back([this, word, &value] {
      out_.text(word);
      expr(*value);
    });
  };
  amount("time ", node.time);
  amount("lateness ", node.lateness);
  amount("idle ", node.idle);
  amount("ahead ", node.ahead);
  if (node.on_full) parts.emplace_back([&] { out_.text(fmt::format("on full {}", spell(*node.on_full))); });
  if (node.check) parts.emplace_back([&] { out_.text("check: " + *node.check); });
  for (const ast::Failover& failover : node.failover) {
    parts.emplace_back([this, &failover] {
      out_.text("else ");
      connector(failover.connector);
      out_.text(" after ");
      expr(*failover.after);
    });
  }
  clauses(parts);
}

void Formatter::table(const ast::TableDecl& node) {
  out_.text("table " + printer::spell(node.name));
  was(node.was);
  if (node.type) {
    out_.text(": ");
    type(*node.type);
  }
  for (size_t i = 0; i < node.key.size(); ++i)
    out_.text((i == 0 ? " key " : ", ") + printer::spell(node.key[i]));
  auto amount = [&](std::string_view word, const ast::ExprPtr& value) {
    out_.text(word);
    if (value) {
      expr(*value);
    } else {
      out_.text("none");
    }
  };
  if (node.ttl) amount(" ttl ", node.ttl->duration);
  if (node.versioned) amount(" versioned ", node.versioned);
  out_.text(" = ");
  if (node.pipeline) {
    pipeline(*node.pipeline);
    return;
  }
  connector(*node.connector);
  std::vector<std::function<void()>> parts;
  if (node.time) parts.emplace_back([&] { amount("time ", node.time); });
  if (node.lateness) parts.emplace_back([&] { amount("lateness ", node.lateness); });
  clauses(parts);
}

void Formatter::aggregate_decl(const ast::AggregateDecl& node) {
  out_.text("aggregate " + printer::spell(node.name));
  parameters(node.params);
  out_.text(" -> ");
  type(*node.result_type);
  out_.text(" {");
  out_.begin_indent(2);
  // The words stand in a column.
  auto row = [&](std::string_view word, uint32_t begin) {
    out_.hard_line();
    leading(begin);
    out_.text(fmt::format("{:<7}", word));
  };
  if (!node.state.empty()) {
    row("state", node.state[0].name.span.begin);
    out_.begin(7);
    series(
        node.state.size(),
        [&](size_t i) { return cover(node.state[i].name.span, node.state[i].initial->span); },
        [&](size_t i) { state_variable(node.state[i]); });
    out_.end();
    trailing(node.state.back().initial->span.end);
  }
  auto assigns = [&](std::string_view word, const std::vector<ast::AggregateAssign>& items) {
    if (items.empty()) return;
    row(word, items[0].name.span.begin);
    out_.begin(7);
    series(
        items.size(), [&](size_t i) { return cover(items[i].name.span, items[i].value->span); },
        [&](size_t i) {
          out_.text(printer::spell(items[i].name) + " = ");
          expr(*items[i].value);
        });
    out_.end();
    trailing(items.back().value->span.end);
  };
  assigns("add", node.add);
  assigns("remove", node.remove);
  assigns("merge", node.merge);
  row("result", node.result->span.begin);
  out_.begin(7);
  expr(*node.result);
  out_.end();
  trailing(node.result->span.end);
  out_.end_indent();
  out_.hard_line();
  out_.text("}");
}

void Formatter::route(const ast::Declaration& declaration_node, const ast::RouteDecl& node) {
  out_.text((node.all ? "route all " : "route ") + printer::spell(node.input));
  list(
      {" {", "}", true, node.branches.size() > branches_on_a_line_max, declaration_node.span.end},
      node.branches.size(), [&](size_t i) { return node.branches[i].span; },
      [&](size_t i) {
        const ast::RouteBranch& branch = node.branches[i];
        if (branch.condition) {
          expr(*branch.condition);
        } else {
          out_.text("else");
        }
        out_.text(" -> " + printer::spell(branch.target));
        was(branch.was);
      });
}

void Formatter::declaration(const ast::Declaration& declaration_node) {
  docs(declaration_node.doc);
  bare(declaration_node);
}

void Formatter::bare(const ast::Declaration& declaration_node) {
  auto head = [&](std::string_view word, const ast::Ident& name) {
    out_.text(fmt::format("{} {}", word, printer::spell(name)));
  };
  auto typed = [&](const ast::TypePtr& type_node) {
    if (!type_node) return;
    out_.text(": ");
    type(*type_node);
  };
  auto value = [&](const ast::Expr& expr_node) {
    out_.text(" = ");
    expr(expr_node);
  };
  out_.begin(0);
  std::visit(Overload{
                 [&](const ast::ImportDecl& node) {
                   bool is_file = node.module.parts.empty();
                   out_.text("import " + (is_file ? quote(node.file) : printer::spell(node.module)));
                   if (node.as) out_.text(" as " + printer::spell(*node.as));
                   if (node.names.empty()) return;
                   list(
                       {" (", ")", false, false, declaration_node.span.end}, node.names.size(),
                       [&](size_t i) { return node.names[i].span; },
                       [&](size_t i) { out_.text(printer::spell(node.names[i])); });
                 },
                 [&](const ast::TypeDecl& node) {
                   head("type", node.name);
                   out_.text(" = ");
                   type(*node.type);
                 },
                 [&](const ast::EnumDecl& node) {
                   head("enum", node.name);
                   list(
                       {" = {", "}", true, false, declaration_node.span.end}, node.values.size(),
                       [&](size_t i) { return node.values[i].name.span; },
                       [&](size_t i) {
                         out_.text(printer::spell(node.values[i].name));
                         was(node.values[i].was);
                       });
                 },
                 [&](const ast::ConstDecl& node) {
                   head("const", node.name);
                   typed(node.type);
                   value(*node.value);
                 },
                 [&](const ast::ParamDecl& node) {
                   head("param", node.name);
                   typed(node.type);
                   if (node.low) {
                     out_.text(" in ");
                     expr(*node.low);
                     out_.text("..");
                     expr(*node.high);
                   }
                   value(*node.value);
                 },
                 [&](const ast::SetDecl& node) {
                   head("set", node.param);
                   out_.text(" from " + printer::spell(node.stream));
                   if (!node.every) return;
                   out_.text(" every ");
                   expr(*node.every);
                 },
                 [&](const ast::FnDecl& node) {
                   head("fn", node.name);
                   parameters(node.params);
                   out_.text(" -> ");
                   type(*node.result);
                   out_.text(" =");
                   out_.begin_indent(2);
                   out_.line();
                   expr(*node.body);
                   out_.end_indent();
                 },
                 [&](const ast::AggregateDecl& node) { aggregate_decl(node); },
                 [&](const ast::OperatorDecl& node) {
                   head("operator", node.name);
                   parameters(node.params);
                   out_.text(" =");
                   out_.begin_indent(2);
                   stages(node.stages, false);
                   out_.end_indent();
                 },
                 [&](const ast::ModelDecl& node) {
                   head(node.learner ? "learner" : "model", node.name);
                   parameters(node.params);
                   out_.text(" -> ");
                   type(*node.result);
                   out_.text(" = " + printer::spell(node.maker));
                   arguments(node.args, nullptr);
                 },
                 [&](const ast::SourceDecl& node) { source(node); },
                 [&](const ast::TableDecl& node) {
                   out_.begin_indent(node.pipeline ? 2 : 0);
                   table(node);
                   out_.end_indent();
                 },
                 [&](const ast::StreamDecl& node) {
                   head("stream", node.name);
                   was(node.was);
                   out_.text(" = ");
                   out_.begin_indent(2);
                   pipeline(node.pipeline);
                   out_.end_indent();
                 },
                 [&](const ast::RouteDecl& node) { route(declaration_node, node); },
                 [&](const ast::EmitDecl& node) {
                   out_.text("emit " + printer::spell(node.stream) + " to ");
                   connector(node.connector);
                   if (node.as) out_.text(" as " + printer::spell(*node.as));
                   was(node.was);
                 },
                 [&](const ast::MigrateDecl& node) {
                   out_.text("migrate " + printer::spell(node.target));
                   list(
                       {" {", "}", true, false, declaration_node.span.end}, node.items.size(),
                       [&](size_t i) { return cover(node.items[i].name.span, node.items[i].value->span); },
                       [&](size_t i) {
                         out_.text(printer::spell(node.items[i].name));
                         typed(node.items[i].type);
                         value(*node.items[i].value);
                       });
                 },
                 [&](const ast::GuardDecl& node) {
                   head("guard", node.what);
                   if (node.stream) out_.text(" of " + printer::spell(*node.stream));
                   out_.text(" < ");
                   expr(*node.percent);
                   out_.text("%");
                   if (!node.count) return;
                   out_.text(" in ");
                   expr(*node.count);
                   out_.text(" " + printer::spell(node.unit));
                 },
                 [&](const ast::TestDecl& node) { test(declaration_node, node); },
             },
             declaration_node.node);
  out_.end();
}

std::string format(const ast::Program& program, const source::SourceSet& sources) {
  return Formatter(program.comments, sources.file(program.file).text()).program(program);
}

}  // namespace mut::printer
