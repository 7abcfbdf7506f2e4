#include "compiler/sema/process_checker.h"

#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::ExprPtr;
using typed::Kind;
using typed::Process;
using typed::Statement;
using typed::TypeRef;

namespace {

bool is_known(const std::vector<LocalName>& locals, const std::string& name) {
  return std::any_of(locals.begin(), locals.end(),
                     [&](const LocalName& local) { return local.name == name; });
}

}  // namespace

bool ProcessChecker::check(const ast::ProcessStage& syntax, source::Span keyword, Process& out) {
  process_ = &out;
  bool fine = check_states(syntax, out) && name_timers(syntax, out);
  if (!fine) return false;
  if (syntax.on_event.empty()) {
    diags_.report(Code::MissingOption, keyword, "process", "`on event { … }`");
    return false;
  }
  Scope event;
  event.place = Place::Event;
  event.record = stage_.input;
  event.record_name = record_name_;
  Scope timer;
  timer.place = Place::Event;
  timer.left_behind = stage_.input;
  for (size_t i = 0; i < stage_.keys.size(); ++i) {
    LocalName key{stage_.key_names[i], exprs_.local_count()++, stage_.keys[i]->type};
    out.key_locals.push_back(key.index);
    timer.locals.push_back(key);
    if (stage_.input->field_index(key.name) < 0) event.locals.push_back(key);
  }
  for (const typed::ProcessState& state : out.states) {
    LocalName local{state.name, state.local, state.type};
    timer.locals.push_back(local);
    event.locals.push_back(local);
  }
  fine = check_body(syntax.on_event, event, out.on_event);
  for (size_t i = 0; i < syntax.on_timer.size(); ++i)
    fine = check_body(syntax.on_timer[i].body, timer, out.timers[i].body) && fine;
  if (!fine) return false;
  if (row_ == nullptr) {
    diags_.report(Code::MissingOption, keyword, "process", "`emit { … }`");
    return false;
  }
  for (const typed::Field& field : row_->fields) {
    if (field.type->kind != Kind::None) continue;
    diags_.report(Code::CannotInferType, first_row_);
    return false;
  }
  convert_rows(out.on_event);
  for (typed::ProcessTimer& each : out.timers) convert_rows(each.body);
  return true;
}

bool ProcessChecker::check_states(const ast::ProcessStage& syntax, Process& out) {
  bool fine = true;
  for (const ast::StateVariable& variable : syntax.state) {
    const std::string& name = variable.name.text;
    TypeRef type = TypeResolver(exprs_.names(), exprs_.types(), diags_).resolve(*variable.type);
    Scope nothing;
    ExprPtr initial = type->kind == Kind::Error ? nullptr : exprs_.check_as(*variable.initial, nothing, type);
    if (initial == nullptr || initial->type->kind == Kind::Error) {
      fine = false;
      continue;
    }
    bool key = std::find(stage_.key_names.begin(), stage_.key_names.end(), name) != stage_.key_names.end();
    bool known = std::any_of(out.states.begin(), out.states.end(),
                             [&](const typed::ProcessState& other) { return other.name == name; });
    if (key || known) {
      diags_.report(Code::DeclaredTwice, variable.name.span, name);
      fine = false;
      continue;
    }
    if (stage_.input->field_index(name) >= 0) diags_.report(Code::LetHidesField, variable.name.span, name);
    typed::ProcessState made;
    made.name = name;
    made.was = variable.was ? variable.was->text : "";
    made.type = type;
    made.initial = std::move(initial);
    made.local = exprs_.local_count()++;
    out.states.push_back(std::move(made));
  }
  return fine;
}

bool ProcessChecker::name_timers(const ast::ProcessStage& syntax, Process& out) {
  for (const ast::TimerHandler& handler : syntax.on_timer) {
    for (const typed::ProcessTimer& other : out.timers) {
      if (other.name != handler.name.text) continue;
      diags_.report(Code::ClauseTwice, handler.name.span, "on timer " + other.name);
      return false;
    }
    out.timers.emplace_back();
    out.timers.back().name = handler.name.text;
  }
  return true;
}

bool ProcessChecker::check_body(const std::vector<ast::StatementPtr>& statements, Scope& scope, Body& out) {
  size_t locals = scope.locals.size();
  bool fine = true;
  for (const ast::StatementPtr& statement : statements) {
    Statement made;
    if (std::visit([&](const auto& node) { return check(node, scope, made); }, statement->node)) {
      out.push_back(std::move(made));
    } else {
      fine = false;
    }
  }
  scope.locals.resize(locals);
  return fine;
}

bool ProcessChecker::check(const ast::LetStatement& node, Scope& scope, Statement& out) {
  out.kind = Statement::Kind::Let;
  out.value = exprs_.check(*node.value, scope);
  TypeRef type = out.value->type;
  if (type->kind == Kind::None) {
    diags_.report(Code::CannotInferType, node.value->span);
    return false;
  }
  if (is_known(scope.locals, node.name.text)) {
    diags_.report(Code::DeclaredTwice, node.name.span, node.name.text);
    return false;
  }
  if (stage_.input->field_index(node.name.text) >= 0 && scope.record != nullptr)
    diags_.report(Code::LetHidesField, node.name.span, node.name.text);
  out.index = exprs_.local_count()++;
  // Also when it is wrong, so that its uses are not reported too.
  scope.locals.push_back({node.name.text, out.index, type});
  return type->kind != Kind::Error;
}

bool ProcessChecker::check(const ast::AssignStatement& node, Scope& scope, Statement& out) {
  out.kind = Statement::Kind::Assign;
  for (size_t i = 0; i < process_->states.size(); ++i) {
    if (process_->states[i].name != node.name.text) continue;
    out.index = static_cast<int>(i);
    out.value = exprs_.check_as(*node.value, scope, process_->states[i].type);
    return out.value->type->kind != Kind::Error;
  }
  auto report = diags_.report(Code::UnknownName, node.name.span, node.name.text);
  std::vector<std::string> candidates;
  for (const typed::ProcessState& state : process_->states) candidates.push_back(state.name);
  if (auto near = diag::did_you_mean(node.name.text, candidates)) {
    report.note("did you mean `" + *near + "`?").fix(node.name.span, *near);
  } else if (stage_.input->field_index(node.name.text) >= 0) {
    report.note("only `state` can be assigned to; a field of the event stays what it is");
  } else {
    report.note("only `state` can be assigned to; declare it: `state " + node.name.text + ": int = 0`");
  }
  return false;
}

bool ProcessChecker::check(const ast::IfStatement& node, Scope& scope, Statement& out) {
  out.kind = Statement::Kind::If;
  size_t locals = scope.locals.size();
  out.value = exprs_.check_condition(*node.condition, scope);
  bool fine = out.value->type->kind != Kind::Error;
  fine = check_body(node.then_body, scope, out.then_body) && fine;
  scope.locals.resize(locals);  // what `is some` has bound
  return check_body(node.else_body, scope, out.else_body) && fine;
}

bool ProcessChecker::check(const ast::EmitStatement& node, Scope& scope, Statement& out) {
  out.kind = Statement::Kind::Emit;
  out.value = exprs_.check(*node.record, scope, row_);
  for (const typed::Field& field : out.value->type->fields) {
    if (field.type->kind == Kind::Error) return false;
  }
  return out.value->type->kind == Kind::Record && join_rows(*out.value);
}

bool ProcessChecker::check(const ast::TimerStatement& node, Scope& scope, Statement& out) {
  out.kind = Statement::Kind::SetTimer;
  bool fine = find_timer(node.name, out);
  out.value = exprs_.check_as(*node.at, scope, exprs_.type(Kind::Time));
  return fine && out.value->type->kind != Kind::Error;
}

bool ProcessChecker::check(const ast::CancelStatement& node, Scope&, Statement& out) {
  out.kind = Statement::Kind::CancelTimer;
  return find_timer(node.name, out);
}

bool ProcessChecker::find_timer(const ast::Ident& name, Statement& out) {
  std::vector<std::string> candidates;
  for (size_t i = 0; i < process_->timers.size(); ++i) {
    if (process_->timers[i].name == name.text) out.index = static_cast<int>(i);
    candidates.push_back(process_->timers[i].name);
  }
  if (out.index >= 0) return true;
  auto report = diags_.report(Code::UnknownName, name.span, name.text);
  if (auto near = diag::did_you_mean(name.text, candidates)) {
    report.note("did you mean `" + *near + "`?").fix(name.span, *near);
  } else {
    report.note("say what happens then: `on timer " + name.text + " { … }`");
  }
  return false;
}

bool ProcessChecker::join_rows(const typed::Expr& row) {
  if (row_ == nullptr) {
    row_ = row.type;
    first_row_ = row.span;
    return true;
  }
  std::vector<typed::Field> fields;
  for (const typed::Field& field : row_->fields) {
    int other = row.type->field_index(field.name);
    TypeRef joined =
        other < 0 ? nullptr : exprs_.unify(field.type, row.type->fields[static_cast<size_t>(other)].type);
    if (joined == nullptr) break;
    typed::Field made;
    made.name = field.name;
    made.type = joined;
    fields.push_back(std::move(made));
  }
  if (fields.size() == row_->fields.size() && fields.size() == row.type->fields.size()) {
    row_ = exprs_.types().record(std::move(fields));
    return true;
  }
  diags_.report(Code::TypeMismatch, row.span, quoted(row_), quoted(row.type))
      .mark(first_row_)
      .note("all rows of a stage have the same fields; where one has nothing to say, write `none`");
  return false;
}

void ProcessChecker::convert_rows(Body& body) {
  for (Statement& statement : body) {
    if (statement.kind == Statement::Kind::Emit) {
      typed::Expr& row = *statement.value;
      std::vector<ExprPtr> values;
      for (const typed::Field& field : row_->fields) {
        auto place = static_cast<size_t>(row.type->field_index(field.name));
        values.push_back(exprs_.coerce(std::move(row.args[place]), field.type));
      }
      row.args = std::move(values);
      row.type = row_;
    }
    convert_rows(statement.then_body);
    convert_rows(statement.else_body);
  }
}

bool StageChecker::build(const ast::ProcessStage& syntax, const ast::Stage& stage, Stage& out) {
  out.kind = typed::StageKind::Process;
  auto process = std::make_shared<Process>();
  out.process = process;
  bool fine = check_keys(syntax.by, out);
  if (fine && syntax.ttl && syntax.ttl->duration) {
    int64_t ttl = 0;
    fine = check_span(*syntax.ttl->duration, "`ttl`", ttl);
    out.ttl = ttl;
  }
  if (!fine) return false;
  ProcessChecker checker(exprs_, out, "stream `" + stream_->name + "`");
  if (!checker.check(syntax, stage.keyword, *process)) return false;
  out.output = checker.row();
  if (!syntax.ttl && !out.keys.empty() && process->keeps_state())
    diags_.report(Code::StateUnbounded, stage.keyword);
  return true;
}

}  // namespace mut::sema
