// Names, literals, members, records: the leaves of expressions and what holds them together.
#include "compiler/sema/expr_checker.h"

#include "compiler/sema/check.h"
#include "compiler/sema/operator_use.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::Const;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

bool literal_fits(int64_t value, Kind kind) {
  switch (kind) {
    case Kind::I8:
      return value >= -128 && value <= 127;
    case Kind::I16:
      return value >= -32768 && value <= 32767;
    case Kind::I32:
      return value >= INT32_MIN && value <= INT32_MAX;
    case Kind::U8:
      return value >= 0 && value <= 255;
    case Kind::U16:
      return value >= 0 && value <= 65535;
    case Kind::U32:
      return value >= 0 && value <= int64_t{UINT32_MAX};
    case Kind::U64:
      return value >= 0;
    default:
      return true;
  }
}

ExprPtr ExprChecker::make(ExprKind kind, TypeRef type, Span span) const {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->type = type;
  out->span = span;
  return out;
}

ExprPtr ExprChecker::literal(TypeRef type, Const value, Span span) const {
  ExprPtr out = make(ExprKind::Literal, type, span);
  out->value = std::move(value);
  return out;
}

ExprPtr ExprChecker::error(Span span) const { return make(ExprKind::Literal, type(Kind::Error), span); }

ExprPtr ExprChecker::check(const ast::Expr& expr, Scope& scope, TypeRef hint) {
  if (++node_count_ > expr_nodes_max) {
    if (node_count_ == expr_nodes_max + 1) {
      diags_.report(Code::TooMany, expr.span,
                    "expression grows to more nodes than allowed after inlining functions",
                    std::to_string(expr_nodes_max));
    }
    return error(expr.span);
  }
  // What becomes a secret is written as what it is.
  if (hint != nullptr && typed::without_none(hint)->kind == Kind::Secret)
    hint = typed::without_none(hint)->element;
  return std::visit([&](const auto& node) { return visit(node, expr, scope, hint); }, expr.node);
}

ExprPtr ExprChecker::check_as(const ast::Expr& expr, Scope& scope, TypeRef target) {
  return coerce(check(expr, scope, target), target);
}

ExprPtr ExprChecker::check_condition(const ast::Expr& expr, Scope& scope) {
  ExprPtr out = check(expr, scope, type(Kind::Bool));
  if (out->type->kind != Kind::Bool && out->type->kind != Kind::Error) {
    auto report = diags_.report(Code::ConditionNotBool, expr.span, quoted(out->type));
    if (typed::without_none(out->type)->kind == Kind::Bool)
      report.note("write `?? false` to say what `none` means here");
    return error(expr.span);
  }
  return out;
}

// ---- conversions

bool ExprChecker::converts(TypeRef from, TypeRef to) const {
  if (typed::same(from, to)) return true;
  if (to->kind == Kind::Secret)
    return converts(from->kind == Kind::Secret ? from->element : from, to->element);
  if (to->kind == Kind::Optional) {
    if (from->kind == Kind::None) return true;
    return converts(from->kind == Kind::Optional ? from->element : from, to->element);
  }
  if (from->kind == Kind::Optional || from->kind == Kind::None) return false;
  if (to->kind == Kind::Float)
    return from->kind == Kind::Int || typed::is_small_int(from->kind) || from->kind == Kind::F32;
  if (to->kind == Kind::Int) return typed::is_small_int(from->kind);
  if (to->kind == Kind::Decimal) {
    return from->kind == Kind::Int || typed::is_small_int(from->kind) ||
           (from->kind == Kind::Decimal && from->scale <= to->scale);
  }
  if (to->kind == Kind::List && from->kind == Kind::List) {
    return from->element->kind == Kind::None || converts(from->element, to->element);
  }
  if (to->kind == Kind::Map && from->kind == Kind::Map) {
    return from->key()->kind == Kind::None || converts(from->element, to->element);
  }
  if (to->kind == Kind::Record && from->kind == Kind::Record) {
    for (const typed::Field& field : to->fields) {
      int index = from->field_index(field.name);
      if (index < 0 || !converts(from->fields[static_cast<size_t>(index)].type, field.type)) return false;
    }
    return from->fields.size() == to->fields.size();
  }
  return false;
}

ExprPtr ExprChecker::coerce(ExprPtr expr, TypeRef target) {
  if (typed::same(expr->type, target)) return expr;
  if (expr->kind == ExprKind::Literal && expr->type->kind == Kind::None && target->kind == Kind::Optional) {
    expr->type = target;
    return expr;
  }
  if (converts(expr->type, target)) {
    ExprPtr out = make(ExprKind::Convert, target, expr->span);
    out->args.push_back(std::move(expr));
    return out;
  }
  Span span = expr->span;
  if (expr->type->kind == Kind::Optional && converts(expr->type->element, target)) {
    diags_.report(Code::MayBeNone, span, quoted(target))
        .note("say what `none` means with `?? default`, or test it with `is some`");
  } else {
    auto report = diags_.report(Code::TypeMismatch, span, quoted(target), quoted(expr->type));
    bool from_decimal = expr->type->kind == Kind::Decimal;
    if (from_decimal && target->kind == Kind::Decimal) {
      report.note("nothing narrows by itself; write `round(x, " + std::to_string(target->scale) + ")`");
    } else if (from_decimal && target->kind == Kind::Float) {
      report.note("write `float(x)`: the nearest float");
    } else if (expr->type->kind == Kind::Float && target->kind == Kind::Decimal) {
      report.note("write `x as " + target->text + "`, which fails where digits would be lost");
    } else if (typed::is_number(expr->type->kind) && typed::is_number(target->kind)) {
      report.note("nothing narrows by itself; write `as " + target->text + "`");
    }
  }
  return error(span);
}

TypeRef ExprChecker::unify(TypeRef a, TypeRef b) {
  if (a->kind == Kind::Error) return b;
  if (typed::same(a, b)) return a;
  if (a->kind == Kind::None) return types_.optional(b);
  if (b->kind == Kind::None) return types_.optional(a);
  if (a->kind == Kind::Optional || b->kind == Kind::Optional) {
    TypeRef inner = unify(typed::without_none(a), typed::without_none(b));
    return inner == nullptr ? nullptr : types_.optional(inner);
  }
  if (converts(a, b)) return b;
  if (converts(b, a)) return a;
  if (typed::is_small_int(a->kind) && typed::is_small_int(b->kind)) return type(Kind::Int);
  if (a->kind == Kind::List && b->kind == Kind::List) {
    TypeRef inner = unify(a->element, b->element);
    return inner == nullptr ? nullptr : types_.list(inner);
  }
  if (a->kind == Kind::Map && b->kind == Kind::Map) {
    TypeRef key = unify(a->key(), b->key());
    TypeRef value = unify(a->value(), b->value());
    bool fine = key != nullptr && value != nullptr && typed::is_map_key(key);
    return fine ? types_.map(key, value) : nullptr;
  }
  return nullptr;
}

TypeRef ExprChecker::join_branches(ExprPtr& a, ExprPtr& b) {
  TypeRef joined = unify(a->type, b->type);
  if (joined == nullptr) {
    diags_.report(Code::BranchTypes, b->span, quoted(a->type), quoted(b->type)).mark(a->span);
    return type(Kind::Error);
  }
  a = coerce(std::move(a), joined);
  b = coerce(std::move(b), joined);
  return joined;
}

ExprPtr ExprChecker::promote(ExprPtr expr) {
  if (typed::is_small_int(expr->type->kind)) return coerce(std::move(expr), type(Kind::Int));
  if (expr->type->kind == Kind::F32) return coerce(std::move(expr), type(Kind::Float));
  return expr;
}

ExprPtr ExprChecker::need_value(ExprPtr expr, std::string_view wanted) {
  if (expr->type->kind != Kind::Optional && expr->type->kind != Kind::None) return expr;
  diags_.report(Code::MayBeNone, expr->span, std::string(wanted))
      .note("say what `none` means with `?? default`, or test it with `is some`");
  return error(expr->span);
}

ExprPtr ExprChecker::visit(const ast::NameRef& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  const std::string& name = node.name.text;
  for (auto local = scope.locals.rbegin(); local != scope.locals.rend(); ++local) {
    if (local->name != name) continue;
    ExprPtr out = make(ExprKind::Local, local->type, expr.span);
    out->index = local->index;
    return out;
  }
  for (const LocalName& bound : scope.beyond) {
    if (bound.name != name) continue;
    diags_.report(Code::UnknownName, expr.span, name)
        .note("it is bound around this call, which sees events by themselves; write what it stands for");
    return error(expr.span);
  }
  if (use_ != nullptr) {
    if (ExprPtr given = passed(name, expr, scope, hint)) return given;
  }
  auto param = names_->params.find(name);
  auto constant = names_->consts.find(name);
  int field = scope.record == nullptr ? -1 : scope.record->field_index(name);
  if (field >= 0) {
    if (param != names_->params.end() || constant != names_->consts.end()) {
      diags_.report(Code::FieldHidesName, expr.span, name, param != names_->params.end() ? "param" : "const")
          .note("rename the field or the " + std::string(param != names_->params.end() ? "param" : "const"));
      return error(expr.span);
    }
    if (scope.place == Place::AggregateItem) {
      for (size_t i = 0; i < scope.key_names->size(); ++i) {
        if ((*scope.key_names)[i] != name) continue;
        ExprPtr out = make(ExprKind::Key, (*scope.keys)[i]->type, expr.span);
        out->index = static_cast<int>(i);
        return out;
      }
      diags_.report(Code::FieldNotGrouped, expr.span, name)
          .note("write `last(" + name + ")`, or add it to `by`");
      return error(expr.span);
    }
    if (scope.measured != nullptr) scope.measured->plain_field = true;
    if (scope.pattern != nullptr && !scope.pattern->has_event && scope.measured == nullptr)
      return selected_key(name, expr, scope);
    if (scope.places != nullptr) field = (*scope.places)[static_cast<size_t>(field)];
    TypeRef record = scope.places != nullptr ? scope.here : scope.record;
    ExprPtr out = make(ExprKind::Field, record->fields[static_cast<size_t>(field)].type, expr.span);
    out->index = field;
    return out;
  }
  if (scope.pattern != nullptr && scope.pattern->find(name) >= 0) {
    diags_.report(Code::PatternUse, expr.span, "`" + name + "` names an event, not a value")
        .note("write `" + name + ".field`, or `count(" + name + ")`");
    return error(expr.span);
  }
  if (scope.key_names != nullptr) {
    for (size_t i = 0; i < scope.key_names->size(); ++i) {
      if ((*scope.key_names)[i] != name) continue;
      if (scope.measured != nullptr) scope.measured->plain_field = true;
      ExprPtr out = make(ExprKind::Key, (*scope.keys)[i]->type, expr.span);
      out->index = static_cast<int>(i);
      return out;
    }
  }
  if (param != names_->params.end()) {
    const typed::Param& declared = params_[static_cast<size_t>(param->second)];
    if (scope.place == Place::Constant) {
      diags_.report(Code::NotConstant, expr.span).note("`" + name + "` is a param, which may change");
      return error(expr.span);
    }
    if (in_own_aggregate_) {
      diags_.report(Code::UnknownName, expr.span, name)
          .note("a param may change between two events: pass it to the aggregate as an argument");
      return error(expr.span);
    }
    ExprPtr out = make(ExprKind::Param, declared.type, expr.span);
    out->index = param->second;
    return out;
  }
  if (constant != names_->consts.end()) {
    if (constant->second.type == nullptr) return error(expr.span);
    return constant_value(constant->second.type, constant->second.value, expr.span);
  }
  if (scope.siblings.contains(name)) {
    diags_.report(Code::SiblingField, expr.span, name).note("start another `with`");
    return error(expr.span);
  }
  std::vector<std::string> candidates = keys_of(names_->params);
  for (const std::string& other : keys_of(names_->consts)) candidates.push_back(other);
  if (scope.record != nullptr) {
    for (const typed::Field& other : scope.record->fields) candidates.push_back(other.name);
  }
  for (const LocalName& local : scope.locals) candidates.push_back(local.name);
  if (names_->regexes.contains(name)) {
    diags_.report(Code::NameNotValue, expr.span, name, "a regular expression");
    return error(expr.span);
  }
  if (auto declared = names_->types.find(name); declared != names_->types.end()) {
    diags_.report(Code::NameNotValue, expr.span, name, "a type");
    return error(expr.span);
  }
  auto report = scope.record != nullptr && scope.place != Place::Constant
                    ? diags_.report(Code::UnknownField, expr.span, scope.record_name, name)
                    : diags_.report(Code::UnknownName, expr.span, name);
  if (scope.left_behind != nullptr && scope.left_behind->field_index(name) >= 0) {
    report.note("a timer has no event; keep what it needs of one in a `state`");
    return error(expr.span);
  }
  // A field of a joined record is named through it.
  for (size_t i = 0; scope.record != nullptr && i < scope.record->fields.size(); ++i) {
    const typed::Field& other = scope.record->fields[i];
    bool optional = other.type->kind == Kind::Optional;
    TypeRef record = optional ? other.type->element : other.type;
    if (record->kind != Kind::Record || record->field_index(name) < 0) continue;
    std::string path = other.name + (optional ? "?." : ".") + name;
    report.note("did you mean `" + path + "`?").fix(expr.span, path);
    return error(expr.span);
  }
  auto near = diag::did_you_mean(name, candidates);
  // `null` and `True`: only what another language calls so, no word that is merely spelt like it.
  if (!near) near = diag::translated(name, {"none", "true", "false"});
  if (near) report.note("did you mean `" + *near + "`?").fix(expr.span, *near);
  return error(expr.span);
}

ExprPtr ExprChecker::member(ExprPtr object, const ast::Ident& field, bool optional, Span span) {
  if (object->type->kind == Kind::Error) return object;
  TypeRef record = object->type;
  if (is_json(record)) {
    ExprPtr name = literal(type(Kind::String), {field.text}, field.span);
    return json_part(typed::Builtin::JsonMember, std::move(object), std::move(name), span);
  }
  if (optional) {
    if (record->kind == Kind::Optional) {
      record = record->element;
    } else {
      diags_.report(Code::NeverNone, object->span).note("write `.` instead of `?.`");
      optional = false;
    }
  } else if (record->kind == Kind::Optional && record->element->kind == Kind::Record) {
    diags_.report(Code::MayBeNone, object->span, "a record").note("read it with `?." + field.text + "`");
    return error(span);
  }
  if (record->kind != Kind::Record) {
    auto report = diags_.report(Code::NotARecord, object->span, quoted(record));
    if (record->kind == Kind::Map && record->key()->kind == Kind::String)
      report.note("write `m[\"" + field.text + "\"]`, or `m.get(\"" + field.text +
                  "\")` where it may be absent");
    return error(span);
  }
  int index = record->field_index(field.text);
  if (index < 0) {
    std::vector<std::string> candidates;
    for (const typed::Field& other : record->fields) candidates.push_back(other.name);
    auto report = diags_.report(Code::UnknownField, field.span, "the record", field.text);
    if (auto near = diag::did_you_mean(field.text, candidates)) {
      report.note("did you mean `" + *near + "`?").fix(field.span, *near);
    }
    return error(span);
  }
  TypeRef result = record->fields[static_cast<size_t>(index)].type;
  ExprPtr out = make(optional ? ExprKind::OptionalMember : ExprKind::Member,
                     optional ? types_.optional(result) : result, span);
  out->index = index;
  out->args.push_back(std::move(object));
  return out;
}

// In `select` of a match there is no one event: a plain name is a key.
ExprPtr ExprChecker::selected_key(const std::string& name, const ast::Expr& expr, const Scope& scope) {
  for (size_t i = 0; i < scope.key_names->size(); ++i) {
    if ((*scope.key_names)[i] != name) continue;
    ExprPtr out = make(ExprKind::Key, (*scope.keys)[i]->type, expr.span);
    out->index = static_cast<int>(i);
    return out;
  }
  // Under another name: `by key`, where `key` stands for a field in an operator.
  for (size_t i = 0; i < scope.keys->size(); ++i) {
    const Expr& key = *(*scope.keys)[i];
    if (key.kind != ExprKind::Field || key.index != scope.record->field_index(name)) continue;
    ExprPtr out = make(ExprKind::Key, key.type, expr.span);
    out->index = static_cast<int>(i);
    return out;
  }
  diags_.report(Code::PatternUse, expr.span, "`" + name + "` of which event?")
      .note("write `" + scope.pattern->names[0].name + "." + name + "`, or add `" + name + "` to `by`");
  return error(expr.span);
}

const Names* ExprChecker::module_of(const ast::Expr* expr, const Scope& scope) const {
  const auto* name = expr == nullptr ? nullptr : std::get_if<ast::NameRef>(&expr->node);
  if (name == nullptr) return nullptr;
  auto found = names_->modules.find(name->name.text);
  if (found == names_->modules.end()) return nullptr;
  bool hidden = scope.record != nullptr && scope.record->field_index(name->name.text) >= 0;
  for (const LocalName& local : scope.locals) hidden = hidden || local.name == name->name.text;
  hidden = hidden || (use_ != nullptr && use_->find(name->name.text) != nullptr);
  return hidden ? nullptr : found->second;
}

// `lib.LIMIT`, `lib.Level.warn`; null: no member of a module.
ExprPtr ExprChecker::module_member(const ast::MemberAccess& node, const ast::Expr& expr, const Scope& scope) {
  if (const Names* module = module_of(node.object.get(), scope)) {
    if (module->broken) return error(expr.span);
    auto constant = module->consts.find(node.field.text);
    if (constant != module->consts.end() && constant->second.type != nullptr)
      return constant_value(constant->second.type, constant->second.value, expr.span);
    const std::string& name = std::get<ast::NameRef>(node.object->node).name.text;
    auto report = diags_.report(Code::NotInThatModule, node.field.span, name, node.field.text);
    if (auto near = diag::did_you_mean(node.field.text, keys_of(module->consts)))
      report.note("did you mean `" + *near + "`?").fix(node.field.span, *near);
    return error(expr.span);
  }
  const auto* type = std::get_if<ast::MemberAccess>(&node.object->node);
  const Names* module = type == nullptr ? nullptr : module_of(type->object.get(), scope);
  if (module == nullptr) return nullptr;
  auto found = module->types.find(type->field.text);
  if (found == module->types.end() || found->second->kind != Kind::Enum) return nullptr;
  for (size_t i = 0; i < found->second->values.size(); ++i) {
    if (found->second->values[i] == node.field.text)
      return literal(found->second, {static_cast<int64_t>(i)}, expr.span);
  }
  diags_.report(Code::UnknownEnumValue, node.field.span, quoted(found->second), node.field.text);
  return error(expr.span);
}

ExprPtr ExprChecker::visit(const ast::MemberAccess& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  if (ExprPtr bound = bound_field(node, expr, scope)) return bound;
  if (!names_->modules.empty()) {
    if (ExprPtr out = module_member(node, expr, scope)) return out;
  }
  // `Level.warn`: a value of an enum, unless a field or local is called `Level`.
  if (const auto* name = std::get_if<ast::NameRef>(&node.object->node)) {
    auto found = names_->types.find(name->name.text);
    bool hidden = scope.record != nullptr && scope.record->field_index(name->name.text) >= 0;
    if (found != names_->types.end() && found->second != nullptr && found->second->kind == Kind::Enum &&
        !hidden) {
      for (size_t i = 0; i < found->second->values.size(); ++i) {
        if (found->second->values[i] == node.field.text) {
          return literal(found->second, {static_cast<int64_t>(i)}, expr.span);
        }
      }
      auto report =
          diags_.report(Code::UnknownEnumValue, node.field.span, quoted(found->second), node.field.text);
      if (auto near = diag::did_you_mean(node.field.text, found->second->values)) {
        report.note("did you mean `" + *near + "`?").fix(node.field.span, *near);
      }
      return error(expr.span);
    }
  }
  return member(check(*node.object, scope), node.field, node.optional, expr.span);
}

ExprPtr ExprChecker::visit(const ast::IndexAccess& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  ExprPtr list = check(*node.object, scope);
  if (is_json(list->type)) {
    ExprPtr which = check(*node.index, scope);
    bool by_name = which->type->kind == Kind::String;
    if (!by_name) which = coerce(std::move(which), type(Kind::Int));
    if (which->type->kind == Kind::Error) return which;
    return json_part(by_name ? typed::Builtin::JsonMember : typed::Builtin::JsonElement, std::move(list),
                     std::move(which), expr.span);
  }
  list = need_value(std::move(list), "a list or map");
  bool map = list->type->kind == Kind::Map;
  ExprPtr index = check_as(*node.index, scope, map ? list->type->key() : type(Kind::Int));
  if (list->type->kind == Kind::Error || index->type->kind == Kind::Error) return error(expr.span);
  if (list->type->kind != Kind::List && !map) {
    diags_.report(Code::TypeMismatch, node.object->span, "a list or map", quoted(list->type));
    return error(expr.span);
  }
  ExprPtr out = make(ExprKind::Element, map ? list->type->value() : list->type->element, expr.span);
  out->args.push_back(std::move(list));
  out->args.push_back(std::move(index));
  return out;
}

ExprPtr ExprChecker::visit(const ast::RangeExpr&, const ast::Expr& expr, Scope&, TypeRef) {
  diags_.report(Code::NameNotValue, expr.span, "..", "a range, only right of `in`");
  return error(expr.span);
}

ExprPtr ExprChecker::visit(const ast::Lambda&, const ast::Expr& expr, Scope&, TypeRef) {
  diags_.report(Code::NameNotValue, expr.span, "=>",
                "a lambda, only an argument of `map filter any all sort reduce`");
  return error(expr.span);
}

ExprPtr ExprChecker::visit(const ast::Paren& node, const ast::Expr&, Scope& scope, TypeRef hint) {
  return check(*node.inner, scope, hint);
}

ExprPtr ExprChecker::visit(const ast::Cast& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  TypeRef target = node.type ? TypeResolver(*names_, types_, diags_).resolve(*node.type) : type(Kind::Error);
  bool optional = target->kind == Kind::Optional;
  return cast(check(*node.value, scope, nullptr), optional ? target->element : target, optional, expr.span);
}

// Rule 3.7: which types can be cast to which; whether a value can be is found when it is there.
ExprPtr ExprChecker::cast(ExprPtr value, TypeRef target, bool optional, Span span) {
  if (value->type->kind == Kind::Error || target->kind == Kind::Error) return error(span);
  TypeRef from = typed::without_none(value->type);
  if (from->kind == Kind::Secret && !converts(value->type, optional ? types_.optional(target) : target))
    return secret_use(*value, "is cast to nothing else");
  bool number = typed::is_number(from->kind) || from->kind == Kind::String;
  number = number || from->kind == Kind::Decimal;
  bool fine = typed::same(from, target) ||
              ((typed::is_number(target->kind) || target->kind == Kind::Decimal) && number);
  if (target->kind == Kind::String) {
    fine = !typed::holds_values(from) && from->kind != Kind::Bytes && from->kind != Kind::None;
  }
  if (target->kind == Kind::Bool || target->kind == Kind::Time || target->kind == Kind::Duration ||
      target->kind == Kind::Enum) {
    fine = fine || from->kind == Kind::String;
  }
  if (from->kind == Kind::Json) fine = target->kind != Kind::Bytes || from == target;
  if (target->kind == Kind::Json && from->kind != Kind::Json) {
    diags_.report(Code::BadCast, span, quoted(from), quoted(target)).note("`json(x)` makes it of any value");
    return error(span);
  }
  if (!fine) {
    diags_.report(Code::BadCast, span, quoted(from), quoted(target));
    return error(span);
  }
  // What may be lost is `cast` here, not `overflow`.
  bool widens = converts(value->type, target) && !typed::widening_can_fail(value->type, target);
  // An `int` goes to the nearest float by itself; `as` asks for the same number.
  bool may_round = from->kind == Kind::Int && target->kind == Kind::Float;
  if (may_round && value->kind == ExprKind::Literal && !value->value.is_none()) {
    int64_t whole = value->value.as_int();
    may_round = static_cast<__int128>(static_cast<double>(whole)) != whole;
  }
  if (!optional && widens && !may_round) return coerce(std::move(value), target);
  ExprPtr out = make(optional ? ExprKind::CastOptional : ExprKind::Cast,
                     optional ? types_.optional(target) : target, span);
  out->args.push_back(std::move(value));
  return out;
}

}  // namespace mut::sema
