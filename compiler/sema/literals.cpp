// Literals: of scalars, of texts with values in them, of lists and records.

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"

namespace mut::sema {

using diag::Code;
using source::Span;
using typed::Const;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

ExprPtr ExprChecker::visit(const ast::IntLit& node, const ast::Expr& expr, Scope&, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  Kind kind = wanted == nullptr ? Kind::Int : wanted->kind;
  if (kind == Kind::Decimal) return decimal_literal(std::to_string(node.value), false, wanted, expr.span);
  if (kind == Kind::Float || kind == Kind::F32) {
    auto value = static_cast<double>(node.value);
    if (node.value > (uint64_t{1} << 53U) && static_cast<uint64_t>(value) != node.value) {
      diags_.report(Code::LiteralDoesNotFit, expr.span, node.text, quoted(wanted));
    }
    return literal(wanted, {value}, expr.span);
  }
  if (kind == Kind::U64) return literal(wanted, {static_cast<int64_t>(node.value)}, expr.span);
  if (node.value > static_cast<uint64_t>(INT64_MAX)) {
    diags_.report(Code::NumberOutOfRange, expr.span, node.text);
    return error(expr.span);
  }
  auto value = static_cast<int64_t>(node.value);
  if (typed::is_small_int(kind)) {
    if (!literal_fits(value, kind)) {
      diags_.report(Code::LiteralDoesNotFit, expr.span, node.text, quoted(wanted));
      return error(expr.span);
    }
    return literal(wanted, {value}, expr.span);
  }
  return literal(type(Kind::Int), {value}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::FloatLit& node, const ast::Expr& expr, Scope&, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  if (wanted != nullptr && wanted->kind == Kind::Decimal)
    return decimal_literal(node.text, false, wanted, expr.span);
  if (wanted != nullptr && wanted->kind == Kind::F32) {
    return literal(wanted, {static_cast<double>(static_cast<float>(node.value))}, expr.span);
  }
  return literal(type(Kind::Float), {node.value}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::BoolLit& node, const ast::Expr& expr, Scope&, TypeRef) {
  return literal(type(Kind::Bool), {node.value}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::NoneLit&, const ast::Expr& expr, Scope&, TypeRef hint) {
  return literal(hint != nullptr && hint->kind == Kind::Optional ? hint : type(Kind::None), {}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::StringLit& node, const ast::Expr& expr, Scope&, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  if (wanted != nullptr && wanted->kind == Kind::Enum) {
    for (size_t i = 0; i < wanted->values.size(); ++i) {
      if (wanted->values[i] == node.value) return literal(wanted, {static_cast<int64_t>(i)}, expr.span);
    }
    auto report = diags_.report(Code::UnknownEnumValue, expr.span, quoted(wanted), node.value);
    if (auto near = diag::did_you_mean(node.value, wanted->values)) {
      report.note("did you mean `" + *near + "`?").fix(expr.span, "\"" + *near + "\"");
    }
    return error(expr.span);
  }
  return literal(type(Kind::String), {node.value}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::BytesLit& node, const ast::Expr& expr, Scope&, TypeRef) {
  return literal(type(Kind::Bytes), {node.value}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::RegexLit&, const ast::Expr& expr, Scope&, TypeRef) {
  diags_.report(
      Code::NameNotValue, expr.span, "re\"…\"",
      "a regular expression, only right of `~` and an argument of `capture`, `matches` and `replace`");
  return error(expr.span);
}

ExprPtr ExprChecker::visit(const ast::DurationLit& node, const ast::Expr& expr, Scope&, TypeRef) {
  return literal(type(Kind::Duration), {node.nanoseconds}, expr.span);
}

ExprPtr ExprChecker::visit(const ast::TimeLit& node, const ast::Expr& expr, Scope&, TypeRef) {
  return literal(type(Kind::Time), {node.nanoseconds}, expr.span);
}

namespace {

// `{x:>8,.2%}`: what a value of that kind takes. Empty when it takes all of `spec`, else what is wrong with
// it.
std::string wrong_format(std::string_view spec, TypeRef type) {
  Kind kind = type->kind;
  bool integer = typed::is_integer(kind);
  bool number = integer || kind == Kind::Float || kind == Kind::Decimal;
  if (kind == Kind::Time && spec.find('%') != std::string_view::npos) return "";  // of a date
  size_t at = 0;
  auto digits = [&] {
    size_t from = at;
    while (at < spec.size() && spec[at] >= '0' && spec[at] <= '9') ++at;
    return at - from;
  };
  if (at < spec.size() && (spec[at] == '<' || spec[at] == '>' || spec[at] == '^')) ++at;
  if (digits() > 3) return "a width has three digits at most";
  if (number && at < spec.size() && spec[at] == ',') ++at;
  if (number && at < spec.size() && spec[at] == '.') {
    ++at;
    size_t count = digits();
    if (count == 0 || count > 2) return "behind `.` stands how many digits are shown, up to 99";
  }
  std::string_view rest = spec.substr(at);
  if (rest.empty() || (integer && rest == "x") || (number && (rest == "e" || rest == "%"))) return "";
  return number ? "it is made of `<` `>` `^`, a width, `,`, `.digits`, and `x` of integers, `e` or `%`"
                : "it is made of `<` `>` or `^` and a width";
}

}  // namespace

ExprPtr ExprChecker::visit(const ast::Interpolation& node, const ast::Expr& expr, Scope& scope, TypeRef) {
  ExprPtr out = make(ExprKind::Text, type(Kind::String), expr.span);
  for (const ast::InterpolationPart& part : node.parts) {
    if (!part.expr) {
      out->args.push_back(literal(type(Kind::String), {part.text}, expr.span));
      continue;
    }
    ExprPtr value = need_value(promote(check(*part.expr, scope)), "a value to print");
    Kind kind = value->type->kind;
    if (kind == Kind::Error) return error(expr.span);
    if (kind == Kind::Secret) return secret_use(*value, "no text shows");
    if (typed::holds_values(value->type) || kind == Kind::Bytes) {
      diags_.report(Code::BadCast, part.expr->span, quoted(value->type), "text");
      return error(expr.span);
    }
    if (std::string wrong = wrong_format(part.spec, value->type); !wrong.empty()) {
      diags_.report(Code::BadFormat, part.expr->span, part.spec, quoted(value->type)).note(wrong);
      return error(expr.span);
    }
    ExprPtr format = make(ExprKind::Format, type(Kind::String), part.expr->span);
    format->spec = part.spec;
    format->args.push_back(std::move(value));
    out->args.push_back(std::move(format));
  }
  return out;
}

ExprPtr ExprChecker::visit(const ast::ListLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  TypeRef element = wanted != nullptr && wanted->kind == Kind::List ? wanted->element : nullptr;
  std::vector<ExprPtr> items;
  std::vector<const ast::Expr*> written;
  TypeRef joined = nullptr;
  for (const ast::ExprPtr& item : node.items) {
    items.push_back(check(*item, scope, element));
    written.push_back(item.get());
  }
  if (element == nullptr) {
    recheck_numbers(written, scope, items);
    // `[[1.5], xs]`: lists that are written take the type of one that is not.
    auto known = std::find_if(written.begin(), written.end(),
                              [](const ast::Expr* item) { return !takes_hint(*item); });
    for (size_t i = 0; known != written.end() && i < items.size(); ++i) {
      TypeRef beside = items[static_cast<size_t>(known - written.begin())]->type;
      bool list = std::holds_alternative<ast::ListLit>(written[i]->node) && beside->kind == Kind::List;
      if (list && !typed::same(items[i]->type, beside)) items[i] = check(*written[i], scope, beside);
    }
  }
  for (const ExprPtr& value : items) {
    TypeRef next = joined == nullptr ? value->type : unify(joined, value->type);
    if (next == nullptr) {
      diags_.report(Code::BranchTypes, value->span, quoted(joined), quoted(value->type));
      return error(expr.span);
    }
    joined = next;
  }
  // What is wanted holds no none, and this does: its own type says so.
  bool with_none = std::any_of(items.begin(), items.end(),
                               [](const ExprPtr& item) { return item->type->kind == Kind::None; });
  if (element != nullptr) joined = with_none ? types_.optional(element) : element;
  if (joined == nullptr) joined = type(Kind::None);
  ExprPtr out = make(ExprKind::MakeList, types_.list(joined), expr.span);
  for (ExprPtr& item : items) out->args.push_back(coerce(std::move(item), joined));
  return out;
}

ExprPtr ExprChecker::visit(const ast::RecordLit& node, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  TypeRef wanted = typed::without_none(hint);
  std::vector<typed::Field> fields;
  std::vector<ExprPtr> values;
  std::set<std::string> seen;
  for (const ast::RecordItem& item : node.items) {
    if (!seen.insert(item.name.text).second) {
      diags_.report(Code::FieldTwice, item.name.span, item.name.text);
      return error(expr.span);
    }
    TypeRef field_hint = nullptr;
    if (wanted != nullptr && wanted->kind == Kind::Record) {
      int index = wanted->field_index(item.name.text);
      if (index >= 0) field_hint = wanted->fields[static_cast<size_t>(index)].type;
    }
    ExprPtr value = check(*item.value, scope, field_hint);
    typed::Field field;
    field.name = item.name.text;
    field.type = value->type;
    fields.push_back(std::move(field));
    values.push_back(std::move(value));
  }
  ExprPtr out = make(ExprKind::MakeRecord, types_.record(std::move(fields)), expr.span);
  out->args = std::move(values);
  return out;
}

// ---- names

}  // namespace mut::sema
