// Into a `json` value: `.name`, `["name"]`, `[i]`. What is not there is none, so a walk of several steps
// needs no
// `?.` (rule 3.16).
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

using typed::ExprPtr;
using typed::Kind;

bool is_json(typed::TypeRef type) {
  return type->kind == Kind::Json || (type->kind == Kind::Optional && type->element->kind == Kind::Json);
}

ExprPtr ExprChecker::json_part(typed::Builtin builtin, ExprPtr json, ExprPtr which, source::Span span) {
  ExprPtr out = make(typed::ExprKind::Call, types_.optional(type(Kind::Json)), span);
  out->builtin = builtin;
  out->args.push_back(std::move(json));
  out->args.push_back(std::move(which));
  return out;
}

}  // namespace mut::sema
