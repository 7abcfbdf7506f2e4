// Maps: their literals; and constants that hold several values.
#include "compiler/sema/call_checker.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::Const;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

namespace {

// Of the keys that are known here, one that was given before.
bool report_twice(const std::vector<ExprPtr>& entries, TypeRef key, diag::Engine& diags) {
  std::map<std::string, Span> known;  // a key's text is its own
  bool any = false;
  for (size_t i = 0; i < entries.size(); i += 2) {
    auto value = fold_constant(*entries[i]);
    if (!value) continue;
    std::string text = typed::to_text(*value, key);
    auto [before, fresh] = known.emplace(text, entries[i]->span);
    any = any || !fresh;
    if (!fresh) diags.report(Code::MapKeyTwice, entries[i]->span, text).note(before->second, "given here");
  }
  return any;
}

}  // namespace

ExprPtr ExprChecker::visit(const ast::MapLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  bool told = wanted != nullptr && wanted->kind == Kind::Map;
  std::vector<const ast::Expr*> written[2];
  std::vector<ExprPtr> checked[2];
  for (const ast::MapItem& item : node.items) {
    written[0].push_back(item.key.get());
    written[1].push_back(item.value.get());
    checked[0].push_back(check(*item.key, scope, told ? wanted->key() : nullptr));
    checked[1].push_back(check(*item.value, scope, told ? wanted->value() : nullptr));
  }
  TypeRef joined[2] = {told ? wanted->key() : nullptr, told ? wanted->value() : nullptr};
  for (int side = 0; side < 2 && !told; ++side) {
    recheck_numbers(written[side], scope, checked[side]);
    for (const ExprPtr& value : checked[side]) {
      TypeRef next = joined[side] == nullptr ? value->type : unify(joined[side], value->type);
      if (next == nullptr) {
        diags_.report(Code::BranchTypes, value->span, quoted(joined[side]), quoted(value->type));
        return error(expr.span);
      }
      joined[side] = next;
    }
    if (joined[side] == nullptr) joined[side] = type(Kind::None);
  }
  if (joined[0]->kind == Kind::Error || joined[1]->kind == Kind::Error) return error(expr.span);
  if (!node.items.empty() && !typed::is_map_key(joined[0])) {
    diags_.report(Code::MapKey, written[0][0]->span, quoted(joined[0]));
    return error(expr.span);
  }
  ExprPtr out = make(ExprKind::MakeMap, types_.map(joined[0], joined[1]), expr.span);
  bool fine = true;
  for (size_t i = 0; i < node.items.size(); ++i) {
    for (int side = 0; side < 2; ++side) {
      ExprPtr value = coerce(std::move(checked[side][i]), joined[side]);
      fine = fine && value->type->kind != Kind::Error;
      out->args.push_back(std::move(value));
    }
  }
  if (!fine || report_twice(out->args, joined[0], diags_)) return error(expr.span);
  return out;
}

// A literal of a single value; of a list, record or map what makes it of such.
ExprPtr ExprChecker::constant_value(TypeRef type, const Const& value, Span span) const {
  TypeRef inner = typed::without_none(type);
  if (value.is_none() || !typed::holds_values(inner)) return literal(type, value, span);
  ExprKind kind = inner->kind == Kind::List  ? ExprKind::MakeList
                  : inner->kind == Kind::Map ? ExprKind::MakeMap
                                             : ExprKind::MakeRecord;
  ExprPtr out = make(kind, inner, span);
  const Const::Parts& parts = value.parts();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (inner->kind == Kind::Map) {
      out->args.push_back(constant_value(inner->key(), parts[i].parts()[0], span));
      out->args.push_back(constant_value(inner->value(), parts[i].parts()[1], span));
    } else {
      TypeRef part = inner->kind == Kind::List ? inner->element : inner->fields[i].type;
      out->args.push_back(constant_value(part, parts[i], span));
    }
  }
  if (inner == type) return out;
  ExprPtr some = make(ExprKind::Convert, type, span);
  some->args.push_back(std::move(out));
  return some;
}

ExprPtr CallChecker::map_function(Builtin builtin) {
  return count_is(1, 1) ? map_function(builtin, checker.check(*args[0], scope)) : error();
}

ExprPtr CallChecker::map_function(Builtin builtin, ExprPtr map) {
  TypeRef of = map->type;
  if (!argument_is(map, 0, of->kind == Kind::Map, "a map")) return error();
  std::vector<ExprPtr> values;
  values.push_back(std::move(map));
  if (args.size() == 2) values.push_back(checker.check_as(*args[1], scope, of->key()));
  if (values.back()->type->kind == Kind::Error) return error();
  TypeRef result = nullptr;
  switch (builtin) {
    case Builtin::Len:
      result = type(Kind::Int);
      break;
    case Builtin::Contains:
      result = type(Kind::Bool);
      break;
    case Builtin::Get:
      result = checker.types_.optional(of->value());
      break;
    default:
      result = checker.types_.list(builtin == Builtin::MapKeys ? of->key() : of->value());
  }
  return call(builtin, result, std::move(values));
}

// `put(m, key, value)`, `remove(m, key)`.
ExprPtr CallChecker::changed_map(Builtin builtin) {
  bool puts = builtin == Builtin::MapPut;
  if (!count_is(puts ? 3 : 2, puts ? 3 : 2)) return error();
  ExprPtr map = checker.check(*args[0], scope, hint);
  if (!argument_is(map, 0, map->type->kind == Kind::Map, "a map")) return error();
  if (puts && map->type->key()->kind == Kind::None) return put_first();
  TypeRef of = map->type;
  std::vector<ExprPtr> values;
  values.push_back(std::move(map));
  values.push_back(checker.check_as(*args[1], scope, of->key()));
  if (puts) values.push_back(checker.check_as(*args[2], scope, of->value()));
  for (const ExprPtr& value : values) {
    if (value->type->kind == Kind::Error) return error();
  }
  return call(builtin, of, std::move(values));
}

// Into `map {}`: its types are those of what is put.
ExprPtr CallChecker::put_first() {
  ExprPtr key = checker.check(*args[1], scope);
  ExprPtr value = checker.check(*args[2], scope);
  if (key->type->kind == Kind::Error || value->type->kind == Kind::Error) return error();
  if (!typed::is_map_key(key->type)) {
    diags().report(Code::MapKey, args[1]->span, quoted(key->type));
    return error();
  }
  if (value->type->kind == Kind::None) {
    diags().report(Code::CannotInferType, args[2]->span);
    return error();
  }
  TypeRef of = checker.types_.map(key->type, value->type);
  std::vector<ExprPtr> values;
  values.push_back(checker.check_as(*args[0], scope, of));
  values.push_back(std::move(key));
  values.push_back(std::move(value));
  return values[0]->type->kind == Kind::Error ? error() : call(Builtin::MapPut, of, std::move(values));
}

// ---- secrets

ExprPtr CallChecker::reveal() {
  if (!count_is(1, 1)) return error();
  ExprPtr value = checker.check(*args[0], scope);
  TypeRef secret = typed::without_none(value->type);
  if (value->type->kind == Kind::Error) return error();
  if (secret->kind != Kind::Secret) {
    diags().report(Code::ArgumentType, value->span, "1", "reveal", "a secret", quoted(value->type));
    return error();
  }
  TypeRef result = secret == value->type ? secret->element : checker.types_.optional(secret->element);
  std::vector<ExprPtr> values;
  values.push_back(std::move(value));
  return call(Builtin::Reveal, result, std::move(values));
}

ExprPtr ExprChecker::secret_use(const Expr& value, std::string_view what) const {
  bool whole = typed::without_none(value.type)->kind == Kind::Secret;
  std::string which = whole ? quoted(value.type) : "a part of " + quoted(value.type);
  diags_.report(Code::SecretShown, value.span, which, std::string(what))
      .note("write `reveal(x)` where it may be seen");
  return error(value.span);
}

}  // namespace mut::sema
