// Literals, calls with their history, and everything else that holds no operator.
#include <fmt/format.h>

#include "compiler/syntax/literals.h"
#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

ast::Expr TreeBuilder::operand(P::OperandContext* context) {
  Span all = span(context);
  if (auto* node = context->NUMBER()) return number(node);
  if (auto* node = context->TIME_LITERAL()) return time(node);
  if (context->TRUE() != nullptr) return {all, ast::BoolLit{true}};
  if (context->FALSE() != nullptr) return {all, ast::BoolLit{false}};
  if (context->NONE() != nullptr) return {all, ast::NoneLit{}};
  if (context->BYTES() != nullptr) {
    std::string_view inside = places_.text(all).substr(2);
    inside.remove_suffix(1);
    return {all, ast::BytesLit{escaped(inside, {all.file, all.begin + 2, all.end - 1}, true)}};
  }
  if (context->REGEX() != nullptr) {
    std::string_view inside = places_.text(all).substr(3);
    inside.remove_suffix(1);
    return {all, ast::RegexLit{std::string(inside)}};
  }
  if (auto* inner = context->text()) return text(inner);
  if (auto* inner = context->list()) return list(inner);
  if (auto* inner = context->record()) return record(inner);
  if (auto* inner = context->strayBraces()) return stray_braces(inner);
  if (auto* inner = context->matchExpr()) return match(inner);
  if (auto* inner = context->mapLiteral()) {
    ast::MapLit out;
    for (auto* item : inner->mapItem()) out.items.push_back({expr(item->expr(0)), expr(item->expr(1))});
    return {all, std::move(out)};
  }
  if (auto* inner = context->block()) {
    ast::Block out;
    for (auto* binding : inner->letBinding())
      out.lets.push_back({ident(binding->name()), expr(binding->expr())});
    out.result = expr(inner->expr());
    return {all, std::move(out)};
  }
  if (auto* inner = context->expr()) return {all, ast::Paren{expr(inner)}};
  if (auto* name = context->name()) return {all, ast::NameRef{ident(name)}};

  ast::Call call;
  antlr4::ParserRuleContext* function = context->callName();
  if (function == nullptr) function = context->historyFunction();
  call.function = ident(function);
  arguments(context->arguments(), call.args, &call.filter);
  if (auto* clause = context->overClause()) call.history = over(clause);
  if (auto* clause = context->historyBy()) call.history = history_by(clause);
  return {all, std::move(call)};
}

ast::Expr TreeBuilder::number(antlr4::tree::TerminalNode* node) {
  Span at = span(node);
  std::string written(places_.text(at));
  Number value = read_number(written);
  if (value.fault == NumberFault::OutOfRange) diags_.report(Code::NumberOutOfRange, at, written);
  if (value.fault == NumberFault::Malformed) {
    auto report = diags_.report(Code::BadNumber, at, written);
    if (!value.suggestion.empty()) {
      report.fix(at, value.suggestion).note(fmt::format("did you mean `{}`?", value.suggestion));
    } else {
      report.note("durations are written `250ms`, `1h30m`, `1.5h` with the units `w d h m s ms us ns`");
    }
  }
  switch (value.kind) {
    case NumberKind::Float:
      return {at, ast::FloatLit{value.real, std::move(written)}};
    case NumberKind::Duration:
      return {at, ast::DurationLit{value.nanoseconds, std::move(written)}};
    case NumberKind::Int:
      break;
  }
  return {at, ast::IntLit{value.whole, std::move(written)}};
}

ast::ExprPtr TreeBuilder::number_or_name(antlr4::tree::TerminalNode* number_node, P::NameContext* name) {
  if (number_node != nullptr) return std::make_unique<ast::Expr>(number(number_node));
  return make<ast::Expr>(span(name), ast::NameRef{ident(name)});
}

ast::Expr TreeBuilder::time(antlr4::tree::TerminalNode* node) {
  Span at = span(node);
  std::string written(places_.text(at).substr(1));
  TimeText value = read_time(written);
  if (!value.valid) {
    diags_.report(Code::BadTimeLiteral, at, "@" + written)
        .note("times are written `@2026-11-20` or `@2026-11-20T10:00:00.5Z`, with `Z` or `+hh:mm`");
  }
  return {at, ast::TimeLit{value.nanoseconds, std::move(written)}};
}

ast::Expr TreeBuilder::text(P::TextContext* context) {
  Span all = span(context);
  if (context->RAW_TEXT() != nullptr) {
    std::string_view inside = places_.text(all);
    size_t fence = inside.find('"');  // `r##"`: as many signs at the end
    inside = inside.substr(fence + 1, inside.size() - 2 * fence - 1);
    return {all, ast::StringLit{std::string(inside), true}};
  }
  ast::Interpolation out;
  std::string stretch;
  auto end_stretch = [&] {
    if (stretch.empty()) return;
    out.parts.emplace_back();
    out.parts.back().text = std::move(stretch);
    stretch.clear();
  };
  bool has_hole = false;
  for (auto* part : context->textPart()) {
    Span at = span(part);
    if (auto* inner = part->expr()) {
      has_hole = true;
      end_stretch();
      ast::InterpolationPart& hole = out.parts.emplace_back();
      hole.expr = expr(inner);
      if (part->SPEC_TEXT() != nullptr) hole.spec = places_.text(span(part->SPEC_TEXT()));
    } else if (part->ESCAPE() != nullptr) {
      escape(stretch, places_.text(at), at, false);
    } else if (part->BRACE_PAIR() != nullptr) {
      stretch += places_.text(at).front();
    } else {
      stretch += places_.text(at);
    }
  }
  if (!has_hole) return {all, ast::StringLit{std::move(stretch), false}};
  end_stretch();
  return {all, std::move(out)};
}

ast::Expr TreeBuilder::list(P::ListContext* context) {
  ast::ListLit out;
  for (auto* item : context->expr()) out.items.push_back(expr(item));
  return {span(context), std::move(out)};
}

ast::Expr TreeBuilder::record(P::RecordContext* context) {
  ast::RecordLit out;
  for (auto* item : context->recordItem()) out.items.push_back({ident(item->anyName()), expr(item->expr())});
  return {span(context), std::move(out)};
}

ast::Expr TreeBuilder::stray_braces(P::StrayBracesContext* context) {
  Span all = span(context);
  Span inner = span(context->expr());
  std::string_view written = places_.text(inner);
  diags_.report(Code::AmbiguousBraces, all, std::string(places_.text(all)))
      .note(fmt::format("a record is `{{ name: {} }}`", written))
      .note(fmt::format("a value is `({})`; a block has at least one `let x = …;`", written));
  return {all, ast::Paren{expr(context->expr())}};
}

ast::Expr TreeBuilder::match(P::MatchExprContext* context) {
  ast::Match out;
  out.subject = expr(context->expr());
  for (auto* arm : context->matchArm()) {
    ast::MatchArm& made = out.arms.emplace_back();
    made.span = span(arm);
    made.is_else = arm->ELSE() != nullptr;
    for (auto* pattern : arm->armPattern()) made.patterns.push_back(arm_pattern(pattern));
    made.value = expr(arm->expr());
  }
  return {span(context), std::move(out)};
}

ast::Pattern TreeBuilder::arm_pattern(P::ArmPatternContext* context) {
  Span all = span(context);
  if (context->NONE() != nullptr) return {all, ast::NonePattern{}};
  if (context->SOME() != nullptr) return {all, ast::SomePattern{ident(context->name())}};
  auto values = context->armValue();
  if (values.size() == 2) return {all, ast::RangePattern{arm_value(values[0]), arm_value(values[1])}};
  return {all, ast::LiteralPattern{arm_value(values[0])}};
}

ast::ExprPtr TreeBuilder::arm_value(P::ArmValueContext* context) {
  Span all = span(context);
  if (auto* node = context->NUMBER()) {
    auto value = std::make_unique<ast::Expr>(number(node));
    if (context->MINUS() == nullptr) return value;
    return make<ast::Expr>(all, ast::Unary{ast::UnaryOp::Negate, std::move(value)});
  }
  if (auto* node = context->TIME_LITERAL()) return std::make_unique<ast::Expr>(time(node));
  if (auto* inner = context->text()) {
    auto value = std::make_unique<ast::Expr>(text(inner));
    if (std::holds_alternative<ast::Interpolation>(value->node)) {
      diags_.report(Code::UnexpectedToken, all, "an interpolation", "plain text");
    }
    return value;
  }
  if (context->BYTES() != nullptr) {
    std::string_view inside = places_.text(all).substr(2);
    inside.remove_suffix(1);
    return make<ast::Expr>(all, ast::BytesLit{escaped(inside, {all.file, all.begin + 2, all.end - 1}, true)});
  }
  if (auto* inner = context->path()) {
    ast::Path value = path(inner);
    auto out = make<ast::Expr>(value.parts[0].span, ast::NameRef{value.parts[0]});
    for (size_t i = 1; i < value.parts.size(); ++i) {
      Span so_far = source::cover(value.span, value.parts[i].span);
      so_far.end = value.parts[i].span.end;
      out = make<ast::Expr>(so_far, ast::MemberAccess{std::move(out), value.parts[i], false});
    }
    return out;
  }
  return make<ast::Expr>(all, ast::BoolLit{context->TRUE() != nullptr});
}

void TreeBuilder::arguments(P::ArgumentsContext* context, std::vector<ast::Argument>& args,
                            ast::ExprPtr* filter) {
  for (auto* argument : context->argument()) {
    ast::Argument& made = args.emplace_back();
    if (auto* name = argument->anyName()) made.name = ident(name);
    made.value = range_allowed(argument->expr());
  }
  auto* condition = context->expr();
  if (condition == nullptr) return;
  if (filter != nullptr) {
    *filter = expr(condition);
  } else {
    diags_.report(Code::UnexpectedToken, span(context->WHERE()), "`where`", "`)`");
  }
}

ast::HistoryClause TreeBuilder::over(P::OverClauseContext* context) {
  ast::HistoryClause out;
  out.span = span(context);
  out.over = context->ALL() != nullptr      ? ast::OverKind::All
             : context->EVENTS() != nullptr ? ast::OverKind::LastEvents
                                            : ast::OverKind::LastDuration;
  if (context->expr() != nullptr) {
    out.amount = make<ast::Expr>(span(context->expr()), ast::Paren{expr(context->expr())});
  } else if (out.over != ast::OverKind::All) {
    out.amount = number_or_name(context->NUMBER(), context->name());
  }
  if (out.over == ast::OverKind::LastDuration && std::holds_alternative<ast::IntLit>(out.amount->node)) {
    Span at = out.amount->span;
    diags_
        .report(Code::UnexpectedToken, at, fmt::format("`{}`", places_.text(at)), "a duration or `N events`")
        .fix({at.file, at.end, at.end}, " events");
  }
  if (auto* keys = context->historyKeys()) out.by = history_keys(keys);
  out.excluding_current = context->EXCLUDING() != nullptr;
  if (auto* ttl = context->historyTtl()) out.ttl = history_ttl(ttl);
  return out;
}

ast::HistoryClause TreeBuilder::history_by(P::HistoryByContext* context) {
  ast::HistoryClause out;
  out.span = span(context);
  out.by = history_keys(context->historyKeys());
  if (auto* ttl = context->historyTtl()) out.ttl = history_ttl(ttl);
  return out;
}

std::vector<ast::ExprPtr> TreeBuilder::history_keys(P::HistoryKeysContext* context) {
  std::vector<ast::ExprPtr> out;
  if (auto* key = context->historyKey()) out.push_back(history_key(key));
  for (auto* key : context->expr()) out.push_back(expr(key));
  return out;
}

// `by a.b`, `by f(a)`, `by a.f()`.
ast::ExprPtr TreeBuilder::history_key(P::HistoryKeyContext* context) {
  ast::Path of = path(context->path());
  size_t names = of.parts.size();
  if (context->arguments() != nullptr) --names;  // the last one is the function
  ast::ExprPtr out;
  for (size_t i = 0; i < names; ++i) {
    const ast::Ident& part = of.parts[i];
    if (!out) {
      out = make<ast::Expr>(part.span, ast::NameRef{part});
    } else {
      Span all = source::cover(out->span, part.span);
      out = make<ast::Expr>(all, ast::MemberAccess{std::move(out), part, false});
    }
  }
  if (context->arguments() == nullptr) return out;
  ast::Call call;
  call.receiver = std::move(out);
  call.function = of.parts.back();
  arguments(context->arguments(), call.args, &call.filter);
  return make<ast::Expr>(span(context), std::move(call));
}

ast::ExprPtr TreeBuilder::history_ttl(P::HistoryTtlContext* context) {
  // `ttl none` says that growing without bound is meant.
  if (auto* none = context->NONE()) return make<ast::Expr>(span(none), ast::NoneLit{});
  return number_or_name(context->NUMBER(), context->name());
}

}  // namespace mut::syntax
