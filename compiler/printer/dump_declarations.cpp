#include <fmt/format.h>

#include "compiler/printer/dumper.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/printer.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

std::string Dumper::program(const ast::Program& program) {
  if (program.edition) line(fmt::format("edition {}", *program.edition));
  for (const auto& one : program.declarations) declaration(one);
  return std::move(out_);
}

void Dumper::parameters(const std::vector<ast::Parameter>& params) {
  for (const auto& param : params) {
    node("parameter " + param.name.text, [&] {
      if (param.type) type(*param.type);
    });
  }
}

void Dumper::connector(const ast::ConnectorExpr& value) {
  node("connector " + value.name.text, [&] {
    arguments(value.args);
    named("row", value.rows);
  });
}

void Dumper::source(const ast::SourceDecl& value) {
  if (value.was) line("was " + value.was->text);
  type(*value.type);
  connector(value.connector);
  expr("time", value.time);
  expr("lateness", value.lateness);
  expr("idle", value.idle);
  expr("ahead", value.ahead);
  static constexpr std::string_view policies[] = {"block", "drop_oldest", "drop_newest", "spill"};
  if (value.on_full) line(fmt::format("on full {}", policies[static_cast<size_t>(*value.on_full)]));
  if (value.check) line("check " + *value.check);
  for (const auto& failover : value.failover) {
    node("else", [&] {
      connector(failover.connector);
      expr("after", failover.after);
    });
  }
}

void Dumper::table(const ast::TableDecl& value) {
  if (value.was) line("was " + value.was->text);
  type("of", value.type);
  for (const auto& key : value.key) line("key " + spell(key));
  ttl(value.ttl);
  expr("versioned", value.versioned);
  expr("time", value.time);
  expr("lateness", value.lateness);
  if (value.connector) connector(*value.connector);
  if (value.pipeline) pipeline(*value.pipeline);
}

void Dumper::declaration(const ast::Declaration& value) {
  auto part = [&](std::string_view word, const std::string& name, const std::function<void()>& children) {
    node(fmt::format("{} {}", word, name), [&] {
      for (const auto& doc : value.doc) line("doc " + quote(doc));
      children();
    });
  };
  auto assigns = [&](std::string_view role, const std::vector<ast::AggregateAssign>& items) {
    for (const auto& item : items) expr(fmt::format("{} {}", role, item.name.text), item.value);
  };
  std::visit(Overload{
                 [&](const ast::ImportDecl& x) {
                   part("import", x.module.parts.empty() ? quote(x.file) : spell(x.module), [&] {
                     if (x.as) line("as " + x.as->text);
                     for (const auto& name : x.names) line("name " + name.text);
                   });
                 },
                 [&](const ast::TypeDecl& x) { part("type", x.name.text, [&] { type(*x.type); }); },
                 [&](const ast::EnumDecl& x) {
                   part("enum", x.name.text, [&] {
                     for (const auto& one : x.values)
                       line(one.name.text + (one.was ? " was " + one.was->text : ""));
                   });
                 },
                 [&](const ast::ConstDecl& x) {
                   part("const", x.name.text, [&] {
                     type("type", x.type);
                     expr("value", x.value);
                   });
                 },
                 [&](const ast::ParamDecl& x) {
                   part("param", x.name.text, [&] {
                     type("type", x.type);
                     expr("low", x.low);
                     expr("high", x.high);
                     expr("value", x.value);
                   });
                 },
                 [&](const ast::SetDecl& x) {
                   part("set", x.param.text, [&] {
                     line("from " + spell(x.stream));
                     expr("every", x.every);
                   });
                 },
                 [&](const ast::FnDecl& x) {
                   part("fn", x.name.text, [&] {
                     parameters(x.params);
                     type("result", x.result);
                     expr("body", x.body);
                   });
                 },
                 [&](const ast::AggregateDecl& x) {
                   part("aggregate", x.name.text, [&] {
                     parameters(x.params);
                     type("result", x.result_type);
                     state(x.state);
                     assigns("add", x.add);
                     assigns("remove", x.remove);
                     assigns("merge", x.merge);
                     expr("result", x.result);
                   });
                 },
                 [&](const ast::OperatorDecl& x) {
                   part("operator", x.name.text, [&] {
                     parameters(x.params);
                     for (const auto& one : x.stages) stage(one);
                   });
                 },
                 [&](const ast::ModelDecl& x) {
                   part(x.learner ? "learner" : "model", x.name.text, [&] {
                     parameters(x.params);
                     type("result", x.result);
                     node("maker " + x.maker.text, [&] { arguments(x.args); });
                   });
                 },
                 [&](const ast::SourceDecl& x) { part("source", x.name.text, [&] { source(x); }); },
                 [&](const ast::TableDecl& x) { part("table", x.name.text, [&] { table(x); }); },
                 [&](const ast::StreamDecl& x) {
                   part("stream", x.name.text, [&] {
                     if (x.was) line("was " + x.was->text);
                     pipeline(x.pipeline);
                   });
                 },
                 [&](const ast::RouteDecl& x) {
                   part(x.all ? "route all" : "route", spell(x.input), [&] {
                     for (const auto& branch : x.branches) {
                       std::string text =
                           "to " + branch.target.text + (branch.was ? " was " + branch.was->text : "");
                       node(text, [&] {
                         if (branch.condition) expr(*branch.condition);
                       });
                     }
                   });
                 },
                 [&](const ast::EmitDecl& x) {
                   part("emit", spell(x.stream), [&] {
                     connector(x.connector);
                     if (x.as) line("as " + x.as->text);
                     if (x.was) line("was " + x.was->text);
                   });
                 },
                 [&](const ast::GuardDecl& x) {
                   part("guard", x.what.text, [&] {
                     if (x.stream) line("of " + spell(*x.stream));
                     expr("percent", x.percent);
                     if (!x.count) return;
                     expr("in", x.count);
                     line("unit " + x.unit.text);
                   });
                 },
                 [&](const ast::MigrateDecl& x) {
                   part("migrate", spell(x.target), [&] {
                     for (const auto& item : x.items) {
                       node("item " + item.name.text, [&] {
                         type("type", item.type);
                         expr(*item.value);
                       });
                     }
                   });
                 },
                 [&](const ast::TestDecl& x) {
                   part("test", quote(x.name), [&] {
                     for (const auto& step : x.steps) test_step(step);
                   });
                 },
             },
             value.node);
}

void Dumper::test_step(const ast::TestStep& value) {
  std::visit(Overload{
                 [&](const ast::GivenStep& x) {
                   node("given " + x.source.text, [&] {
                     expr("rows", x.rows);
                     if (x.text) line("text " + quote(*x.text));
                     if (x.file) line("file " + quote(*x.file));
                     if (x.first) line(fmt::format("first {}", *x.first));
                     if (x.rest) line("rest");
                   });
                 },
                 [&](const ast::AtStep& x) { expr("at", x.time); },
                 [&](const ast::EndStep&) { line("end"); },
                 [&](const ast::ExpectRowsStep& x) {
                   static constexpr std::string_view modes[] = {"", " in order", " exactly"};
                   node(fmt::format("expect {}{}", spell(x.stream), modes[static_cast<size_t>(x.mode)]), [&] {
                     expr("rows", x.rows);
                     if (x.file) line("file " + quote(*x.file));
                   });
                 },
                 [&](const ast::ExpectPlanStep& x) {
                   node("expect plan", [&] {
                     for (const auto& [cell, verdict] : x.verdicts) line(quote(cell) + " " + verdict);
                   });
                 },
                 [&](const ast::ExpectRefusedStep& x) { line("expect refused " + quote(x.code)); },
                 [&](const ast::ExpectUnchangedStep&) { line("expect unchanged"); },
                 [&](const ast::SwapStep& x) {
                   node("swap", [&] {
                     if (x.to_file) line("to " + quote(*x.to_file));
                     for (const auto& consent : x.accept)
                       line("accept " + consent.verdict.text + " " + quote(consent.cell));
                     for (const auto& change : x.changes) declaration(*change);
                     for (const auto& name : x.without) line("without " + name.text);
                     if (x.expect_refused) line("expect refused " + quote(*x.expect_refused));
                   });
                 },
                 [&](const ast::UndoStep&) { line("undo"); },
             },
             value.node);
}

std::string dump(const ast::Program& program) { return Dumper().program(program); }

}  // namespace mut::printer
