#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using source::Span;

ast::TypePtr TreeBuilder::type(P::TypeContext* context) {
  if (depth_ >= tree_depth_max) {
    if (!too_deep_) diags_.report(diag::Code::NestedTooDeep, span(context), std::to_string(tree_depth_max));
    too_deep_ = true;
    return make<ast::TypeExpr>(span(context), ast::NamedType{});
  }
  ++depth_;
  auto out = std::make_unique<ast::TypeExpr>(type_atom(context->typeAtom()));
  --depth_;
  auto marks = context->QUESTION();
  // `T??` is `T?`.
  if (!marks.empty()) out = make<ast::TypeExpr>(span(context), ast::OptionalType{std::move(out)});
  return out;
}

ast::TypeExpr TreeBuilder::type_atom(P::TypeAtomContext* context) {
  Span all = span(context);
  if (auto* word = context->DECIMAL()) {
    return {all,
            ast::DecimalType{{std::string(places_.text(span(word))), span(word)}, expr(context->expr())}};
  }
  if (context->LESS() != nullptr) {
    Span word = places_.span(*context->start);
    ast::NamedType out;
    out.name = {{{std::string(places_.text(word)), word}}, word};
    for (auto* argument : context->type()) out.args.push_back(type(argument));
    return {all, std::move(out)};
  }
  if (auto* name = context->path()) return {all, ast::NamedType{path(name), {}}};
  if (context->BRACKET_OPEN() != nullptr) return {all, ast::ListType{type(context->type(0))}};
  ast::RecordType out;
  for (auto* item : context->fieldDecl()) out.fields.push_back(field(item));
  return {all, std::move(out)};
}

ast::FieldDecl TreeBuilder::field(P::FieldDeclContext* context) {
  ast::FieldDecl out;
  auto names = context->anyName();
  out.name = ident(names[0]);
  if (names.size() > 1) out.was = ident(names[1]);
  if (auto* from = context->text()) out.from = plain_text(from);
  out.type = type(context->type());
  if (auto* value = context->expr()) out.default_value = expr(value);
  out.doc = docs_before(context);
  return out;
}

}  // namespace mut::syntax
