#include "compiler/reference/rekey.h"

#include <algorithm>
#include <functional>
#include <set>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/json.h"

namespace mut::reference {

using typed::Expr;
using typed::ExprKind;
using typed::Kind;
using typed::StageKind;

namespace {

// Least and greatest value of a whole number; nothing for u64 and what is none.
std::optional<std::pair<int64_t, int64_t>> range_of(Kind kind) {
  switch (kind) {
    case Kind::I8:
      return std::pair{INT64_C(-128), INT64_C(127)};
    case Kind::I16:
      return std::pair{INT64_C(-32768), INT64_C(32767)};
    case Kind::I32:
      return std::pair{INT64_C(-2147483648), INT64_C(2147483647)};
    case Kind::Int:
      return std::pair{INT64_MIN, INT64_MAX};
    case Kind::U8:
      return std::pair{INT64_C(0), INT64_C(255)};
    case Kind::U16:
      return std::pair{INT64_C(0), INT64_C(65535)};
    case Kind::U32:
      return std::pair{INT64_C(0), INT64_C(4294967295)};
    default:
      return std::nullopt;
  }
}

}  // namespace

Fit fit(typed::TypeRef from, typed::TypeRef to) {
  if (from->kind == Kind::Enum && to->kind == Kind::Enum) {
    bool begins = from->values.size() <= to->values.size() &&
                  std::equal(from->values.begin(), from->values.end(), to->values.begin());
    return begins ? Fit::Always : Fit::Never;
  }
  if (from->text == to->text) return Fit::Always;
  if (from->kind == Kind::F32 && to->kind == Kind::Float) return Fit::Always;
  if (to->kind == Kind::Optional && from->text == to->element->text) return Fit::Always;
  typed::TypeRef some = typed::without_none(from);
  if (some->text == to->text) return Fit::Perhaps;
  auto a = range_of(some->kind);
  auto b = range_of(to->kind);
  if (a && b) {
    bool all = from == some && b->first <= a->first && a->second <= b->second;
    return all ? Fit::Always : Fit::Perhaps;
  }
  bool wide = (a || some->kind == Kind::U64) && (b || to->kind == Kind::U64);
  if (!wide) return Fit::Never;
  return from == some && a && a->first == 0 ? Fit::Always : Fit::Perhaps;
}

// The value as one of the type, by its digits.
Value fitting_value(const Value& value, typed::TypeRef from, typed::TypeRef to) {
  if (value.is_none()) {
    if (to->kind == Kind::Optional) return value;
    fail(typed::EventError::Cast);
  }
  from = typed::without_none(from);
  to = typed::without_none(to);
  if (from->text == to->text || !typed::is_integer(from->kind)) return value;
  return cast(value, from, to);
}

namespace {

// Values of an enum of the version before have no name in the next.
bool has_enum(typed::TypeRef type) {
  if (type->kind == Kind::Enum || (type->element != nullptr && has_enum(type->element))) return true;
  return std::any_of(type->fields.begin(), type->fields.end(),
                     [](const typed::Field& field) { return has_enum(field.type); });
}

void fields_of(const Expr& expr, std::set<int>& out) {
  if (expr.kind == ExprKind::Field) out.insert(expr.index);
  for (const typed::ExprPtr& arg : expr.args) fields_of(*arg, out);
}

}  // namespace

bool looks_beyond(const Expr& expr) {
  bool own = expr.kind == ExprKind::History || expr.kind == ExprKind::Aggregate ||
             expr.kind == ExprKind::Key || expr.kind == ExprKind::WindowStart ||
             expr.kind == ExprKind::WindowEnd ||
             (expr.kind == ExprKind::Call &&
              (expr.builtin == typed::Builtin::EventTime || expr.builtin == typed::Builtin::ArrivalTime ||
               expr.builtin == typed::Builtin::Position));
  return own || std::any_of(expr.args.begin(), expr.args.end(),
                            [](const typed::ExprPtr& arg) { return looks_beyond(*arg); });
}

std::string KeysView::name(size_t key) const {
  if (key < stage->key_names.size()) return stage->key_names[key];
  const Expr& expr = *(*exprs)[key];
  return expr.kind == ExprKind::Field ? stage->input->fields[static_cast<size_t>(expr.index)].name : "";
}

std::optional<Rekey> Rekey::between(const KeysView& before, const KeysView& now, const Flow& next,
                                    const Consents& consents) {
  Rekey out;
  out.before_ = before;
  out.now_ = now;
  out.next_ = &next;
  std::vector<typed::Field> fields;
  for (size_t i = 0; i < before.exprs->size(); ++i) {
    typed::TypeRef type = (*before.exprs)[i]->type;
    if (has_enum(type) || typed::has_secret(type)) continue;
    typed::Field field;
    field.name = before.name(i);
    field.type = type;
    fields.push_back(std::move(field));
    out.said_fields_.push_back(i);
  }
  if (before.stage->process && now.stage->process) {
    const std::vector<typed::ProcessState>& states = before.stage->process->states;
    for (size_t i = 0; i < states.size(); ++i) {
      bool is_key = std::any_of(fields.begin(), fields.end(),
                                [&](const typed::Field& field) { return field.name == states[i].name; });
      if (is_key || has_enum(states[i].type) || typed::has_secret(states[i].type)) continue;
      typed::Field field;
      field.name = states[i].name;
      field.type = states[i].type;
      fields.push_back(std::move(field));
      out.said_variables_.push_back(i);
    }
  }
  if (consents.migrate) out.said_ = consents.migrate(now.stream->name, now.stage->name, fields);
  std::vector<char> taken(before.exprs->size(), 0);
  bool migrated = false;
  for (size_t i = 0; i < now.exprs->size(); ++i) {
    typed::TypeRef type = (*now.exprs)[i]->type;
    Part part;
    if (out.said_) {
      for (const typed::Output& output : out.said_->streams.back().stages.back().outputs) {
        if (output.name == now.name(i)) part.value = output.value.get();
      }
    }
    // Its own place first: two keys may mean the same.
    for (size_t turn = 0; turn <= before.exprs->size() && !part.old && part.value == nullptr; ++turn) {
      size_t place = turn == 0 ? i : turn - 1;
      if (place >= taken.size() || taken[place] || !continues(before.meanings[place], now.meanings[i]))
        continue;
      Fit how = fit((*before.exprs)[place]->type, type);
      if (how == Fit::Never) continue;
      part.old = place;
      part.checked = (*before.exprs)[place]->type->text != type->text;
      taken[place] = 1;
    }
    migrated = migrated || part.value != nullptr;
    part.computed = !part.old && part.value == nullptr;
    out.parts_.push_back(part);
  }
  if (out.said_ && now.stage->process) {
    const std::vector<typed::ProcessState>& states = now.stage->process->states;
    for (const typed::Output& output : out.said_->streams.back().stages.back().outputs) {
      for (size_t i = 0; i < states.size(); ++i) {
        bool is_key = false;
        for (size_t k = 0; k < now.exprs->size(); ++k) is_key = is_key || now.name(k) == states[i].name;
        if (!is_key && states[i].name == output.name) out.variables_.emplace_back(i, output.value.get());
      }
    }
    std::sort(out.variables_.begin(), out.variables_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  bool computed =
      std::any_of(out.parts_.begin(), out.parts_.end(), [](const Part& part) { return part.computed; });
  bool all = std::all_of(taken.begin(), taken.end(), [](char one) { return one != 0; });
  out.unites_ = !all && (computed || !migrated);
  if (!computed) return out;
  for (size_t i = 0; i < out.parts_.size(); ++i) {
    bool had = !out.parts_[i].computed ||
               out.derive(*(*now.exprs)[i], nullptr, now.stream_index, now.stage_index).has_value();
    if (!had) return std::nullopt;
  }
  return out;
}

Key Rekey::operator()(const Key& key) const {
  Key out;
  for (size_t i = 0; i < parts_.size(); ++i) out.push_back(part_of(key, i));
  return out;
}

std::string Rekey::text(const Key& key) const {
  std::string out = "{";
  for (size_t i = 0; i < key.size(); ++i)
    out +=
        (i > 0 ? "," : "") + quote_json(before_.name(i)) + ":" + to_json(key[i], (*before_.exprs)[i]->type);
  return out + "}";
}

Value Rekey::part_of(const Key& key, size_t index) const {
  const Part& part = parts_[index];
  typed::TypeRef type = (*now_.exprs)[index]->type;
  if (part.old) {
    const Value& value = key[*part.old];
    return part.checked ? fitting_value(value, (*before_.exprs)[*part.old]->type, type) : value;
  }
  if (part.computed) return *derive(*(*now_.exprs)[index], &key, now_.stream_index, now_.stage_index);
  if (reads_variables(*part.value)) fail(typed::EventError::Cast);  // a key is made of keys
  Value::Parts fields{old_record(key, {})};
  Scope scope;
  scope.fields = &fields;
  scope.params = &next_->params();
  return convert(evaluate(*part.value, scope), part.value->type, type);
}

Value Rekey::old_record(const Key& key, const Value::Parts& variables) const {
  Value::Parts record;
  for (size_t field : said_fields_) record.push_back(key[field]);
  for (size_t variable : said_variables_)
    record.push_back(variable < variables.size() ? variables[variable] : Value());
  return Value(std::move(record));
}

std::vector<size_t> Rekey::made_variables() const {
  std::vector<size_t> out;
  for (const auto& [place, value] : variables_) out.push_back(place);
  return out;
}

Value::Parts Rekey::make_variables(const Key& key, const Value::Parts& variables) const {
  Value::Parts out;
  Value::Parts fields{old_record(key, variables)};
  Scope scope;
  scope.fields = &fields;
  scope.params = &next_->params();
  for (const auto& [place, value] : variables_)
    out.push_back(convert(evaluate(*value, scope), value->type, now_.stage->process->states[place].type));
  return out;
}

bool Rekey::reads_variables(const Expr& expr) const {
  if (said_variables_.empty()) return false;
  if (expr.kind == ExprKind::Field) return true;  // all of the record
  if (expr.kind == ExprKind::Member && expr.args[0]->kind == ExprKind::Field)
    return static_cast<size_t>(expr.index) >= said_fields_.size();
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [&](const typed::ExprPtr& arg) { return reads_variables(*arg); });
}

bool Rekey::reads(size_t variable) const {
  auto known = std::find(said_variables_.begin(), said_variables_.end(), variable);
  if (known == said_variables_.end()) return false;
  auto place = static_cast<int>(said_fields_.size() + static_cast<size_t>(known - said_variables_.begin()));
  std::function<bool(const Expr&)> read = [&](const Expr& expr) {
    if (expr.kind == ExprKind::Field) return true;
    if (expr.kind == ExprKind::Member && expr.args[0]->kind == ExprKind::Field) return expr.index == place;
    return std::any_of(expr.args.begin(), expr.args.end(),
                       [&](const typed::ExprPtr& arg) { return read(*arg); });
  };
  return std::any_of(variables_.begin(), variables_.end(),
                     [&](const auto& made) { return read(*made.second); });
}

// The values of an enum of the version before have no name in the next.
bool Rekey::can_compute_with(size_t old_key, typed::TypeRef type) const {
  typed::TypeRef known = (*before_.exprs)[old_key]->type;
  return known->text == type->text && typed::without_none(known)->kind != Kind::Enum;
}

std::optional<Value> Rekey::derive(const Expr& expr, const Key* key, int stream, size_t stage) const {
  Meaning meaning(next_->program(), true);
  std::set<int> fields;
  fields_of(expr, fields);
  Ways ways = meaning.of_key(expr, stream, stage);
  for (size_t i = 0; i < before_.meanings.size(); ++i) {
    if (before_.meanings[i] == ways && can_compute_with(i, expr.type))
      return key == nullptr ? Value() : (*key)[i];
  }
  if (looks_beyond(expr)) return std::nullopt;
  Value::Parts values;
  for (int field : fields) {
    std::optional<Value> value = derive_field(field, key, stream, stage);
    if (!value) return std::nullopt;
    if (values.size() <= static_cast<size_t>(field)) values.resize(static_cast<size_t>(field) + 1);
    values[static_cast<size_t>(field)] = std::move(*value);
  }
  if (key == nullptr) return Value();
  Scope scope;
  scope.fields = &values;
  scope.params = &next_->params();
  return evaluate(expr, scope);
}

std::optional<Value> Rekey::derive_field(int field, const Key* key, int stream, size_t stage) const {
  const typed::Program& program = next_->program();
  const typed::Stream& of = program.streams[static_cast<size_t>(stream)];
  const std::vector<typed::Field>& record =
      (stage < of.stages.size() ? of.stages[stage].input : of.type)->fields;
  Meaning meaning(program, true);
  Expr read;
  read.kind = ExprKind::Field;
  read.index = field;
  read.type = record[static_cast<size_t>(field)].type;
  Ways ways = meaning.of_key(read, stream, stage);
  for (size_t i = 0; i < before_.meanings.size(); ++i) {
    if (before_.meanings[i] == ways && can_compute_with(i, read.type))
      return key == nullptr ? Value() : (*key)[i];
  }
  if (stage == 0) {
    if (of.inputs.size() != 1 || !of.inputs[0].conversion.empty()) return std::nullopt;
    if (of.kind != typed::StreamKind::Pipeline && of.kind != typed::StreamKind::Branch) return std::nullopt;
    int input = of.inputs[0].stream;
    return derive_field(field, key, input, program.streams[static_cast<size_t>(input)].stages.size());
  }
  const typed::Stage& above = of.stages[stage - 1];
  if (above.kind == StageKind::Project)
    return derive(*above.outputs[static_cast<size_t>(field)].value, key, stream, stage - 1);
  bool passes =
      above.kind == StageKind::Where || above.kind == StageKind::Dedupe || above.kind == StageKind::Hold;
  return passes ? derive_field(field, key, stream, stage - 1) : std::nullopt;
}

}  // namespace mut::reference
