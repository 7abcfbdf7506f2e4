// `parse_time(s, pattern[, year: int])`, `format_time(t, pattern)`. Patterns are constants.
#include "compiler/sema/expr_checker.h"
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
  if (args.size() == 3) {
    diags_.report(Code::NotExecutable, args[2]->span, "a zone of `parse_time`");
    return error(expr.span);
  }
  if (args.size() != 2) {
    diags_.report(Code::ArgumentCount, expr.span, node.function.text, "2 arguments",
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
  return out->args[1]->type->kind == Kind::Error ? error(expr.span) : std::move(out);
}

ExprPtr ExprChecker::check_format_time(const ast::Call& node, const ast::Expr& expr, Scope& scope) {
  std::vector<const ast::Expr*> args;
  if (node.receiver) args.push_back(node.receiver.get());
  for (const ast::Argument& arg : node.args) args.push_back(arg.value.get());
  if (args.size() != 2) {
    diags_.report(Code::ArgumentCount, expr.span, node.function.text, "2 arguments",
                  std::to_string(args.size()));
    return error(expr.span);
  }
  ExprPtr time = check_as(*args[0], scope, type(Kind::Time));
  auto pattern = time_pattern(node.function.text, *args[1]);
  if (!pattern || time->type->kind == Kind::Error) return error(expr.span);
  if (pattern->find('%') == std::string::npos) return literal(type(Kind::String), {*pattern}, expr.span);
  ExprPtr out = make(typed::ExprKind::Format, type(Kind::String), expr.span);
  out->spec = *pattern;
  out->args.push_back(std::move(time));
  return out;
}

}  // namespace mut::sema
