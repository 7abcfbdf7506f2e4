// The stage `match`: its pattern, the conditions of its names and what it selects.
#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::AggregateFn;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::PatternGap;
using typed::PatternNode;

int PatternScope::find(const std::string& name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// `a.f`: of an argument of a measure the field of the event that is added up, else the field of the one
// event that is bound to `a`.
ExprPtr ExprChecker::bound_field(const ast::MemberAccess& node, const ast::Expr& expr, Scope& scope) {
  const auto* object = std::get_if<ast::NameRef>(&node.object->node);
  if (scope.pattern == nullptr || object == nullptr) return nullptr;
  const std::string& name = object->name.text;
  for (const LocalName& local : scope.locals) {
    if (local.name == name) return nullptr;
  }
  int index = scope.pattern->find(name);
  if (index < 0) return nullptr;
  int current = scope.pattern->current;
  if (current >= 0 && index > current) {
    diags_.report(Code::PatternUse, expr.span, "`" + name + "` is bound later than this event")
        .note("move the condition to `" + name + "`");
    return error(expr.span);
  }
  int field = scope.record->field_index(node.field.text);
  if (field < 0) {
    std::vector<std::string> candidates;
    for (const typed::Field& other : scope.record->fields) candidates.push_back(other.name);
    auto report = diags_.report(Code::UnknownField, node.field.span, scope.record_name, node.field.text);
    if (auto near = diag::did_you_mean(node.field.text, candidates))
      report.note("did you mean `" + *near + "`?").fix(node.field.span, *near);
    return error(expr.span);
  }
  ExprPtr value = make(ExprKind::Field, scope.record->fields[static_cast<size_t>(field)].type, expr.span);
  value->index = field;
  if (scope.measured != nullptr) {
    scope.measured->several =
        scope.measured->several || (scope.measured->name >= 0 && scope.measured->name != index);
    scope.measured->name = index;
    return value;
  }
  const BoundName& of = scope.pattern->names[static_cast<size_t>(index)];
  const std::string path = name + "." + node.field.text;
  if (index == current) {
    diags_.report(Code::PatternUse, expr.span, "`" + name + "` is this event")
        .note("write `" + node.field.text + "` for this event, `last(" + path +
              ")` for the one bound before it");
    return error(expr.span);
  }
  if (of.repeated) {
    diags_.report(Code::PatternUse, expr.span, "`" + name + "` may be bound to several events")
        .note("write `first(" + path + ")`, `last(" + path + ")`, or another aggregate");
    return error(expr.span);
  }
  if (value->type->kind == Kind::List || value->type->kind == Kind::Record) {
    diags_.report(Code::NotExecutable, expr.span, "a list or record of an event of a pattern");
    return error(expr.span);
  }
  typed::AggregateCall call;
  call.fn = AggregateFn::Last;
  call.span = expr.span;
  call.result = of.optional ? types_.optional(value->type) : value->type;
  call.argument = std::move(value);
  return add_measure(std::move(call), index, scope, expr.span);
}

ExprPtr ExprChecker::add_measure(typed::AggregateCall call, int name, Scope& scope, source::Span span) {
  PatternScope& pattern = *scope.pattern;
  call.cell = pattern.names[static_cast<size_t>(name)].name + "/" + typed::aggregate_name(call.fn) + "#" +
              std::to_string(pattern.measures->size());
  ExprPtr out = make(ExprKind::Aggregate, call.result, span);
  out->index = static_cast<int>(pattern.measures->size());
  pattern.measures->push_back(std::move(call));
  pattern.measure_names->push_back(name);
  return out;
}

namespace {

constexpr size_t names_max = 64;

// The tree of a pattern, and which of its names may be left out or come again.
class PatternReader {
 public:
  PatternReader(diag::Engine& diags, typed::Match& match, PatternScope& scope)
      : diags_(diags), match_(match), scope_(scope) {}

  bool read(const ast::PatternTerm& term) {
    // Names of steps come first, in the order in which they are bound.
    match_.root = step(term, {});
    for (const auto& [name, where] : absent_) {
      for (const ast::Ident& each : where) {
        int index = scope_.find(each.text);
        if (index < 0) {
          index = static_cast<int>(scope_.names.size());
          scope_.names.push_back({each.text, true, true});
        }
        name->push_back(index);
      }
    }
    if (scope_.names.size() > names_max) {
      diags_.report(Code::TooMany, term.span, std::to_string(scope_.names.size()) + " names in a pattern",
                    std::to_string(names_max));
      fine_ = false;
    }
    return fine_;
  }

 private:
  struct Around {  // what stands around a term
    bool optional = false;
    bool repeated = false;
    bool inner = false;  // not the end of the whole pattern
  };

  PatternNode step(const ast::PatternTerm& term, Around around) {
    return std::visit([&](const auto& node) { return step(node, term, around); }, term.node);
  }

  PatternNode step(const ast::PatternName& node, const ast::PatternTerm& term, Around around) {
    PatternNode out;
    int known = scope_.find(node.name.text);
    if (known >= 0) {
      fail(term.span, "`" + node.name.text + "` stands twice in the pattern",
           "a name is bound in one place; write another name with the same condition");
      return out;
    }
    out.name = static_cast<int>(scope_.names.size());
    scope_.names.push_back({node.name.text, around.repeated, around.optional});
    return out;
  }

  PatternNode step(const ast::PatternChoice& node, const ast::PatternTerm&, Around around) {
    PatternNode out;
    out.kind = PatternNode::Kind::Choice;
    around.optional = true;
    for (const auto& option : node.options) out.parts.push_back(step(*option, around));
    return out;
  }

  PatternNode step(const ast::PatternRepeat& node, const ast::PatternTerm& term, Around around) {
    PatternNode out;
    out.kind = PatternNode::Kind::Repeat;
    out.least = node.least;
    out.most = node.most.value_or(PatternNode::no_limit);
    out.reluctant = node.reluctant;
    if (node.reluctant && out.least == out.most) {
      diags_
          .report(Code::PatternUnbounded, term.span,
                  "`{n}?` is `{n}`: a fixed number of turns leaves no choice")
          .note("to leave the turns out, write `(…{n})?`");
    }
    around.optional = around.optional || out.least == 0;
    around.repeated = around.repeated || out.most > 1;
    around.inner = true;
    out.parts.push_back(step(*node.term, around));
    return out;
  }

  PatternNode step(const ast::PatternSequence& node, const ast::PatternTerm& term, Around around) {
    PatternNode out;
    out.kind = PatternNode::Kind::Sequence;
    PatternGap gap;
    const ast::PatternTerm* negated = nullptr;
    std::vector<ast::Ident> forbidden;
    for (size_t i = 0; i < node.parts.size(); ++i) {
      if (i > 0) gap.relaxed = gap.relaxed || node.connectors[i - 1] == ast::Connector::Then;
      if (node.negated[i] != 0) {
        negated = node.parts[i].get();
        if (out.parts.empty()) {
          fail(negated->span, "a pattern cannot begin with `not`", "say what comes before it");
          return out;
        }
        collect(*negated, forbidden);
        gap.relaxed = gap.relaxed || node.then_after_not[i] != 0;
        continue;
      }
      if (negated != nullptr && !gap.relaxed)
        fail(negated->span, "nothing lies between neighbours", "write `then` before or after `not`");
      Around inside = around;
      inside.inner = around.inner || i + 1 < node.parts.size();
      PatternNode part = step(*node.parts[i], inside);
      if (!out.parts.empty()) {
        out.gaps.push_back(gap);
        if (!forbidden.empty()) later_.push_back({&term, out.gaps.size() - 1, forbidden});
      }
      out.parts.push_back(std::move(part));
      gap = {};
      forbidden.clear();
      negated = nullptr;
    }
    resolve(term, out);
    if (negated == nullptr) return out;
    if (!gap.relaxed) {
      fail(negated->span, "`not` at the end needs a stretch of time to look at", "write `then not`");
    } else if (around.inner || around.optional || around.repeated) {
      fail(negated->span, "`not` at the end of a group is not possible",
           "put it at the end of the whole pattern");
    } else {
      absent_.push_back({&match_.absent, forbidden});
    }
    return out;
  }

  // Names of `not` are numbered after all steps.
  void resolve(const ast::PatternTerm& term, PatternNode& made) {
    for (const Later& later : later_) {
      if (later.of != &term) continue;
      for (const ast::Ident& name : later.names) {
        int index = forbidden_index(name.text);
        made.gaps[later.gap].forbidden.push_back(index);
      }
    }
  }

  // Negative until the steps are known: -1 - place in `forbidden_names`.
  int forbidden_index(const std::string& name) {
    for (size_t i = 0; i < forbidden_names.size(); ++i) {
      if (forbidden_names[i] == name) return -1 - static_cast<int>(i);
    }
    forbidden_names.push_back(name);
    return -static_cast<int>(forbidden_names.size());
  }

  void collect(const ast::PatternTerm& term, std::vector<ast::Ident>& names) {
    if (const auto* name = std::get_if<ast::PatternName>(&term.node)) {
      names.push_back(name->name);
    } else if (const auto* choice = std::get_if<ast::PatternChoice>(&term.node)) {
      for (const auto& option : choice->options) collect(*option, names);
    } else {
      fail(term.span, "`not` takes a name, or names joined by `or`", "");
    }
  }

  void fail(source::Span span, std::string what, std::string fix) {
    auto report = diags_.report(Code::PatternShape, span, std::move(what));
    if (!fix.empty()) report.note(std::move(fix));
    fine_ = false;
  }

  struct Later {
    const ast::PatternTerm* of;
    size_t gap;
    std::vector<ast::Ident> names;
  };

 public:
  std::vector<std::string> forbidden_names;

 private:
  diag::Engine& diags_;
  typed::Match& match_;
  PatternScope& scope_;
  std::vector<Later> later_;
  std::vector<std::pair<std::vector<int>*, std::vector<ast::Ident>>> absent_;
  bool fine_ = true;
};

// Gives names of `not` their numbers.
void number_forbidden(PatternNode& node, const std::vector<int>& numbers) {
  for (PatternGap& gap : node.gaps) {
    for (int& name : gap.forbidden) {
      if (name < 0) name = numbers[static_cast<size_t>(-1 - name)];
    }
  }
  for (PatternNode& part : node.parts) number_forbidden(part, numbers);
}

// Whether the pattern can be matched by no event at all.
bool may_be_empty(const PatternNode& node) {
  switch (node.kind) {
    case PatternNode::Kind::Name:
      return false;
    case PatternNode::Kind::Sequence:
      return std::all_of(node.parts.begin(), node.parts.end(), may_be_empty);
    case PatternNode::Kind::Choice:
      return std::any_of(node.parts.begin(), node.parts.end(), may_be_empty);
    case PatternNode::Kind::Repeat:
      return node.least == 0 || may_be_empty(node.parts[0]);
  }
  return false;
}

bool looks_back(const Expr& expr) {
  return expr.kind == ExprKind::Aggregate ||
         std::any_of(expr.args.begin(), expr.args.end(), [](const ExprPtr& arg) { return looks_back(*arg); });
}

}  // namespace

bool StageChecker::build(const ast::MatchStage& syntax, const ast::Stage& stage, Stage& out) {
  out.kind = StageKind::Match;
  if (stream_->repeats_results) {
    diags_.report(Code::AggregateOnUpdates, stage.keyword, stream_->name)
        .note("match results of a window that closes, or make a table: `table t key … = …`");
    return false;
  }
  auto match = std::make_shared<typed::Match>();
  PatternScope pattern;
  pattern.measures = &out.aggregates;
  pattern.measure_names = &match->measure_names;
  bool fine = check_keys(syntax.by, out);
  fine = read_pattern(syntax, *match, pattern) && fine;
  fine = fine && check_defines(syntax, *match, pattern, out);
  fine = fine && check_bounds(syntax, stage, *match);
  fine = fine && check_select(syntax, stage, pattern, out);
  out.match = std::move(match);
  return fine;
}

bool StageChecker::read_pattern(const ast::MatchStage& syntax, typed::Match& match, PatternScope& pattern) {
  PatternReader reader(diags_, match, pattern);
  if (!reader.read(*syntax.pattern)) return false;
  std::vector<int> numbers;
  for (const std::string& name : reader.forbidden_names) {
    int index = pattern.find(name);
    if (index < 0) {
      index = static_cast<int>(pattern.names.size());
      pattern.names.push_back({name, true, true});
    }
    numbers.push_back(index);
  }
  number_forbidden(match.root, numbers);
  if (!may_be_empty(match.root)) return true;
  diags_.report(Code::PatternShape, syntax.pattern->span, "this pattern can be matched by no event")
      .note("a match binds an event at least: let one step be needed");
  return false;
}

bool StageChecker::check_defines(const ast::MatchStage& syntax, typed::Match& match, PatternScope& pattern,
                                 Stage& out) {
  for (const BoundName& name : pattern.names) match.names.push_back({name.name, nullptr, false});
  bool fine = true;
  for (const ast::NamedExpr& item : syntax.define) {
    int index = item.name ? pattern.find(item.name->text) : -1;
    if (!item.name) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    if (index < 0) {
      std::vector<std::string> candidates;
      for (const BoundName& name : pattern.names) candidates.push_back(name.name);
      auto report =
          diags_.report(Code::PatternUse, item.name->span, "the pattern has no `" + item.name->text + "`");
      if (auto near = diag::did_you_mean(item.name->text, candidates))
        report.note("did you mean `" + *near + "`?").fix(item.name->span, *near);
      fine = false;
      continue;
    }
    typed::PatternName& name = match.names[static_cast<size_t>(index)];
    if (name.condition) {
      diags_.report(Code::FieldTwice, item.name->span, item.name->text);
      fine = false;
      continue;
    }
    Scope scope = event_scope(out, Place::Pattern);
    scope.pattern = &pattern;
    pattern.current = index;
    name.condition = exprs_.check_condition(*item.value, scope);
    name.looks_back = looks_back(*name.condition);
    fine = fine && name.condition->type->kind != Kind::Error;
  }
  pattern.current = -1;
  // A name without a condition matches every event, which is rarely meant when a field is called nearly so.
  for (size_t i = 0; i < match.names.size(); ++i) {
    if (match.names[i].condition) continue;
    std::vector<std::string> fields;
    for (const typed::Field& field : out.input->fields) fields.push_back(field.name);
    if (auto near = diag::did_you_mean(match.names[i].name, fields)) {
      diags_
          .report(Code::PatternUnbounded, syntax.pattern->span,
                  "`" + match.names[i].name + "` has no condition and stands for every event")
          .note("for the field write `define " + match.names[i].name + " = " + *near + "`");
    }
  }
  return fine;
}

bool StageChecker::check_bounds(const ast::MatchStage& syntax, const ast::Stage& stage, typed::Match& match) {
  match.next_event = syntax.skip == ast::SkipPolicy::ToNext;
  if (syntax.limit) {
    auto limit = check_count(*syntax.limit, "`limit`");
    if (!limit) return false;
    match.limit = *limit;
  }
  if (syntax.within) {
    auto within = exprs_.check_constant(*syntax.within, exprs_.type(Kind::Duration));
    if (!within) return false;
    match.within = within->value.as_int();
    if (match.within > 0) return true;
    diags_.report(Code::BadWindow, syntax.within->span, "`within` must be longer than nothing");
    return false;
  }
  if (!match.absent.empty()) {
    diags_.report(Code::PatternShape, stage.keyword, "`then not` at the end needs `within`")
        .note("without it nothing says how long to wait for what must not come");
    return false;
  }
  diags_.report(Code::PatternUnbounded, stage.keyword, "without `within` a match that began is kept for ever")
      .note("write `match … within 5m`");
  return true;
}

bool StageChecker::check_select(const ast::MatchStage& syntax, const ast::Stage& stage, PatternScope& pattern,
                                Stage& out) {
  if (syntax.select.empty()) {
    diags_.report(Code::NotExecutable, stage.keyword, "`match` without `select`");
    return false;
  }
  bool fine = true;
  std::set<std::string> seen;
  for (const ast::NamedExpr& item : syntax.select) {
    Scope scope = event_scope(out, Place::Pattern);
    // Plain names are keys; the fields of an event go by its name in the pattern.
    scope.pattern = &pattern;
    scope.keys = &out.keys;
    scope.key_names = &out.key_names;
    pattern.has_event = false;
    std::string name = item.name ? item.name->text : path_name(*item.value);
    ExprPtr value = exprs_.check(*item.value, scope);
    if (name.empty()) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    if (!seen.insert(name).second) {
      diags_.report(Code::FieldTwice, item.span, name);
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

}  // namespace mut::sema
