// Functions that look at each element of a list by a lambda.
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

using diag::Code;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

// The body of a lambda, with its parameters bound.
ExprPtr ExprChecker::check_lambda(const ast::Expr& expr, std::vector<LocalName> params, Scope& scope,
                                  TypeRef wanted) {
  const ast::Expr* inner = &expr;
  while (const auto* paren = std::get_if<ast::Paren>(&inner->node)) inner = paren->inner.get();
  const auto* lambda = std::get_if<ast::Lambda>(&inner->node);
  if (lambda == nullptr || lambda->params.size() != params.size()) {
    diags_.report(Code::TypeMismatch, expr.span,
                  params.size() == 1 ? "a lambda, as in `x => x + 1`" : "a lambda, as in `(a, b) => a + b`",
                  lambda == nullptr ? "a value" : "another number of parameters");
    return error(expr.span);
  }
  Scope body = scope;
  // History has one state, not one for each element.
  if (body.place == Place::EventHistory) body.place = Place::Event;
  for (size_t i = 0; i < params.size(); ++i) {
    params[i].name = lambda->params[i].text;
    body.locals.push_back(params[i]);
  }
  return wanted != nullptr && wanted->kind == Kind::Bool ? check_condition(*lambda->body, body)
                                                         : check(*lambda->body, body, wanted);
}

ExprPtr ExprChecker::check_list_call(const ast::Call& node, const std::vector<const ast::Expr*>& args,
                                     const ast::Expr& expr, Scope& scope) {
  const std::string& name = node.function.text;
  size_t wanted = name == "reduce" ? 3 : args.size() == 1 && (name == "any" || name == "all") ? 1 : 2;
  if (args.size() != wanted) {
    diags_.report(Code::ArgumentCount, expr.span, name, std::to_string(wanted) + " arguments",
                  std::to_string(args.size()));
    return error(expr.span);
  }
  ExprPtr list = need_value(check(*args[0], scope), "a list");
  if (list->type->kind == Kind::Error) return error(expr.span);
  if (list->type->kind != Kind::List) {
    diags_.report(Code::ArgumentType, args[0]->span, "1", name, "a list", quoted(list->type));
    return error(expr.span);
  }
  TypeRef list_type = list->type;
  TypeRef element = list_type->element;
  LocalName local{"", local_count_++, element};
  auto each = [&](ExprKind kind, TypeRef result, ExprPtr body) {
    ExprPtr out = make(kind, result, expr.span);
    out->index = local.index;
    out->args.push_back(std::move(list));
    out->args.push_back(std::move(body));
    return out;
  };
  if (wanted == 1) {
    if (element->kind != Kind::Bool) {
      diags_.report(Code::ArgumentType, args[0]->span, "1", name, "`[bool]`", quoted(list_type));
      return error(expr.span);
    }
    ExprPtr body = make(ExprKind::Local, element, expr.span);
    body->index = local.index;
    return each(name == "any" ? ExprKind::AnyOf : ExprKind::AllOf, type(Kind::Bool), std::move(body));
  }
  if (name == "reduce") {
    ExprPtr first = check(*args[1], scope);
    if (first->type->kind == Kind::Error) return first;
    if (first->type->kind == Kind::None) {
      diags_.report(Code::CannotInferType, args[1]->span);
      return error(expr.span);
    }
    TypeRef result = first->type;
    LocalName before{"", local_count_++, result};
    ExprPtr body = check_lambda(*args[2], {before, local}, scope, result);
    if (body->type->kind == Kind::Error) return body;
    ExprPtr out = each(ExprKind::Reduce, result, std::move(first));
    out->args.push_back(coerce(std::move(body), result));
    return out;
  }
  bool condition = name == "filter" || name == "any" || name == "all";
  ExprPtr body = check_lambda(*args[1], {local}, scope, condition ? type(Kind::Bool) : nullptr);
  if (body->type->kind == Kind::Error) return error(expr.span);
  if (name == "filter") return each(ExprKind::FilterList, list_type, std::move(body));
  if (condition)
    return each(name == "any" ? ExprKind::AnyOf : ExprKind::AllOf, type(Kind::Bool), std::move(body));
  if (body->type->kind == Kind::None) {
    diags_.report(Code::CannotInferType, body->span);
    return error(expr.span);
  }
  if (name == "map") {
    TypeRef result = types_.list(body->type);
    return each(ExprKind::MapList, result, std::move(body));
  }
  // sort: the list by the list of its keys.
  if (!typed::is_ordered(body->type)) {
    diags_.report(Code::NoOrder, body->span, quoted(body->type));
    return error(expr.span);
  }
  int copy = local_count_++;
  auto the_list = [&] {
    ExprPtr out = make(ExprKind::Local, list_type, expr.span);
    out->index = copy;
    return out;
  };
  ExprPtr given = std::move(list);
  list = the_list();
  TypeRef keys_type = types_.list(body->type);
  ExprPtr keys = each(ExprKind::MapList, keys_type, std::move(body));
  ExprPtr sorted = make(ExprKind::Call, list_type, expr.span);
  sorted->builtin = typed::Builtin::ListSort;
  sorted->args.push_back(the_list());
  sorted->args.push_back(std::move(keys));
  ExprPtr out = make(ExprKind::Let, list_type, expr.span);
  out->index = copy;
  out->args.push_back(std::move(given));
  out->args.push_back(std::move(sorted));
  return out;
}

}  // namespace mut::sema
