#include "compiler/reference/edit_rules.h"

#include <algorithm>

#include "compiler/reference/aggregates.h"
#include "compiler/reference/evaluate.h"
#include "compiler/reference/rekey.h"

namespace mut::reference {

using typed::AggregateCall;
using typed::OverKind;
using typed::Stage;
using typed::StageKind;
using typed::WindowKind;

namespace {

const AggregateCall& call_of(const Stage& stage, size_t cell) {
  return stage.histories.empty() ? stage.aggregates[cell] : stage.histories[cell].call;
}
// Aggregates whose result is one of the values that they were given.
bool gives_one(const AggregateCall& call) {
  using typed::AggregateFn;
  switch (call.fn) {
    case AggregateFn::Min:
    case AggregateFn::Max:
    case AggregateFn::First:
    case AggregateFn::Last:
    case AggregateFn::ArgMin:
    case AggregateFn::ArgMax:
    case AggregateFn::Prev:
      return true;
    default:
      return false;
  }
}
bool is_narrower(const AggregateCall& then, const AggregateCall& now) {
  if (!then.argument || !now.argument) return false;
  typed::TypeRef from = typed::without_none(then.argument->type);
  typed::TypeRef to = typed::without_none(now.argument->type);
  return typed::is_integer(from->kind) && typed::is_integer(to->kind) && fit(from, to) == Fit::Perhaps;
}

// Whether every value of the other type is one of this.
bool holds_all(const typed::Type& type, const typed::Type& other) {
  using typed::Kind;
  auto range = [](Kind kind) -> std::pair<int, int> {  // bits below zero, bits above
    switch (kind) {
      case Kind::I8:
        return {7, 7};
      case Kind::I16:
        return {15, 15};
      case Kind::I32:
        return {31, 31};
      case Kind::Int:
        return {63, 63};
      case Kind::U8:
        return {0, 8};
      case Kind::U16:
        return {0, 16};
      case Kind::U32:
        return {0, 32};
      case Kind::U64:
        return {0, 64};
      default:
        return {-1, -1};
    }
  };
  if (type.kind == Kind::Float) return other.kind == Kind::F32;
  auto [low, high] = range(type.kind);
  auto [other_low, other_high] = range(other.kind);
  return other_low >= 0 && low >= other_low && high >= other_high;
}

typed::TypeRef record_of(const Stage& stage, size_t side) {
  return side == 0 ? stage.input : stage.join->right_type;
}
int known_field(const typed::Type& record, const typed::Field& field) {
  int index = record.field_index(field.name);
  return index < 0 && !field.was.empty() ? record.field_index(field.was) : index;
}
// The text of an enum is its name: the values of two versions may differ.
bool is_same(typed::TypeRef from, typed::TypeRef to) {
  if (from->text != to->text || from->values != to->values || from->fields.size() != to->fields.size())
    return false;
  if (from->element != nullptr && !is_same(from->element, to->element)) return false;
  for (size_t i = 0; i < from->fields.size(); ++i) {
    if (!is_same(from->fields[i].type, to->fields[i].type)) return false;
  }
  return true;
}
bool converts(typed::TypeRef from, typed::TypeRef to) {
  if (is_same(from, to)) return true;
  if (to->kind == typed::Kind::Optional) return converts(typed::without_none(from), to->element);
  if (from->kind == typed::Kind::Optional) return converts(from->element, to);
  if (from->kind == typed::Kind::Enum && to->kind == typed::Kind::Enum) return true;  // by name, if there
  return goes_over(from, to);
}

Value as_type(const Value& value, typed::TypeRef from, typed::TypeRef to) {
  if (value.is_none() || typed::without_none(from)->kind != typed::Kind::Enum)
    return fitting_value(value, from, to);
  from = typed::without_none(from);
  to = typed::without_none(to);
  const std::string& name = from->values[static_cast<size_t>(value.as_int())];
  auto known = std::find(to->values.begin(), to->values.end(), name);
  if (known == to->values.end()) fail(typed::EventError::Cast);
  return Value(static_cast<int64_t>(known - to->values.begin()));
}

}  // namespace

bool goes_over(typed::TypeRef from, typed::TypeRef to) {
  return holds_all(*to, *from) || (typed::is_integer(from->kind) && typed::is_integer(to->kind));
}

bool holds_less(const Stage& before, size_t known, const Stage& now, size_t cell) {
  bool calls = !now.histories.empty() || (now.kind == StageKind::Aggregate && now.follows.empty());
  if (!calls || !is_narrower(call_of(before, known), call_of(now, cell))) return false;
  using typed::AggregateFn;
  AggregateFn fn = call_of(now, cell).fn;
  bool keeps = gives_one(call_of(now, cell)) || fn == AggregateFn::Distinct || fn == AggregateFn::Collect ||
               fn == AggregateFn::Top || fn == AggregateFn::Delta || fn == AggregateFn::Changed;
  bool groups = now.histories.empty() ? now.window.kind == WindowKind::Running
                                      : now.histories[cell].over == OverKind::All ||
                                            now.histories[cell].over == OverKind::Previous;
  return keeps && !(groups && gives_one(call_of(now, cell)));
}
void check_values(const Stage& before, size_t known, const Stage& now, size_t cell,
                  const std::vector<Entry>& entries, size_t place) {
  const AggregateCall& then = call_of(before, known);
  const AggregateCall& call = call_of(now, cell);
  if (!gives_one(then) || !is_narrower(then, call)) return;
  std::vector<Admitted> list = list_of(entries, place);
  if (list.empty()) return;
  Value kept = then.fn == typed::AggregateFn::Prev ? list.back().value : aggregate(then, list);
  (void)fitting_value(kept, typed::without_none(then.argument->type),
                      typed::without_none(call.argument->type));
}

bool merges(const Stage& stage, size_t cell) {
  if (!stage.histories.empty()) {
    if (stage.histories[cell].over != OverKind::All) return false;
  } else {
    bool overlap = stage.window.kind == WindowKind::Sliding &&
                   std::any_of(stage.aggregates.begin(), stage.aggregates.end(),
                               [](const AggregateCall& call) { return call.own != nullptr; });
    if (stage.kind != StageKind::Aggregate || !stage.follows.empty() || overlap ||
        stage.window.kind == WindowKind::Session || stage.window.kind == WindowKind::Count)
      return false;
  }
  using typed::AggregateFn;
  switch (call_of(stage, cell).fn) {
    case AggregateFn::First:
    case AggregateFn::Last:
    case AggregateFn::ArgMin:
    case AggregateFn::ArgMax:
    case AggregateFn::Collect:
    case AggregateFn::StringAgg:
    case AggregateFn::Own:
    case AggregateFn::Prev:
    case AggregateFn::Delta:
    case AggregateFn::Changed:
      return false;
    default:
      return true;
  }
}

bool keys_hold(const std::vector<typed::ExprPtr>& before, const std::vector<typed::ExprPtr>& now,
               const std::vector<size_t>& order) {
  for (size_t i = 0; i < order.size(); ++i) {
    typed::TypeRef from = before[order[i]]->type;
    typed::TypeRef to = now[i]->type;
    bool becomes_optional = to->kind == typed::Kind::Optional && from->text != to->text;
    if (fit(from, to) != Fit::Always || becomes_optional) return false;
  }
  return true;
}

bool wants_more(const StageView& before, size_t known, const StageView& view, size_t cell) {
  const typed::Window& window = view.stage->window;
  bool overlap = window.kind == WindowKind::Count && window.every != window.size;
  if (view.stage->kind != StageKind::Aggregate || !overlap) return false;
  int64_t had = before.stage->aggregates[known].most;
  int64_t wants = view.stage->aggregates[cell].most;
  return had != 0 && (wants == 0 || wants > had);
}

bool counts_agree(const Stage& before, const Stage& now) {
  auto overlap = [](const Stage& stage) {
    return stage.window.kind == WindowKind::Count && stage.window.every != stage.window.size;
  };
  auto apart = [](const Stage& stage) {
    return std::any_of(stage.aggregates.begin(), stage.aggregates.end(), typed::overlaps);
  };
  if (!overlap(before) && !overlap(now)) return true;
  return before.window.size == now.window.size && before.window.every == now.window.every &&
         apart(before) == apart(now);
}

bool has_rows_for(const Stage& before, const Stage& now, size_t side) {
  bool joins = before.kind == StageKind::Join && now.kind == StageKind::Join;
  bool tables = before.kind == StageKind::Table && now.kind == StageKind::Table;
  if (!joins && !tables) return true;
  typed::TypeRef known = record_of(before, side);
  const auto& wanted = record_of(now, side)->fields;
  return std::all_of(wanted.begin(), wanted.end(), [&](const typed::Field& field) {
    int index = known_field(*known, field);
    if (index < 0) return field.default_value.has_value() || field.type->kind == typed::Kind::Optional;
    return converts(known->fields[static_cast<size_t>(index)].type, field.type);
  });
}

Value::Parts fields_for(const Stage& before, const Stage& now, const Value::Parts& fields, size_t side) {
  Value::Parts out;
  typed::TypeRef known = record_of(before, side);
  for (const typed::Field& field : record_of(now, side)->fields) {
    int index = known_field(*known, field);
    if (index >= 0) {
      auto at = static_cast<size_t>(index);
      out.push_back(as_type(fields[at], known->fields[at].type, field.type));
    } else {
      out.push_back(field.default_value ? from_const(*field.default_value, field.type) : Value());
    }
  }
  return out;
}

}  // namespace mut::reference
