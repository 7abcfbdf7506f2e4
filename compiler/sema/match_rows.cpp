#include "compiler/sema/match_rows.h"

#include <algorithm>

namespace mut::sema {

using diag::Code;
using typed::AggregateFn;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::TypeRef;

namespace {

// The events of one name, field by field: a measure for each scalar, list and map, put together again in each
// match.
class WholeEvents {
 public:
  WholeEvents(PatternScope& pattern, size_t name, TypeRef event, ExprChecker& exprs, source::Span span)
      : pattern_(pattern), name_(name), of_(pattern.names[name]), event_(event), exprs_(exprs), span_(span) {}

  ExprPtr make() {
    if (of_.repeated) first_local_ = exprs_.local_count();
    std::vector<ExprPtr> fields;
    for (size_t i = 0; i < event_->fields.size(); ++i) fields.push_back(rebuilt(field(i)));
    ExprPtr record = node(ExprKind::MakeRecord, event_, std::move(fields));
    if (of_.repeated) {
      exprs_.local_count() += static_cast<int>(lists_.size());
      ExprPtr out = node(ExprKind::ZipLists, exprs_.types().list(event_), std::move(lists_));
      out->index = first_local_;
      out->args.push_back(std::move(record));
      return out;
    }
    if (!of_.optional) return record;
    ExprPtr bound = node(ExprKind::Binary, exprs_.type(Kind::Bool),
                         two(measure(AggregateFn::Count, nullptr, exprs_.type(Kind::Int)),
                             literal(exprs_.type(Kind::Int), {int64_t{0}})));
    bound->op = typed::Op::Greater;
    return some_if(std::move(bound), std::move(record));
  }

 private:
  ExprPtr node(ExprKind kind, TypeRef type, std::vector<ExprPtr> args = {}) const {
    auto out = std::make_unique<Expr>();
    out->kind = kind;
    out->type = type;
    out->span = span_;
    out->args = std::move(args);
    return out;
  }
  static std::vector<ExprPtr> one(ExprPtr a) {
    std::vector<ExprPtr> out;
    out.push_back(std::move(a));
    return out;
  }
  static std::vector<ExprPtr> two(ExprPtr a, ExprPtr b) {
    std::vector<ExprPtr> out = one(std::move(a));
    out.push_back(std::move(b));
    return out;
  }
  ExprPtr literal(TypeRef type, typed::Const value) const {
    ExprPtr out = node(ExprKind::Literal, type);
    out->value = std::move(value);
    return out;
  }
  ExprPtr field(size_t index) const {
    ExprPtr out = node(ExprKind::Field, event_->fields[index].type);
    out->index = static_cast<int>(index);
    return out;
  }
  ExprPtr none_of(const Expr& value) const {
    return node(ExprKind::IsNone, exprs_.type(Kind::Bool), one(typed::clone(value)));
  }

  // `value` if `condition`, else none.
  ExprPtr some_if(ExprPtr condition, ExprPtr value) const {
    TypeRef maybe = exprs_.types().optional(value->type);
    std::vector<ExprPtr> args =
        two(std::move(condition), node(ExprKind::Convert, maybe, one(std::move(value))));
    args.push_back(literal(maybe, {}));
    return node(ExprKind::If, maybe, std::move(args));
  }

  ExprPtr measure(AggregateFn fn, ExprPtr argument, TypeRef result) {
    typed::AggregateCall call;
    call.fn = fn;
    call.argument = std::move(argument);
    call.result = result;
    call.span = span_;
    return exprs_.add_measure(std::move(call), static_cast<int>(name_), pattern_, span_);
  }

  // The value that `value`, over an event, had for the event that is bound.
  ExprPtr rebuilt(ExprPtr value) {
    TypeRef type = value->type;
    if (type->kind == Kind::Record) {
      std::vector<ExprPtr> fields;
      for (size_t i = 0; i < type->fields.size(); ++i) {
        ExprPtr part = node(ExprKind::Member, type->fields[i].type, one(typed::clone(*value)));
        part->index = static_cast<int>(i);
        fields.push_back(rebuilt(std::move(part)));
      }
      return node(ExprKind::MakeRecord, type, std::move(fields));
    }
    bool apart = type->kind == Kind::Optional && (of_.repeated || type->element->kind == Kind::Record);
    if (apart) {  // whether it is there, and what it is
      ExprPtr there = node(ExprKind::Unary, exprs_.type(Kind::Bool), one(none_of(*value)));
      there->op = typed::Op::Not;
      std::vector<ExprPtr> args = two(none_of(*value), anything(type->element));
      args.push_back(node(ExprKind::Unwrap, type->element, one(std::move(value))));
      ExprPtr known = rebuilt(std::move(there));
      return some_if(std::move(known), rebuilt(node(ExprKind::If, type->element, std::move(args))));
    }
    return of_.repeated ? in_list(std::move(value)) : of_one(std::move(value));
  }

  ExprPtr of_one(ExprPtr value) {
    TypeRef type = value->type;
    bool lacks = of_.optional && type->kind != Kind::Optional;
    ExprPtr out =
        measure(AggregateFn::Last, std::move(value), of_.optional ? exprs_.types().optional(type) : type);
    return lacks ? node(ExprKind::Unwrap, type, one(std::move(out))) : std::move(out);
  }

  ExprPtr in_list(ExprPtr value) {
    TypeRef type = value->type;
    TypeRef list = exprs_.types().list(type);
    TypeRef maybe = exprs_.types().optional(list);
    lists_.push_back(
        node(ExprKind::Coalesce, list,
             two(measure(AggregateFn::Collect, std::move(value), maybe), node(ExprKind::MakeList, list))));
    ExprPtr out = node(ExprKind::Local, type);
    out->index = first_local_ + static_cast<int>(lists_.size()) - 1;
    return out;
  }

  // Stands where there is no value; nobody reads it.
  ExprPtr anything(TypeRef type) const {
    switch (type->kind) {
      case Kind::Record: {
        std::vector<ExprPtr> fields;
        for (const typed::Field& field : type->fields) fields.push_back(anything(field.type));
        return node(ExprKind::MakeRecord, type, std::move(fields));
      }
      case Kind::Optional:
        return literal(type, {});
      case Kind::List:
        return node(ExprKind::MakeList, type);
      case Kind::Map:
        return node(ExprKind::MakeMap, type);
      case Kind::Bool:
        return literal(type, {false});
      case Kind::Float:
      case Kind::F32:
        return literal(type, {0.0});
      case Kind::String:
      case Kind::Bytes:
        return literal(type, {std::string()});
      case Kind::Decimal:
        return literal(type, {typed::Const::Decimal{}});
      case Kind::Json: {
        ExprPtr out = node(ExprKind::Call, type, one(literal(exprs_.type(Kind::Bool), {false})));
        out->builtin = typed::Builtin::ToJson;
        return out;
      }
      default:
        return literal(type, {int64_t{0}});
    }
  }

  PatternScope& pattern_;
  size_t name_;
  const BoundName& of_;
  TypeRef event_;
  ExprChecker& exprs_;
  source::Span span_;
  std::vector<ExprPtr> lists_;  // of a name that may come again: by measure
  int first_local_ = -1;
};

}  // namespace

std::optional<std::vector<typed::Output>> whole_events(PatternScope& pattern, const typed::Stage& stage,
                                                       ExprChecker& exprs, source::Span span) {
  if (std::optional<std::string> secret = typed::secret_field(stage.input)) {
    exprs.diags()
        .report(Code::SecretShown, span, "field `" + *secret + "`", "no pattern keeps")
        .note(
            "a `match` without `select` gives whole events: say with `select` what it gives, or put `| "
            "without " +
            secret->substr(0, secret->find('.')) + "` before it");
    return std::nullopt;
  }
  std::vector<typed::Output> out;
  for (size_t i = 0; i < stage.keys.size(); ++i) {
    auto key = std::make_unique<Expr>();
    key->kind = ExprKind::Key;
    key->type = stage.keys[i]->type;
    key->span = span;
    key->index = static_cast<int>(i);
    out.push_back({stage.key_names[i], std::move(key), ""});
  }
  for (size_t i = 0; i < pattern.steps; ++i) {
    const std::string& name = pattern.names[i].name;
    if (std::find(stage.key_names.begin(), stage.key_names.end(), name) != stage.key_names.end()) {
      exprs.diags()
          .report(Code::FieldTwice, span, name)
          .note("it is a key and a step of the pattern: give the step another name, or write `select`");
      return std::nullopt;
    }
    out.push_back({name, WholeEvents(pattern, i, stage.input, exprs, span).make(), ""});
  }
  return out;
}

}  // namespace mut::sema
