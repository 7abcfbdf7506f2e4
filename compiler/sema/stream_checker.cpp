// Streams: pipelines, merges, routes.
#include <algorithm>

#include "compiler/sema/program_checker.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::StreamKind;
using typed::TypeRef;

namespace {

// The table whose current rows a stream follows; empty: none.
std::string followed_by(const typed::Stream& stream) {
  return stream.is_table ? stream.name : stream.follows;
}

}  // namespace

void ProgramChecker::check_stream(const ast::StreamDecl& decl, Declared& declared) {
  declared.result = check_pipeline(decl.pipeline, decl.pipeline.stages.size(), decl.name, decl.was);
}

std::optional<typed::Stream> ProgramChecker::check_pipeline(const ast::Pipeline& pipeline, size_t count,
                                                            const ast::Ident& own_name,
                                                            const std::optional<ast::Ident>& was) {
  typed::Stream stream;
  stream.kind = StreamKind::Pipeline;
  stream.name = own_name.text;
  stream.span = own_name.span;
  if (was) stream.was = was->text;
  if (const auto* head = std::get_if<ast::StreamHead>(&pipeline.head)) {
    typed::Stream* input = find(path_text(head->name), head->name.span);
    if (input == nullptr) return std::nullopt;
    stream.follows = followed_by(*input);
    stream.type = input->type;
    stream.repeats_results = input->repeats_results;
    input_names_[stream.name].push_back(input->name);
    stream.inputs.emplace_back();
  } else if (!check_merge(std::get<ast::MergeHead>(pipeline.head), stream, pipeline.span)) {
    return std::nullopt;
  }
  auto find_right = [&](const ast::Ident& name) -> std::pair<const typed::Stream*, int> {
    const typed::Stream* right = find(name.text, name.span);
    if (right == nullptr) return {nullptr, -1};
    right_names_.push_back(right->name);
    return {right, static_cast<int>(right_names_.size() - 1)};  // resolved by number_streams()
  };
  auto declare_late = [&](const ast::Ident& name, TypeRef type) {
    Declared& late = declared_.find(name.text)->second;
    typed::Stream made;
    made.kind = StreamKind::Late;
    made.name = name.text;
    made.span = name.span;
    made.type = type;
    late.result = std::move(made);
    late.checked = true;
    late_names_.push_back(name.text);
    return static_cast<int>(late_names_.size() - 1);  // resolved to a stream by number_streams()
  };
  StageChecker stages(*exprs_, diags_, declare_late, find_right);
  if (!stages.check(std::span(pipeline.stages).first(count), stream)) return std::nullopt;
  stage_count_ += stream.stages.size();
  if (stage_count_ > stages_max) {
    diags_.report(Code::TooMany, own_name.span, std::to_string(stage_count_) + " stages",
                  std::to_string(stages_max));
    return std::nullopt;
  }
  return stream;
}

bool ProgramChecker::check_merge(const ast::MergeHead& head, typed::Stream& stream, source::Span span) {
  std::vector<typed::Stream*> inputs;
  for (const ast::Path& path : head.inputs) {
    typed::Stream* input = find(path_text(path), path.span);
    if (input == nullptr) return false;
    inputs.push_back(input);
    input_names_[stream.name].push_back(input->name);
    stream.repeats_results = stream.repeats_results || input->repeats_results;
  }
  // Of several tables no row says which one it is of.
  stream.follows = followed_by(*inputs[0]);
  for (const typed::Stream* input : inputs) {
    if (followed_by(*input) != stream.follows) stream.follows = several_tables;
  }
  // Rule 6.6: fields of the first input, then new ones; a field that one lacks is T?.
  std::vector<typed::Field> fields;
  for (typed::Stream* input : inputs) {
    for (const typed::Field& field : input->type->fields) {
      auto known = std::find_if(fields.begin(), fields.end(),
                                [&](const typed::Field& other) { return other.name == field.name; });
      if (known == fields.end()) {
        typed::Field added;
        added.name = field.name;
        added.type = field.type;
        fields.push_back(std::move(added));
        continue;
      }
      TypeRef joined = exprs_->unify(known->type, field.type);
      if (joined == nullptr) {
        diags_.report(Code::MergeTypes, span, field.name, "`" + known->type->text + "`",
                      "`" + field.type->text + "`");
        return false;
      }
      known->type = joined;
    }
  }
  for (typed::Field& field : fields) {
    for (typed::Stream* input : inputs) {
      if (input->type->field_index(field.name) < 0) field.type = out_.types->optional(field.type);
    }
  }
  stream.type = out_.types->record(fields);
  for (typed::Stream* input : inputs) {
    typed::Input made;
    if (!typed::same(input->type, stream.type)) {
      for (const typed::Field& field : stream.type->fields) {
        auto value = std::make_unique<typed::Expr>();
        value->span = span;
        int index = input->type->field_index(field.name);
        if (index >= 0) {
          value->kind = typed::ExprKind::Field;
          value->type = input->type->fields[static_cast<size_t>(index)].type;
          // A merge passes every event on; it cannot fail one.
          if (typed::widening_can_fail(value->type, field.type)) {
            diags_
                .report(Code::MergeTypes, span, field.name, "`" + value->type->text + "`",
                        "`" + field.type->text + "`")
                .note("a decimal that is widened may have too many digits; write `| with " + field.name +
                      " = " + field.name + " as " +
                      (field.type->kind == Kind::Optional ? field.type->element : field.type)->text +
                      "` before");
            return false;
          }
          value->index = index;
          value = exprs_->coerce(std::move(value), field.type);
        } else {
          value->kind = typed::ExprKind::Literal;
          value->type = field.type;
        }
        made.conversion.push_back({field.name, std::move(value), ""});
      }
    }
    stream.inputs.push_back(std::move(made));
  }
  return true;
}

void ProgramChecker::check_branch(const std::string& name, const ast::RouteDecl& decl, Declared& declared) {
  auto known = routes_.find(&decl);
  if (known == routes_.end()) {
    Routed routed;
    routed.input = find(path_text(decl.input), decl.input.span);
    if (routed.input != nullptr) routed.fine = check_route(decl, *routed.input, routed.route);
    known = routes_.emplace(&decl, std::move(routed)).first;
  }
  if (!known->second.fine) return;
  typed::Stream stream;
  stream.kind = StreamKind::Branch;
  stream.name = name;
  stream.span = declared.span;
  for (const ast::RouteBranch& branch : decl.branches) {
    if (branch.target.text == name && branch.was) stream.was = branch.was->text;
  }
  stream.type = known->second.input->type;
  stream.repeats_results = known->second.input->repeats_results;
  stream.follows = followed_by(*known->second.input);
  stream.inputs.emplace_back();
  input_names_[name].push_back(known->second.input->name);
  declared.result = std::move(stream);
}

bool ProgramChecker::check_route(const ast::RouteDecl& decl, const typed::Stream& input, typed::Route& out) {
  out.all = decl.all;
  out.span = decl.input.span;
  bool fine = true;
  bool has_else = false;
  int covered_field = -1;
  std::set<int64_t> covered;
  bool only_equality = true;
  for (const ast::RouteBranch& branch : decl.branches) {
    typed::RouteBranch made;
    if (branch.condition) {
      Scope scope;
      scope.place = Place::Event;
      scope.record = input.type;
      scope.record_name = "stream `" + input.name + "`";
      made.condition = exprs_->check_condition(*branch.condition, scope);
      const typed::Expr& condition = *made.condition;
      fine = fine && condition.type->kind != Kind::Error;
      bool equality = condition.kind == typed::ExprKind::Binary && condition.op == typed::Op::Equal &&
                      condition.args[0]->kind == typed::ExprKind::Field &&
                      condition.args[1]->kind == typed::ExprKind::Literal &&
                      condition.args[0]->type->kind == Kind::Enum;
      bool plain = condition.kind == typed::ExprKind::Field && condition.type->kind == Kind::Bool;
      bool negated = condition.kind == typed::ExprKind::Unary && condition.op == typed::Op::Not &&
                     condition.args[0]->kind == typed::ExprKind::Field;
      int field = equality || negated ? condition.args[0]->index : plain ? condition.index : -1;
      if (field < 0 || (covered_field >= 0 && covered_field != field)) only_equality = false;
      covered_field = field;
      if (equality) covered.insert(condition.args[1]->value.as_int());
      if (plain) covered.insert(1);
      if (negated) covered.insert(0);
    } else {
      has_else = true;
    }
    out.branches.push_back(std::move(made));
  }
  if (!fine) return false;
  if (has_else) return true;
  std::string missing = "what matches no branch; add `else -> …`";
  if (!decl.all && only_equality && covered_field >= 0) {
    TypeRef type = input.type->fields[static_cast<size_t>(covered_field)].type;
    size_t count = type->kind == Kind::Bool ? 2 : type->values.size();
    if (covered.size() == count) return true;
    missing.clear();
    for (size_t i = 0; i < count; ++i) {
      if (covered.contains(static_cast<int64_t>(i))) continue;
      missing += (missing.empty() ? "`" : ", `") +
                 (type->kind == Kind::Bool ? (i == 1 ? "true" : "false") : type->values[i]) + "`";
    }
  }
  diags_.report(Code::RouteNotExhaustive, decl.input.span, missing);
  return false;
}

}  // namespace mut::sema
