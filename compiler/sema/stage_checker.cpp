#include "compiler/sema/stage_checker.h"

#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/stage_parts.h"

namespace mut::sema {

using diag::Code;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::Op;
using typed::Output;
using typed::StageKind;
using typed::TypeRef;

ExprPtr field_ref(TypeRef record, size_t index, source::Span span) {
  auto out = std::make_unique<Expr>();
  out->kind = ExprKind::Field;
  out->type = record->fields[index].type;
  out->span = span;
  out->index = static_cast<int>(index);
  return out;
}

TypeRef record_of(const std::vector<Output>& outputs, typed::TypeTable& types) {
  std::vector<typed::Field> fields;
  for (const Output& output : outputs) {
    typed::Field field;
    field.name = output.name;
    field.type = output.value->type;
    field.was = output.was;
    fields.push_back(std::move(field));
  }
  return types.record(std::move(fields));
}

// The name of `users.name` is `name`; other expressions have none (rule 7.1).
std::string path_name(const ast::Expr& expr) {
  if (const auto* name = std::get_if<ast::NameRef>(&expr.node)) return name->name.text;
  if (const auto* member = std::get_if<ast::MemberAccess>(&expr.node)) return member->field.text;
  return "";
}

namespace {

const char* keyword_of(const ast::Stage& stage) {
  static constexpr const char* names[] = {"where",     "select", "with",    "without",  "rename", "flatten",
                                          "aggregate", "join",   "match",   "dedupe",   "latest", "top",
                                          "sort",      "sample", "limit",   "throttle", "delay",  "debounce",
                                          "process",   "train",  "operator"};
  return names[stage.node.index()];
}

// Conjuncts that show a plain field to be some: `x is some v`, `x is not none` (rule 3.18).
void narrowed_fields(const Expr& condition, std::set<int>& fields) {
  if (condition.kind == ExprKind::Binary && condition.op == Op::And) {
    narrowed_fields(*condition.args[0], fields);
    narrowed_fields(*condition.args[1], fields);
    return;
  }
  const Expr* test = &condition;
  bool some = test->kind == ExprKind::IsSome;
  if (test->kind == ExprKind::Unary && test->op == Op::Not && test->args[0]->kind == ExprKind::IsNone) {
    test = test->args[0].get();
    some = true;
  }
  if (some && test->args[0]->kind == ExprKind::Field) fields.insert(test->args[0]->index);
}

}  // namespace

bool StageChecker::refuse(const ast::Stage& stage, const std::string& what) {
  diags_.report(Code::NotExecutable, stage.keyword, what + " `" + keyword_of(stage) + "`");
  return false;
}

bool StageChecker::usable(const ExprPtr& value) const {
  if (value->type->kind == Kind::Error) return false;
  bool empty = (value->type->kind == Kind::List && value->type->element->kind == Kind::None) ||
               (value->type->kind == Kind::Map && value->type->key()->kind == Kind::None);
  if (value->type->kind == Kind::None || empty) {
    diags_.report(Code::CannotInferType, value->span);
    return false;
  }
  return true;
}

Scope StageChecker::event_scope(const Stage& stage, Place place) const {
  Scope scope;
  scope.place = place;
  scope.record = stage.input;
  scope.record_name = "stream `" + stream_->name + "`";
  return scope;
}

bool StageChecker::check(std::span<const ast::Stage> stages, typed::Stream& stream) {
  stream_ = &stream;
  if (stages.size() > stages_per_stream_max) {
    diags_.report(Code::TooMany, stages.back().span, std::to_string(stages.size()) + " stages in one stream",
                  std::to_string(stages_per_stream_max));
    return false;
  }
  return check_level(stages, stream);
}

void StageChecker::take_label(const ast::Stage& stage, Stage& out) {
  if (!stage.label) return;
  out.labelled = true;
  out.name = stage.label->name.text;
  if (stage.label->was) out.was = stage.label->was->text;
  for (const ast::Path& path : stage.label->from) {
    std::string text;
    for (const ast::Ident& part : path.parts) text += (text.empty() ? "" : "/") + part.text;
    out.from.push_back(text);
  }
  out.fresh = stage.label->fresh;
}

// The stages of a stream, or of an operator in it.
bool StageChecker::check_level(std::span<const ast::Stage> stages, typed::Stream& stream) {
  std::vector<Part> parts;
  for (const ast::Stage& stage : stages) {
    Part part;
    part.first = stream.stages.size();
    const auto* use = std::get_if<ast::OperatorStage>(&stage.node);
    part.is_use = use != nullptr;
    part.keyword = use != nullptr ? use->name.parts.back().text : keyword_of(stage);
    part.label.name = part.keyword;
    part.label.span = stage.span;
    take_label(stage, part.label);
    for (const Part& other : parts) {
      if (!part.label.labelled || !other.label.labelled || other.label.name != part.label.name) continue;
      diags_.report(Code::LabelTwice, stage.label->span, part.label.name)
          .note(other.label.span, "first given here");
      return false;
    }
    if (use != nullptr ? !expand(*use, stage, stream) : !check_stage(stage, stream)) return false;
    if (stream.stages.size() > stages_per_stream_max) {
      diags_.report(Code::TooMany, stage.span, std::to_string(stream.stages.size()) + " stages in one stream",
                    std::to_string(stages_per_stream_max));
      return false;
    }
    part.last = stream.stages.size();
    parts.push_back(std::move(part));
  }
  name_parts(parts, stream);
  return true;
}

// Addresses of state: the label, else the kind, numbered where that is not enough. Inside an operator they
// follow that of its use.
void StageChecker::name_parts(std::vector<Part>& parts, typed::Stream& stream) {
  auto stateful = [&](const Part& part) {
    return std::any_of(stream.stages.begin() + static_cast<ptrdiff_t>(part.first),
                       stream.stages.begin() + static_cast<ptrdiff_t>(part.last),
                       [](const Stage& stage) { return stage.stateful(); });
  };
  for (Part& part : parts) {
    int same = 0;
    int number = 0;
    for (const Part& other : parts) {
      if (part.label.labelled || other.label.labelled || other.keyword != part.keyword || !stateful(part) ||
          !stateful(other))
        continue;
      ++same;
      if (&other <= &part) ++number;
    }
    if (number > 1) part.label.name = part.keyword + "#" + std::to_string(number);
    if (same > 1 && number == 2) {
      diags_.report(Code::UnlabelledTwice, part.label.span, part.keyword)
          .note("label them, as in `| @first " + part.keyword + " …`, so that edits know which is which");
    }
    for (size_t i = part.first; i < part.last; ++i) {
      Stage& stage = stream.stages[i];
      if (part.is_use) {
        name_inside(part, stage);
      } else if (!stage.labelled) {
        stage.name = part.label.name;
        // In an operator the author of the stream cannot label it, and its kind says which it is.
        stage.labelled = !uses_.empty() && same == 1;
      }
    }
  }
}

void StageChecker::name_inside(const Part& part, Stage& stage) {
  std::string inner = "/" + stage.name;
  if (!part.label.was.empty()) {
    stage.was = part.label.was + (stage.was.empty() ? inner : "/" + stage.was);
  } else if (!stage.was.empty()) {
    stage.was = part.label.name + "/" + stage.was;
  }
  for (const std::string& from : part.label.from) stage.from.push_back(from + inner);
  if (part.label.fresh && stage.stateful()) stage.fresh = part.label.fresh;
  stage.name = part.label.name + inner;
  stage.labelled = stage.labelled && part.label.labelled;
}

bool StageChecker::check_stage(const ast::Stage& stage, typed::Stream& stream) {
  Stage out;
  out.keyword = keyword_of(stage);
  out.name = out.keyword;
  out.span = stage.span;
  out.input = stream.type;
  out.output = stream.type;
  take_label(stage, out);
  if (!std::visit([&](const auto& node) { return build(node, stage, out); }, stage.node)) return false;
  if (!uses_.empty()) {
    if (auto built = keep_passed(stage, out, stream)) return *built;
  }
  if (out.output->fields.size() > fields_max) {
    diags_.report(Code::TooMany, stage.span, std::to_string(out.output->fields.size()) + " fields",
                  std::to_string(fields_max));
    return false;
  }
  bool where = out.kind == StageKind::Where;
  bool passes = where || out.kind == StageKind::Project || out.kind == StageKind::Flatten ||
                out.kind == StageKind::Dedupe || out.kind == StageKind::Lookup;
  if (!passes) stream.follows.clear();
  push(std::move(out), stream);
  if (where) narrow(stream.stages.back(), stream);
  return true;
}

bool StageChecker::build(const ast::WhereStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Where;
  Scope scope = event_scope(out, Place::EventHistory);
  scope.histories = &out.histories;
  out.condition = exprs_.check_condition(*node.condition, scope);
  return out.condition->type->kind != Kind::Error;
}

// Fields that a `where` showed to be some are plain in the stages that follow.
void StageChecker::narrow(const Stage& where, typed::Stream& stream) {
  std::set<int> fields;
  narrowed_fields(*where.condition, fields);
  std::erase_if(fields, [&](int index) {
    return where.input->fields[static_cast<size_t>(index)].type->kind != Kind::Optional;
  });
  if (fields.empty()) return;
  Stage out;
  out.kind = StageKind::Project;
  out.keyword = "where";
  out.name = "where";
  out.span = where.span;
  out.input = where.output;
  for (size_t i = 0; i < out.input->fields.size(); ++i) {
    ExprPtr value = field_ref(out.input, i, where.span);
    if (fields.contains(static_cast<int>(i))) {
      auto unwrap = std::make_unique<Expr>();
      unwrap->kind = ExprKind::Unwrap;
      unwrap->type = value->type->element;
      unwrap->span = where.span;
      unwrap->args.push_back(std::move(value));
      value = std::move(unwrap);
    }
    out.outputs.push_back({out.input->fields[i].name, std::move(value), ""});
  }
  out.output = record_of(out.outputs, exprs_.types());
  push(std::move(out), stream);
}

bool StageChecker::build(const ast::SelectStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Project;
  bool fine = true;
  std::set<std::string> seen;
  for (const ast::NamedExpr& item : node.items) {
    Scope scope = event_scope(out, Place::EventHistory);
    scope.histories = &out.histories;
    std::string name = item.name ? item.name->text : path_name(*item.value);
    scope.cell = name;
    ExprPtr value = exprs_.check(*item.value, scope);
    if (name.empty()) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    if (!seen.insert(name).second) {
      auto report = diags_.report(Code::FieldTwice, item.span, name);
      if (!item.name) report.note("give one another name: `other = …`");
      fine = false;
      continue;
    }
    if (!usable(value)) {
      fine = false;
      continue;
    }
    out.outputs.push_back({name, std::move(value), item.was ? item.was->text : ""});
  }
  if (fine) out.output = record_of(out.outputs, exprs_.types());
  return fine;
}

bool StageChecker::build(const ast::WithStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Project;
  bool fine = true;
  std::set<std::string> made;
  for (const ast::NamedExpr& item : node.items) {
    if (item.name && out.input->field_index(item.name->text) < 0) made.insert(item.name->text);
  }
  for (size_t i = 0; i < out.input->fields.size(); ++i) {
    out.outputs.push_back({out.input->fields[i].name, field_ref(out.input, i, out.span), ""});
  }
  std::set<std::string> seen;
  for (const ast::NamedExpr& item : node.items) {
    Scope scope = event_scope(out, Place::EventHistory);
    scope.histories = &out.histories;
    scope.siblings = made;
    if (!item.name) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    scope.cell = item.name->text;
    ExprPtr value = exprs_.check(*item.value, scope);
    if (!seen.insert(item.name->text).second) {
      diags_.report(Code::FieldTwice, item.name->span, item.name->text);
      fine = false;
      continue;
    }
    if (!usable(value)) {
      fine = false;
      continue;
    }
    int index = out.input->field_index(item.name->text);
    Output made_here{item.name->text, std::move(value), item.was ? item.was->text : ""};
    if (index >= 0) {
      out.outputs[static_cast<size_t>(index)] = std::move(made_here);
    } else {
      out.outputs.push_back(std::move(made_here));
    }
  }
  if (fine) out.output = record_of(out.outputs, exprs_.types());
  return fine;
}

bool StageChecker::build(const ast::WithoutStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Project;
  std::set<std::string> removed;
  bool fine = true;
  for (const ast::Ident& field : node.fields) {
    if (out.input->field_index(field.text) < 0) {
      std::vector<std::string> candidates;
      for (const typed::Field& other : out.input->fields) candidates.push_back(other.name);
      auto report =
          diags_.report(Code::UnknownField, field.span, "stream `" + stream_->name + "`", field.text);
      if (auto near = diag::did_you_mean(field.text, candidates))
        report.note("did you mean `" + *near + "`?").fix(field.span, *near);
      fine = false;
    }
    removed.insert(field.text);
  }
  for (size_t i = 0; i < out.input->fields.size(); ++i) {
    if (removed.contains(out.input->fields[i].name)) continue;
    out.outputs.push_back({out.input->fields[i].name, field_ref(out.input, i, out.span), ""});
  }
  if (fine) out.output = record_of(out.outputs, exprs_.types());
  return fine;
}

bool StageChecker::build(const ast::RenameStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Project;
  bool fine = true;
  for (size_t i = 0; i < out.input->fields.size(); ++i) {
    out.outputs.push_back({out.input->fields[i].name, field_ref(out.input, i, out.span), ""});
  }
  for (const ast::RenameItem& item : node.items) {
    int index = out.input->field_index(item.from.text);
    if (index < 0) {
      diags_.report(Code::UnknownField, item.from.span, "stream `" + stream_->name + "`", item.from.text);
      fine = false;
      continue;
    }
    out.outputs[static_cast<size_t>(index)].name = item.to.text;
  }
  std::set<std::string> seen;
  for (const Output& output : out.outputs) {
    if (seen.insert(output.name).second) continue;
    diags_.report(Code::FieldTwice, out.span, output.name);
    fine = false;
  }
  if (fine) out.output = record_of(out.outputs, exprs_.types());
  return fine;
}

bool StageChecker::build(const ast::FlattenStage& node, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Flatten;
  Scope scope = event_scope(out, Place::Event);
  out.list = exprs_.check(*node.list, scope);
  if (out.list->type->kind == Kind::Error) return false;
  if (out.list->type->kind == Kind::Optional && out.list->type->element->kind == Kind::List) {
    diags_.report(Code::MayBeNone, node.list->span, "a list").note("write `?? []`");
    return false;
  }
  if (out.list->type->kind != Kind::List) {
    diags_.report(Code::TypeMismatch, node.list->span, "a list", quoted(out.list->type));
    return false;
  }
  std::string source_name = path_name(*node.list);
  std::string name = node.name ? node.name->text : source_name;
  if (name.empty()) {
    diags_.report(Code::NeedsName, node.list->span);
    return false;
  }
  // Rule 7.4: the element takes the list's position; the list goes only when the name is its own.
  std::vector<typed::Field> fields = out.input->fields;
  int list_at = out.list->kind == ExprKind::Field ? out.list->index : -1;
  int existing = out.input->field_index(name);
  if (existing >= 0) {
    out.list_field = existing;
    out.flatten_output = existing;
    fields[static_cast<size_t>(existing)].type = out.list->type->element;
    fields[static_cast<size_t>(existing)].default_value.reset();  // the list's
  } else {
    typed::Field field;
    field.name = name;
    field.type = out.list->type->element;
    out.flatten_output = list_at >= 0 ? list_at : static_cast<int>(fields.size());
    fields.insert(fields.begin() + out.flatten_output, field);
  }
  out.output = exprs_.types().record(std::move(fields));
  return true;
}

bool StageChecker::check_keys(const std::vector<ast::NamedExpr>& by, Stage& out) {
  bool fine = true;
  for (const ast::NamedExpr& item : by) {
    Scope scope = event_scope(out, Place::Event);
    ExprPtr key = exprs_.check(*item.value, scope);
    std::string name = item.name ? item.name->text : path_name(*item.value);
    if (name.empty()) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    if (!usable(key)) {
      fine = false;
      continue;
    }
    if (!typed::is_key(key->type)) {
      diags_.report(Code::NoEquality, item.span, quoted(key->type));
      fine = false;
      continue;
    }
    if (std::find(out.key_names.begin(), out.key_names.end(), name) != out.key_names.end()) {
      diags_.report(Code::FieldTwice, item.span, name);
      fine = false;
      continue;
    }
    out.keys.push_back(std::move(key));
    out.key_names.push_back(std::move(name));
  }
  return fine;
}

bool StageChecker::build(const ast::DedupeStage& node, const ast::Stage& stage, Stage& out) {
  out.kind = StageKind::Dedupe;
  bool fine = check_keys(node.by, out);
  auto within = node.within ? exprs_.check_constant(*node.within, exprs_.type(Kind::Duration)) : std::nullopt;
  if (!node.within) {
    diags_.report(Code::MissingOption, stage.keyword, "dedupe", "`within D`");
  }
  if (!within) return false;
  out.within = within->value.as_int();
  if (out.within <= 0) {
    diags_.report(Code::BadWindow, node.within->span, "a horizon must be longer than nothing");
    return false;
  }
  return fine;
}

}  // namespace mut::sema
