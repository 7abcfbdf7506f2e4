#include <fmt/format.h>

#include "compiler/printer/dumper.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

void Dumper::line(std::string_view text) {
  out_.append(2 * depth_, ' ');
  out_ += text;
  out_ += '\n';
}

void Dumper::node(std::string_view text, const std::function<void()>& children) {
  line(text);
  ++depth_;
  children();
  --depth_;
}

void Dumper::expr(std::string_view role, const ast::ExprPtr& value) {
  if (value) node(role, [&] { expr(*value); });
}

void Dumper::expr(const ast::Expr& value) {
  std::visit(Overload{
                 [&](const ast::IntLit& x) { line(fmt::format("int {}", x.value)); },
                 [&](const ast::FloatLit& x) { line(fmt::format("float {}", x.value)); },
                 [&](const ast::BoolLit& x) { line(x.value ? "true" : "false"); },
                 [&](const ast::NoneLit&) { line("none"); },
                 [&](const ast::StringLit& x) {
                   line(fmt::format("{} {}", x.raw ? "raw" : "string", quote(x.value)));
                 },
                 [&](const ast::BytesLit& x) { line("bytes " + spell_bytes(x.value)); },
                 [&](const ast::RegexLit& x) { line("regex " + quote(x.pattern)); },
                 [&](const ast::DurationLit& x) { line(fmt::format("duration {}ns", x.nanoseconds)); },
                 [&](const ast::TimeLit& x) { line(fmt::format("time {}ns", x.nanoseconds)); },
                 [&](const ast::Interpolation& x) {
                   node("interpolation", [&] {
                     for (const auto& part : x.parts) {
                       if (!part.expr) line("text " + quote(part.text));
                       expr(part.spec.empty() ? "hole" : "hole as " + quote(part.spec), part.expr);
                     }
                   });
                 },
                 [&](const ast::ListLit& x) {
                   node("list", [&] {
                     for (const auto& item : x.items) expr(*item);
                   });
                 },
                 [&](const ast::RecordLit& x) {
                   node("record", [&] {
                     for (const auto& item : x.items) expr("field " + item.name.text, item.value);
                   });
                 },
                 [&](const ast::MapLit& x) {
                   node("map", [&] {
                     for (const auto& item : x.items) {
                       expr("key", item.key);
                       expr("value", item.value);
                     }
                   });
                 },
                 [&](const ast::NameRef& x) { line("name " + x.name.text); },
                 [&](const ast::MemberAccess& x) {
                   expr((x.optional ? "optional member " : "member ") + x.field.text, x.object);
                 },
                 [&](const ast::IndexAccess& x) {
                   node("index", [&] {
                     expr(*x.object);
                     expr(*x.index);
                   });
                 },
                 [&](const ast::Call& x) { call(x); },
                 [&](const ast::Unary& x) {
                   expr(x.op == ast::UnaryOp::Negate ? "unary -" : "unary not", x.operand);
                 },
                 [&](const ast::Binary& x) {
                   node(fmt::format("binary {}", spell(x.op)), [&] {
                     expr(*x.left);
                     expr(*x.right);
                   });
                 },
                 [&](const ast::RangeExpr& x) {
                   node("range", [&] {
                     expr(*x.low);
                     expr(*x.high);
                   });
                 },
                 [&](const ast::IsNone& x) { expr(x.negated ? "is not none" : "is none", x.value); },
                 [&](const ast::IsSome& x) { expr("is some " + x.binding.text, x.value); },
                 [&](const ast::Cast& x) {
                   node("cast", [&] {
                     expr(*x.value);
                     type("to", x.type);
                   });
                 },
                 [&](const ast::If& x) {
                   node("if", [&] {
                     expr(*x.condition);
                     expr("then", x.then_value);
                     expr("else", x.else_value);
                   });
                 },
                 [&](const ast::Match& x) {
                   node("match", [&] {
                     expr(*x.subject);
                     for (const auto& arm : x.arms) {
                       node(arm.is_else ? "else" : "arm", [&] {
                         for (const auto& one : arm.patterns) pattern(one);
                         expr(*arm.value);
                       });
                     }
                   });
                 },
                 [&](const ast::Block& x) {
                   node("block", [&] {
                     for (const auto& binding : x.lets) expr("let " + binding.name.text, binding.value);
                     expr("result", x.result);
                   });
                 },
                 [&](const ast::Lambda& x) {
                   std::string params;
                   for (const auto& param : x.params) params += " " + param.text;
                   expr("lambda" + params, x.body);
                 },
                 [&](const ast::Try& x) {
                   node("try", [&] {
                     expr(*x.value);
                     expr("else", x.otherwise);
                   });
                 },
                 [&](const ast::Paren& x) { expr("paren", x.inner); },
             },
             value.node);
}

void Dumper::call(const ast::Call& value) {
  node("call " + value.function.text, [&] {
    expr("receiver", value.receiver);
    arguments(value.args);
    expr("where", value.filter);
    if (!value.history) return;
    const ast::HistoryClause& history = *value.history;
    static constexpr std::string_view kinds[] = {"by", "over last", "over last events", "over all"};
    node(kinds[static_cast<size_t>(history.over)], [&] {
      if (history.amount) expr(*history.amount);
      for (const auto& key : history.by) expr("key", key);
      if (history.excluding_current) line("excluding current");
      expr("ttl", history.ttl);
    });
  });
}

void Dumper::arguments(const std::vector<ast::Argument>& args) {
  for (const auto& argument : args) {
    expr(argument.name ? "argument " + argument.name->text : std::string("argument"), argument.value);
  }
}

void Dumper::pattern(const ast::Pattern& value) {
  std::visit(Overload{
                 [&](const ast::NonePattern&) { line("pattern none"); },
                 [&](const ast::SomePattern& x) { line("pattern some " + x.binding.text); },
                 [&](const ast::LiteralPattern& x) { expr("pattern", x.value); },
                 [&](const ast::RangePattern& x) {
                   node("pattern range", [&] {
                     expr(*x.low);
                     expr(*x.high);
                   });
                 },
             },
             value.node);
}

void Dumper::type(std::string_view role, const ast::TypePtr& value) {
  if (value) node(role, [&] { type(*value); });
}

void Dumper::type(const ast::TypeExpr& value) {
  std::visit(Overload{
                 [&](const ast::NamedType& x) {
                   node("type " + spell(x.name), [&] {
                     for (const auto& argument : x.args) type(*argument);
                   });
                 },
                 [&](const ast::DecimalType& x) { expr("type decimal", x.scale); },
                 [&](const ast::OptionalType& x) { type("optional", x.inner); },
                 [&](const ast::ListType& x) { type("list of", x.element); },
                 [&](const ast::RecordType& x) {
                   node("record type", [&] {
                     for (const auto& item : x.fields) {
                       node("field " + item.name.text, [&] {
                         for (const auto& doc : item.doc) line("doc " + quote(doc));
                         if (item.was) line("was " + item.was->text);
                         if (item.from) line("from " + quote(*item.from));
                         type(*item.type);
                         expr("default", item.default_value);
                       });
                     }
                   });
                 },
             },
             value.node);
}

}  // namespace mut::printer
