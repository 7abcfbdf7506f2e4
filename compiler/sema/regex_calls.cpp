// Regular expressions: `text ~ re"…"`, `replace`, `capture`. A pattern is known when the script is checked.
#include "compiler/sema/expr_checker.h"
#include "compiler/sema/operator_use.h"
#include "runtime/regex/regex.h"

namespace mut::sema {

using diag::Code;
using typed::Builtin;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

// The pattern that an expression is: a literal, a `const` of one, or what an operator was passed.
const ast::RegexLit* ExprChecker::regex_of(const ast::Expr& expr) const {
  if (const auto* literal = std::get_if<ast::RegexLit>(&expr.node)) return literal;
  if (const auto* paren = std::get_if<ast::Paren>(&expr.node)) return regex_of(*paren->inner);
  const auto* name = std::get_if<ast::NameRef>(&expr.node);
  if (name == nullptr) return nullptr;
  for (const OperatorUse* use = use_; use != nullptr;) {
    const OperatorUse::Argument* argument = use->find(name->name.text);
    if (argument == nullptr) break;
    if (argument->parameter->type) return nullptr;
    const ast::Expr* given = argument->given;
    if (const auto* literal = std::get_if<ast::RegexLit>(&given->node)) return literal;
    const auto* outer = std::get_if<ast::NameRef>(&given->node);
    if (outer == nullptr) return nullptr;
    auto known = use->caller.names->regexes.find(outer->name.text);
    if (known != use->caller.names->regexes.end()) return known->second;
    name = outer;
    use = use->caller.use;
  }
  auto known = names_->regexes.find(name->name.text);
  return known == names_->regexes.end() ? nullptr : known->second;
}

std::shared_ptr<const regex::Regex> ExprChecker::check_regex(const ast::Expr& expr) {
  const ast::RegexLit* literal = regex_of(expr);
  if (literal == nullptr) {
    diags_.report(Code::TypeMismatch, expr.span, "a regular expression, as in `re\"^ab+\"`", "a value");
    return nullptr;
  }
  std::string problem;
  auto out = regex::Regex::compile(literal->pattern, problem);
  if (out == nullptr) diags_.report(Code::BadRegex, expr.span, problem);
  return out;
}

ExprPtr ExprChecker::check_regex_call(Builtin builtin, const std::vector<const ast::Expr*>& args,
                                      const ast::Expr& expr, Scope& scope) {
  auto compiled = check_regex(*args[1]);
  ExprPtr text = check_as(*args[0], scope, type(Kind::String));
  if (compiled == nullptr || text->type->kind == Kind::Error) return error(expr.span);
  TypeRef result = type(builtin == Builtin::ReplaceRegex ? Kind::String : Kind::Bool);
  if (builtin == Builtin::Capture) {
    std::vector<typed::Field> fields;
    for (const regex::Group& group : compiled->groups()) {
      typed::Field field;
      field.name = group.name;
      field.type = type(Kind::String);
      if (group.may_be_absent) field.type = types_.optional(field.type);
      fields.push_back(std::move(field));
    }
    if (fields.empty()) {
      diags_.report(Code::BadRegex, args[1]->span, "`capture` needs named groups, as in `(?<word>\\w+)`");
      return error(expr.span);
    }
    result = types_.optional(types_.record(std::move(fields)));
  }
  ExprPtr out = make(ExprKind::Call, result, expr.span);
  out->builtin = builtin;
  out->spec = regex_of(*args[1])->pattern;
  out->args.push_back(std::move(text));
  if (builtin == Builtin::ReplaceRegex) {
    out->args.push_back(check_as(*args[2], scope, type(Kind::String)));
    if (out->args[1]->type->kind == Kind::Error) return error(expr.span);
  }
  return out;
}

}  // namespace mut::sema
