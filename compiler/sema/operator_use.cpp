#include "compiler/sema/operator_use.h"

#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_names.h"
#include "compiler/sema/stage_checker.h"
#include "compiler/sema/stage_parts.h"

namespace mut::sema {

using diag::Code;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::StageKind;
using typed::TypeRef;

const OperatorUse::Argument* OperatorUse::find(std::string_view name) const {
  for (const Argument& argument : arguments) {
    if (argument.parameter->name.text == name) return &argument;
  }
  return nullptr;
}

bool OperatorUse::is_there(const Argument& argument) const {
  return std::all_of(argument.reads.begin(), argument.reads.end(), [&](const std::string& name) {
    int field = entered->field_index(name);
    if (field >= 0 && places[static_cast<size_t>(field)] < 0) return false;
    const Argument* outer = caller.use == nullptr ? nullptr : caller.use->find(name);
    return outer == nullptr || caller.use->is_there(*outer);
  });
}

std::vector<int> OperatorUse::kept_fields() const {
  std::vector<int> out;
  for (size_t i = 0; i < entered->fields.size(); ++i) {
    bool read = std::any_of(arguments.begin(), arguments.end(), [&](const Argument& argument) {
      return !argument.value && argument.reads.contains(entered->fields[i].name);
    });
    if (read) out.push_back(static_cast<int>(i));
  }
  return out;
}

// ---- parameters as names

ExprPtr ExprChecker::passed(const std::string& name, const ast::Expr& expr, Scope& scope, TypeRef hint) {
  const OperatorUse::Argument* argument = use_->find(name);
  if (argument == nullptr) return nullptr;
  // `by k`: in what is computed of a group or match, the key itself.
  bool of_group =
      scope.place == Place::AggregateItem || (scope.pattern != nullptr && !scope.pattern->has_event);
  for (size_t i = 0; of_group && scope.key_names != nullptr && i < scope.key_names->size(); ++i) {
    if ((*scope.key_names)[i] != name) continue;
    ExprPtr key = make(ExprKind::Key, (*scope.keys)[i]->type, expr.span);
    key->index = static_cast<int>(i);
    return key;
  }
  if (argument->value) {
    ExprPtr out = typed::clone(*argument->value);
    out->span = expr.span;
    return out;
  }
  const OperatorUse& use = *use_;
  if (!use.is_there(*argument)) {
    // Behind `aggregate`: a result or key of that name, if there is one.
    if (scope.record != nullptr && scope.record->field_index(name) >= 0) return nullptr;
    diags_.report(Code::UnknownField, expr.span, scope.record_name, name)
        .note(argument->given->span,
              "`" + name + "` stands for this, whose fields do not go through the stages before");
    return error(expr.span);
  }
  Scope inner = scope;
  inner.locals.clear();
  inner.siblings.clear();
  if (scope.record != nullptr) {
    inner.here = scope.places != nullptr ? scope.here : scope.record;
    inner.record = use.entered;
    inner.places = &use.places;
  }
  diag::Engine::Within within(diags_, expr.span, "`" + name + "` stands for it here");
  Context body = context();
  set_context(use.caller);
  ExprPtr out = check(*argument->given, inner, hint);
  set_context(body);
  if (out->type->kind != Kind::Error) out->span = expr.span;  // what is wrong with it is wrong here
  return out;
}

// ---- uses

namespace {

constexpr std::string_view stage_words[] = {
    "where",  "select", "with", "without", "rename", "flatten",  "aggregate", "join",     "match",   "dedupe",
    "latest", "top",    "sort", "sample",  "limit",  "throttle", "delay",     "debounce", "process", "train"};

// The place of a field behind a stage, or -1.
int place_behind(const typed::Stage& stage, int field) {
  auto name = [&] { return stage.input->fields[static_cast<size_t>(field)].name; };
  switch (stage.kind) {
    case StageKind::Where:
    case StageKind::Hold:
    case StageKind::Dedupe:
    case StageKind::Table:
      return field;
    case StageKind::Project:
      for (size_t i = 0; i < stage.outputs.size(); ++i) {
        const Expr* value = stage.outputs[i].value.get();
        if (value->kind == ExprKind::Unwrap) value = value->args[0].get();
        if (value->kind == ExprKind::Field && value->index == field) return static_cast<int>(i);
      }
      return -1;
    case StageKind::Flatten:
      return stage.list_field == field ? -1 : stage.output->field_index(name());
    case StageKind::Aggregate:
    case StageKind::Match:
    case StageKind::Process:
      return -1;
    case StageKind::Join:
    case StageKind::Lookup: {
      int place = stage.output->field_index(name());
      return place >= 0 && typed::same(stage.output->fields[static_cast<size_t>(place)].type,
                                       stage.input->fields[static_cast<size_t>(field)].type)
                 ? place
                 : -1;
    }
  }
  return -1;
}

}  // namespace

const Homed<ast::OperatorDecl>* StageChecker::find_operator(const ast::OperatorStage& node) {
  const Names* names = &exprs_.names();
  if (node.name.parts.size() == 2) {
    auto module = names->modules.find(node.name.parts[0].text);
    if (module == names->modules.end()) {
      diags_.report(Code::UnknownModule, node.name.parts[0].span, node.name.parts[0].text);
      return nullptr;
    }
    names = module->second;
    if (names->broken) return nullptr;
  }
  const auto& operators = names->operators;
  const std::string& name = node.name.parts.back().text;
  auto found = operators.find(name);
  if (found != operators.end() && node.name.parts.size() <= 2) return &found->second;
  if (node.name.parts.size() == 2) {
    auto report =
        diags_.report(Code::NotInThatModule, node.name.parts[1].span, node.name.parts[0].text, name);
    if (auto near = diag::did_you_mean(name, keys_of(operators)))
      report.note("did you mean `" + *near + "`?").fix(node.name.parts[1].span, *near);
    return nullptr;
  }
  std::vector<std::string> candidates = keys_of(operators);
  for (std::string_view word : stage_words) candidates.emplace_back(word);
  auto report = diags_.report(Code::UnknownStage, node.name.span, node.name.parts.back().text);
  if (auto near = diag::did_you_mean(name, candidates))
    report.note("did you mean `" + *near + "`?").fix(node.name.span, *near);
  return nullptr;
}

// One value for all events: literals, consts and params, nothing of the event.
bool StageChecker::bind_value(OperatorUse::Argument& argument, const OperatorUse& use, TypeRef entered) {
  const ast::Parameter& parameter = *argument.parameter;
  for (const std::string& name : argument.reads) {
    bool hidden = exprs_.names().params.contains(name) || exprs_.names().consts.contains(name) ||
                  (use.caller.use != nullptr && use.caller.use->find(name) != nullptr);
    if (hidden || entered->field_index(name) < 0) continue;
    diags_.report(Code::NameNotValue, argument.given->span, name, "a field of the event")
        .note(
            parameter.name.span,
            "`" + parameter.name.text +
                "` has a type, so it takes one value for all events; without a type it takes an expression");
    return false;
  }
  Scope scope;
  scope.place = Place::Event;
  TypeRef wanted = TypeResolver(exprs_.names(), exprs_.types(), diags_).resolve(*parameter.type);
  argument.value = exprs_.check_as(*argument.given, scope, wanted);
  if (argument.value->type->kind == Kind::Error) return false;
  if (auto known = fold_constant(*argument.value)) {
    auto literal = std::make_unique<Expr>();
    literal->type = argument.value->type;
    literal->span = argument.value->span;
    literal->value = std::move(*known);
    argument.value = std::move(literal);
  }
  return true;
}

bool StageChecker::bind(const ast::OperatorStage& node, const ast::Stage& stage, OperatorUse& use) {
  const std::vector<ast::Parameter>& parameters = use.decl->params;
  std::vector<const ast::Expr*> given(parameters.size(), nullptr);
  size_t next = 0;
  for (const ast::Argument& argument : node.args) {
    size_t at = next;
    if (argument.name) {
      for (at = 0; at < parameters.size() && parameters[at].name.text != argument.name->text;) ++at;
      if (at == parameters.size() || given[at] != nullptr) {
        diags_.report(Code::UnknownOption, argument.name->span, use.decl->name.text, argument.name->text)
            .note(use.decl->name.span, "declared here");
        return false;
      }
    } else {
      ++next;
    }
    if (at < parameters.size()) given[at] = argument.value.get();
  }
  if (node.args.size() != parameters.size() ||
      std::find(given.begin(), given.end(), nullptr) != given.end()) {
    diags_
        .report(Code::ArgumentCount, stage.keyword, use.decl->name.text,
                std::to_string(parameters.size()) + (parameters.size() == 1 ? " argument" : " arguments"),
                std::to_string(node.args.size()))
        .note(use.decl->name.span, "declared here");
    return false;
  }
  bool fine = true;
  for (size_t i = 0; i < parameters.size(); ++i) {
    OperatorUse::Argument argument;
    argument.parameter = &parameters[i];
    argument.given = given[i];
    collect_names(*given[i], argument.reads);
    if (parameters[i].type) fine = bind_value(argument, use, use.entered) && fine;
    use.arguments.push_back(std::move(argument));
  }
  return fine;
}

// `each_update()`: from here on each result of a stream that repeats them is an event of its own, and each
// row of a table too. Nothing is to be done for it.
bool StageChecker::take_as_facts(const ast::OperatorStage& node, typed::Stream& stream) {
  if (!node.args.empty()) {
    diags_.report(Code::ArgumentCount, node.name.span, "each_update", "0 arguments",
                  std::to_string(node.args.size()));
    return false;
  }
  if (!stream.repeats_results && stream.follows.empty()) {
    diags_.report(Code::NothingRepeats, node.name.span, stream.name);
    return true;
  }
  stream.repeats_results = false;
  stream.follows.clear();
  return true;
}

bool StageChecker::expand(const ast::OperatorStage& node, const ast::Stage& stage, typed::Stream& stream) {
  const std::string& name = node.name.parts.back().text;
  bool own = exprs_.names().operators.contains(name);
  if (name == "each_update" && node.name.parts.size() == 1 && !own) return take_as_facts(node, stream);
  const Homed<ast::OperatorDecl>* found = find_operator(node);
  if (found == nullptr) return false;
  OperatorUse use;
  use.decl = found->decl;
  use.span = node.name.span;
  use.caller = exprs_.context();
  use.entered = stream.type;
  for (const OperatorUse* outer : uses_) {
    if (outer->decl != use.decl) continue;
    diags_.report(Code::RecursiveFunction, node.name.span, use.decl->name.text)
        .note(use.decl->name.span, "declared here");
    return false;
  }
  if (uses_.size() >= call_depth_max) {
    diags_.report(Code::TooMany, node.name.span,
                  "operators nested " + std::to_string(uses_.size() + 1) + " deep",
                  std::to_string(call_depth_max));
    return false;
  }
  if (!bind(node, stage, use)) return false;
  for (size_t i = 0; i < use.entered->fields.size(); ++i) use.places.push_back(static_cast<int>(i));
  uses_.push_back(&use);
  exprs_.set_context({found->home, &use});
  bool fine = false;
  {
    diag::Engine::Within within(diags_, node.name.span, "`" + use.decl->name.text + "` is used here");
    fine = check_level(use.decl->stages, stream);
  }
  exprs_.set_context(use.caller);
  if (fine && !use.copies.empty()) drop_copies(use, node.name.span, stream);
  uses_.pop_back();
  return fine;
}

// ---- fields that arguments read, on their way through the stages

// Before a stage goes into the stream: what it would lose and an argument reads is carried beside its record.
// A value: the stage had to be built anew, and this is what became of it.
std::optional<bool> StageChecker::keep_passed(const ast::Stage& written, Stage& stage,
                                              typed::Stream& stream) {
  for (OperatorUse* use : uses_) {
    std::vector<int> lost;
    for (int field : use->kept_fields()) {
      int place = use->places[static_cast<size_t>(field)];
      if (place >= 0 && place_behind(stage, place) < 0) lost.push_back(place);
    }
    if (lost.empty()) continue;
    auto copy_name = [&](int place, TypeRef record) {
      std::string name = stage.input->fields[static_cast<size_t>(place)].name + "'";
      while (record->field_index(name) >= 0) name += "'";
      use->copies.insert(name);
      return name;
    };
    if (stage.kind == StageKind::Project) {
      for (int place : lost) {
        std::string name = copy_name(place, stage.output);
        stage.outputs.push_back({name, field_ref(stage.input, static_cast<size_t>(place), stage.span), ""});
        stage.output = record_of(stage.outputs, exprs_.types());
      }
    } else if (stage.kind == StageKind::Flatten) {
      // The copies are made by a stage in front of it, and the stage is built anew over them.
      Stage front;
      front.kind = StageKind::Project;
      front.keyword = stage.keyword;
      front.name = stage.name;
      front.span = stage.span;
      front.input = stage.input;
      front.output = stage.input;
      for (size_t i = 0; i < stage.input->fields.size(); ++i)
        front.outputs.push_back({stage.input->fields[i].name, field_ref(stage.input, i, stage.span), ""});
      for (int place : lost) {
        std::string name = copy_name(place, front.output);
        front.outputs.push_back({name, field_ref(stage.input, static_cast<size_t>(place), stage.span), ""});
        front.output = record_of(front.outputs, exprs_.types());
        int copy = static_cast<int>(front.outputs.size() - 1);
        for (int& known : use->places) known = known == place ? copy : known;
      }
      stream.type = front.output;
      stream.stages.push_back(std::move(front));
      return check_stage(written, stream);
    }
  }
  return std::nullopt;
}

// Where the fields are behind a stage that goes into the stream.
void StageChecker::follow(const Stage& stage) {
  for (OperatorUse* use : uses_) {
    for (int& place : use->places) place = place < 0 ? -1 : place_behind(stage, place);
  }
}

void StageChecker::push(Stage stage, typed::Stream& stream) {
  follow(stage);
  stream.type = stage.output;
  stream.stages.push_back(std::move(stage));
}

// At the end of an operator: the record is what its stages made.
void StageChecker::drop_copies(const OperatorUse& use, source::Span span, typed::Stream& stream) {
  Stage out;
  out.kind = StageKind::Project;
  out.keyword = use.decl->name.text;
  out.name = out.keyword;
  out.span = span;
  out.input = stream.type;
  for (size_t i = 0; i < out.input->fields.size(); ++i) {
    const std::string& name = out.input->fields[i].name;
    if (!use.copies.contains(name)) out.outputs.push_back({name, field_ref(out.input, i, span), ""});
  }
  if (out.outputs.size() == out.input->fields.size()) return;
  out.output = record_of(out.outputs, exprs_.types());
  push(std::move(out), stream);
}

}  // namespace mut::sema
