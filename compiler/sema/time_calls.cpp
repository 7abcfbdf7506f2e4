// `parse_time(s, pattern[, zone][, year: int])`, `format_time(t, pattern[, zone])`. Patterns and zones are
// constants.
#include "compiler/sema/expr_checker.h"
#include "compiler/sema/zones.h"
#include "runtime/calendar/zone.h"
#include "runtime/codec/text/time_pattern.h"

namespace mut::sema {

using diag::Code;
using typed::ExprPtr;
using typed::Kind;

std::optional<std::string> ExprChecker::time_pattern(const std::string& function, const ast::Expr& expr) {
  auto pattern = check_constant(expr, type(Kind::String));
  if (!pattern) return std::nullopt;
  std::string problem = text::pattern_problem(pattern->value.as_text());
  if (problem.empty()) return pattern->value.as_text();
  diags_.report(Code::BadOption, expr.span, "pattern` of `" + function, problem);
  return std::nullopt;
}

ExprPtr ExprChecker::check_parse_time(const ast::Call& node, const ast::Expr& expr, Scope& scope) {
  std::vector<const ast::Expr*> args;
  const ast::Expr* year = nullptr;
  if (node.receiver) args.push_back(node.receiver.get());
  for (const ast::Argument& arg : node.args) {
    if (!arg.name) {
      args.push_back(arg.value.get());
    } else if (arg.name->text == "year") {
      year = arg.value.get();
    } else {
      diags_.report(Code::UnknownOption, arg.name->span, node.function.text, arg.name->text);
      return error(expr.span);
    }
  }
  if (args.size() != 2 && args.size() != 3) {
    diags_.report(Code::ArgumentCount, expr.span, node.function.text, "2 or 3 arguments",
                  std::to_string(args.size()));
    return error(expr.span);
  }
  ExprPtr text = check_as(*args[0], scope, type(Kind::String));
  auto pattern = time_pattern(node.function.text, *args[1]);
  if (!pattern || text->type->kind == Kind::Error) return error(expr.span);
  if (year == nullptr && !text::has_year(*pattern)) {
    diags_.report(Code::MissingOption, args[1]->span, node.function.text, "a year: none is in the pattern")
        .note("write it, as in `parse_time(s, pattern, year: 2026)`");
    return error(expr.span);
  }
  ExprPtr out = make(typed::ExprKind::Call, type(Kind::Time), expr.span);
  out->builtin = typed::Builtin::ParseTime;
  out->spec = *pattern;
  out->args.push_back(std::move(text));
  out->args.push_back(year != nullptr ? check_as(*year, scope, type(Kind::Int))
                                      : literal(type(Kind::Int), {int64_t{1970}}, expr.span));
  if (out->args[1]->type->kind == Kind::Error) return error(expr.span);
  if (args.size() == 2) return out;
  if (pattern->find("%z") != std::string::npos) {
    diags_.report(Code::BadOption, args[2]->span, "zone` of `parse_time", "`%z` reads one from the text");
    return error(expr.span);
  }
  return in_zone(typed::Builtin::FromLocal, std::move(out), *args[2]);
}

ExprPtr ExprChecker::in_zone(typed::Builtin direction, ExprPtr time, const ast::Expr& zone) {
  auto name = check_constant(zone, type(Kind::String));
  if (!name) return error(zone.span);
  if (!calendar::Zone::find(name->value.as_text())) {
    unknown_zone(diags_, zone.span, name->value.as_text());
    return error(zone.span);
  }
  ExprPtr out = make(typed::ExprKind::Call, type(Kind::Time), time->span);
  out->builtin = direction;
  out->spec = name->value.as_text();
  out->args.push_back(std::move(time));
  return out;
}

void unknown_zone(diag::Engine& diags, source::Span span, const std::string& name) {
  std::vector<std::string> names = calendar::Zone::names();
  auto report = diags.report(Code::UnknownZone, span, name);
  if (names.empty()) {
    report.note("this system knows no zones: install its package `tzdata`");
  } else if (auto near = diag::did_you_mean(name, names)) {
    report.note("did you mean `" + *near + "`?");
  } else {
    report.note("names are those of the tz database, as \"Europe/Berlin\"");
  }
}

ExprPtr ExprChecker::check_format_time(const ast::Call& node, const ast::Expr& expr, Scope& scope) {
  std::vector<const ast::Expr*> args;
  if (node.receiver) args.push_back(node.receiver.get());
  for (const ast::Argument& arg : node.args) args.push_back(arg.value.get());
  if (args.size() != 2 && args.size() != 3) {
    diags_.report(Code::ArgumentCount, expr.span, node.function.text, "2 or 3 arguments",
                  std::to_string(args.size()));
    return error(expr.span);
  }
  ExprPtr time = check_as(*args[0], scope, type(Kind::Time));
  if (args.size() == 3) time = in_zone(typed::Builtin::ToLocal, std::move(time), *args[2]);
  auto pattern = time_pattern(node.function.text, *args[1]);
  if (!pattern || time->type->kind == Kind::Error) return error(expr.span);
  if (pattern->find('%') == std::string::npos) return literal(type(Kind::String), {*pattern}, expr.span);
  ExprPtr out = make(typed::ExprKind::Format, type(Kind::String), expr.span);
  out->spec = *pattern;
  out->args.push_back(std::move(time));
  return out;
}

}  // namespace mut::sema
