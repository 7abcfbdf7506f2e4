// Expressions and types. Parentheses are in the tree, so none need to be added here.
#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {
namespace {

// A margin nothing reaches: text with interpolations stays on its line.
constexpr size_t one_line = SIZE_MAX / 2;

// A key of a history that needs no parentheses: a path, or a call of one.
bool is_bare_key(const ast::Expr& key) {
  if (std::holds_alternative<ast::NameRef>(key.node)) return true;
  if (const auto* member = std::get_if<ast::MemberAccess>(&key.node))
    return !member->optional && is_bare_key(*member->object) &&
           !std::holds_alternative<ast::Call>(member->object->node);
  const auto* call = std::get_if<ast::Call>(&key.node);
  if (call == nullptr || call->history) return false;
  return !call->receiver ||
         (is_bare_key(*call->receiver) && !std::holds_alternative<ast::Call>(call->receiver->node));
}

bool is_logic(ast::BinaryOp op) { return op == ast::BinaryOp::And || op == ast::BinaryOp::Or; }
bool is_sum(ast::BinaryOp op) { return op == ast::BinaryOp::Add || op == ast::BinaryOp::Subtract; }
bool is_product(ast::BinaryOp op) {
  return op == ast::BinaryOp::Multiply || op == ast::BinaryOp::Divide || op == ast::BinaryOp::Remainder;
}
// Operands of these stand side by side when they are broken over lines.
bool same_level(ast::BinaryOp a, ast::BinaryOp b) {
  return (is_logic(a) && a == b) || (is_sum(a) && is_sum(b)) || (is_product(a) && is_product(b));
}

}  // namespace

void Formatter::expr(const ast::Expr& expr_node) {
  const Span span = expr_node.span;
  std::visit(Overload{
                 [&](const ast::IntLit& node) { out_.text(node.text); },
                 [&](const ast::FloatLit& node) { out_.text(node.text); },
                 [&](const ast::BoolLit& node) { out_.text(node.value ? "true" : "false"); },
                 [&](const ast::NoneLit&) { out_.text("none"); },
                 [&](const ast::StringLit& node) {
                   out_.text(node.raw ? spell_raw(node.value) : quote(node.value));
                 },
                 [&](const ast::BytesLit& node) { out_.text(spell_bytes(node.value)); },
                 [&](const ast::RegexLit& node) { out_.text("re\"" + node.pattern + "\""); },
                 [&](const ast::DurationLit& node) { out_.text(node.text); },
                 [&](const ast::TimeLit& node) { out_.text("@" + node.text); },
                 [&](const ast::Interpolation& node) { interpolation(node); },
                 [&](const ast::ListLit& node) {
                   list(
                       {"[", "]", false, false, span.end}, node.items.size(),
                       [&](size_t i) { return node.items[i]->span; },
                       [&](size_t i) { expr(*node.items[i]); });
                 },
                 [&](const ast::RecordLit& node) {
                   auto item_span = [&](size_t i) {
                     return cover(node.items[i].name.span, node.items[i].value->span);
                   };
                   list({"{", "}", true, false, span.end}, node.items.size(), item_span, [&](size_t i) {
                     out_.text(spell(node.items[i].name, NamePlace::Field) + ": ");
                     expr(*node.items[i].value);
                   });
                 },
                 [&](const ast::MapLit& node) {
                   auto item_span = [&](size_t i) {
                     return cover(node.items[i].key->span, node.items[i].value->span);
                   };
                   list({"map {", "}", true, false, span.end}, node.items.size(), item_span, [&](size_t i) {
                     expr(*node.items[i].key);
                     out_.text(": ");
                     expr(*node.items[i].value);
                   });
                 },
                 [&](const ast::NameRef& node) { out_.text(spell(node.name)); },
                 [&](const ast::MemberAccess& node) {
                   expr(*node.object);
                   out_.text((node.optional ? "?." : ".") + spell(node.field, NamePlace::Field));
                 },
                 [&](const ast::IndexAccess& node) {
                   expr(*node.object);
                   out_.text("[");
                   expr(*node.index);
                   out_.text("]");
                 },
                 [&](const ast::Call& node) { call(node); },
                 [&](const ast::Unary& node) {
                   out_.text(node.op == ast::UnaryOp::Negate ? "-" : "not ");
                   expr(*node.operand);
                 },
                 [&](const ast::Binary& node) { binary(node); },
                 [&](const ast::RangeExpr& node) {
                   expr(*node.low);
                   out_.text("..");
                   expr(*node.high);
                 },
                 [&](const ast::IsNone& node) {
                   expr(*node.value);
                   out_.text(node.negated ? " is not none" : " is none");
                 },
                 [&](const ast::IsSome& node) {
                   expr(*node.value);
                   out_.text(" is some " + spell(node.binding));
                 },
                 [&](const ast::Cast& node) {
                   expr(*node.value);
                   out_.text(" as ");
                   type(*node.type);
                 },
                 [&](const ast::If& node) {
                   out_.begin(2);
                   out_.text("if ");
                   expr(*node.condition);
                   out_.line();
                   out_.text("then ");
                   expr(*node.then_value);
                   out_.line();
                   out_.text("else ");
                   expr(*node.else_value);
                   out_.end();
                 },
                 [&](const ast::Match& node) { match(expr_node, node); },
                 [&](const ast::Block& node) {
                   out_.begin(0);
                   out_.text("{");
                   out_.begin_indent(2);
                   out_.line();
                   for (const ast::LetBinding& binding : node.lets) {
                     leading(binding.name.span.begin);
                     out_.text("let " + spell(binding.name) + " = ");
                     expr(*binding.value);
                     out_.text(";");
                     if (trailing(binding.value->span.end) || comment_waits(node.result->span.begin)) {
                       out_.hard_line();
                     } else {
                       out_.line();
                     }
                   }
                   leading(node.result->span.begin);
                   expr(*node.result);
                   out_.end_indent();
                   out_.line();
                   out_.text("}");
                   out_.end();
                 },
                 [&](const ast::Lambda& node) {
                   bool bare = node.params.size() == 1;
                   std::string params;
                   for (const ast::Ident& name : node.params)
                     params += (params.empty() ? "" : ", ") + spell(name);
                   out_.text((bare ? params : "(" + params + ")") + " => ");
                   expr(*node.body);
                 },
                 [&](const ast::Try& node) {
                   out_.begin(2);
                   out_.text("try ");
                   expr(*node.value);
                   out_.line();
                   out_.text("else ");
                   expr(*node.otherwise);
                   out_.end();
                 },
                 [&](const ast::Paren& node) {
                   out_.text("(");
                   expr(*node.inner);
                   out_.text(")");
                 },
             },
             expr_node.node);
}

void Formatter::binary(const ast::Binary& node) {
  // The operators of one level from the left, so that a long sum does not walk to the right.
  std::vector<const ast::Binary*> links = {&node};
  const ast::Expr* first = node.left.get();
  while (const auto* inner = std::get_if<ast::Binary>(&first->node)) {
    if (!same_level(node.op, inner->op)) break;
    links.push_back(inner);
    first = inner->left.get();
  }

  out_.begin(2);
  expr(*first);
  for (size_t i = links.size(); i-- > 0;) {
    std::string sign(spell(links[i]->op));
    // A line that begins with `-` reads like a new statement; words may begin one.
    bool ahead = is_logic(links[i]->op) || links[i]->op == ast::BinaryOp::Coalesce;
    if (ahead) {
      out_.line();
      out_.text(sign + " ");
    } else {
      out_.text(" " + sign);
      out_.line();
    }
    expr(*links[i]->right);
  }
  out_.end();
}

void Formatter::call(const ast::Call& node) {
  if (node.receiver) {
    expr(*node.receiver);
    out_.text("." + spell(node.function, NamePlace::Field));
  } else {
    out_.text(spell(node.function));
  }
  arguments(node.args, node.filter);
  if (node.history) history(*node.history);
}

void Formatter::arguments(const std::vector<ast::Argument>& args, const ast::ExprPtr& filter) {
  out_.begin(2);
  out_.text("(");
  for (size_t i = 0; i < args.size(); ++i) {
    if (i == 0) {
      out_.soft_line();
    } else {
      out_.text(",");
      out_.line();
    }
    if (args[i].name) out_.text(spell(*args[i].name, NamePlace::Field) + ": ");
    expr(*args[i].value);
  }
  if (filter) {
    if (!args.empty()) out_.line();
    out_.text("where ");
    expr(*filter);
  }
  out_.text(")");
  out_.end();
}

void Formatter::history(const ast::HistoryClause& clause) {
  switch (clause.over) {
    case ast::OverKind::None:
      break;
    case ast::OverKind::All:
      out_.text(" over all");
      break;
    case ast::OverKind::LastDuration:
    case ast::OverKind::LastEvents:
      out_.text(" over last ");
      expr(*clause.amount);
      if (clause.over == ast::OverKind::LastEvents) out_.text(" events");
      break;
  }
  if (!clause.by.empty()) {
    bool bare = clause.by.size() == 1 && is_bare_key(*clause.by[0]);
    out_.text(bare ? " by " : " by (");
    for (size_t i = 0; i < clause.by.size(); ++i) {
      if (i > 0) out_.text(", ");
      expr(*clause.by[i]);
    }
    if (!bare) out_.text(")");
  }
  if (clause.excluding_current) out_.text(" excluding current");
  if (clause.ttl) {
    out_.text(" ttl ");
    expr(*clause.ttl);
  }
}

void Formatter::match(const ast::Expr& expr_node, const ast::Match& node) {
  out_.text("match ");
  expr(*node.subject);
  list(
      {" {", "}", true, false, expr_node.span.end}, node.arms.size(),
      [&](size_t i) { return node.arms[i].span; },
      [&](size_t i) {
        const ast::MatchArm& arm = node.arms[i];
        for (size_t k = 0; k < arm.patterns.size(); ++k) {
          if (k > 0) out_.text(" or ");
          pattern(arm.patterns[k]);
        }
        out_.text(arm.is_else ? "else -> " : " -> ");
        expr(*arm.value);
      });
}

void Formatter::pattern(const ast::Pattern& pattern_node) {
  std::visit(Overload{
                 [&](const ast::NonePattern&) { out_.text("none"); },
                 [&](const ast::SomePattern& node) { out_.text("some " + spell(node.binding)); },
                 [&](const ast::LiteralPattern& node) { expr(*node.value); },
                 [&](const ast::RangePattern& node) {
                   expr(*node.low);
                   out_.text("..");
                   expr(*node.high);
                 },
             },
             pattern_node.node);
}

void Formatter::interpolation(const ast::Interpolation& node) {
  std::string out = "\"";
  for (const ast::InterpolationPart& part : node.parts) {
    if (!part.expr) {
      out += spell_text(part.text);
      continue;
    }
    Formatter inner;
    inner.expr(*part.expr);
    std::string hole = inner.out_.render(one_line);
    // `{{` would be a brace.
    out += hole.starts_with('{') ? "{ " : "{";
    out += hole;
    if (!part.spec.empty()) out += ":" + part.spec;
    out += "}";
  }
  out_.text(out + "\"");
}

void Formatter::type(const ast::TypeExpr& type_node) {
  std::visit(Overload{
                 [&](const ast::NamedType& node) {
                   out_.text(spell(node.name));
                   if (node.args.empty()) return;
                   out_.text("<");
                   for (size_t i = 0; i < node.args.size(); ++i) {
                     if (i > 0) out_.text(", ");
                     type(*node.args[i]);
                   }
                   out_.text(">");
                 },
                 [&](const ast::DecimalType& node) {
                   out_.text("decimal(");
                   expr(*node.scale);
                   out_.text(")");
                 },
                 [&](const ast::OptionalType& node) {
                   type(*node.inner);
                   out_.text("?");
                 },
                 [&](const ast::ListType& node) {
                   out_.text("[");
                   type(*node.element);
                   out_.text("]");
                 },
                 [&](const ast::RecordType& node) {
                   auto span = [&](size_t i) {
                     const ast::FieldDecl& item = node.fields[i];
                     Span end = item.default_value ? item.default_value->span : item.type->span;
                     return cover(item.name.span, end);
                   };
                   list({"{", "}", true, false, type_node.span.end}, node.fields.size(), span,
                        [&](size_t i) { field(node.fields[i]); });
                 },
             },
             type_node.node);
}

void Formatter::field(const ast::FieldDecl& node) {
  if (!node.doc.empty()) docs(node.doc);
  out_.text(spell(node.name, NamePlace::Field));
  if (node.was) out_.text(" was " + spell(*node.was, NamePlace::Field));
  if (node.from) out_.text(" from " + quote(*node.from));
  out_.text(": ");
  type(*node.type);
  if (!node.default_value) return;
  out_.text(" = ");
  expr(*node.default_value);
}

}  // namespace mut::printer
