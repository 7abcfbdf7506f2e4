// The stage `match`: its pattern, the conditions of its names and what it selects.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "compiler/sema/check.h"
#include "compiler/sema/match_rows.h"
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
using typed::StageKind;

int PatternScope::find(const std::string& name) const {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

namespace {

// `a.at_place.city` from its end: the steps behind the name, the last one first. Null: it begins with no
// name.
const ast::NameRef* path_to(const ast::MemberAccess& node, std::vector<const ast::Ident*>& steps) {
  steps.push_back(&node.field);
  const ast::Expr* at = node.object.get();
  while (const auto* member = std::get_if<ast::MemberAccess>(&at->node)) {
    if (member->optional) return nullptr;
    steps.push_back(&member->field);
    at = member->object.get();
  }
  return std::get_if<ast::NameRef>(&at->node);
}

bool is_bound_here(const Scope& scope, const std::string& name) {
  auto named = [&](const LocalName& local) { return local.name == name; };
  return std::any_of(scope.locals.begin(), scope.locals.end(), named) ||
         std::any_of(scope.beyond.begin(), scope.beyond.end(), named);
}

}  // namespace

int ExprChecker::bound_name(const std::string& name, const Scope& scope) {
  return scope.pattern == nullptr || is_bound_here(scope, name) ? -1 : scope.pattern->find(name);
}

bool ExprChecker::known_by_now(int name, const Scope& scope, source::Span span) {
  int current = scope.pattern->current;
  if (current < 0 || name <= current) return true;
  const std::string& text = scope.pattern->names[static_cast<size_t>(name)].name;
  diags_.report(Code::PatternUse, span, "`" + text + "` is bound later than this event")
      .note("move the condition to `" + text + "`");
  return false;
}

// `a.f`: of an argument of a measure the field of the event that is added up, else the field of the one
// event that is bound to `a`. Of `a.f.g` no more is kept than `g`.
ExprPtr ExprChecker::bound_field(const ast::MemberAccess& node, const ast::Expr& expr, Scope& scope) {
  std::vector<const ast::Ident*> steps;
  const ast::NameRef* begin = path_to(node, steps);
  int index = begin == nullptr ? -1 : bound_name(begin->name.text, scope);
  if (index < 0) return nullptr;
  const BoundName& of = scope.pattern->names[static_cast<size_t>(index)];
  if (steps.size() > 1) {
    // Where the record or the event itself may be missing, `?.` says so: that is no matter of names.
    if (scope.measured != nullptr || node.optional || of.optional) return nullptr;
    TypeRef at = scope.record;
    for (size_t i = steps.size(); i-- > 0;) {
      int place = at->kind == Kind::Record ? at->field_index(steps[i]->text) : -1;
      if (place < 0) return nullptr;
      at = at->fields[static_cast<size_t>(place)].type;
    }
  }
  if (!known_by_now(index, scope, expr.span)) return error(expr.span);
  const ast::Ident& first = *steps.back();
  int field = scope.record->field_index(first.text);
  if (field < 0) {
    std::vector<std::string> candidates;
    for (const typed::Field& other : scope.record->fields) candidates.push_back(other.name);
    auto report = diags_.report(Code::UnknownField, first.span, scope.record_name, first.text);
    if (auto near = diag::did_you_mean(first.text, candidates))
      report.note("did you mean `" + *near + "`?").fix(first.span, *near);
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
  std::string path = of.name + "." + first.text;
  std::string plain = first.text;
  for (size_t i = steps.size() - 1; i-- > 0;) {
    value = member(std::move(value), *steps[i], false, expr.span);
    path += "." + steps[i]->text;
    plain += "." + steps[i]->text;
  }
  if (index == scope.pattern->current) {
    diags_.report(Code::PatternUse, expr.span, "`" + of.name + "` is this event")
        .note("write `" + plain + "` for this event, `last(" + path + ")` for the one bound before it");
    return error(expr.span);
  }
  if (of.repeated) {
    diags_.report(Code::PatternUse, expr.span, "`" + of.name + "` may be bound to several events")
        .note("write `first(" + path + ")`, `last(" + path + ")`, or another aggregate");
    return error(expr.span);
  }
  if (typed::has_secret(value->type)) return secret_use(*value, "no pattern keeps");
  typed::AggregateCall call;
  call.fn = AggregateFn::Last;
  call.span = expr.span;
  call.result = of.optional ? types_.optional(value->type) : value->type;
  call.argument = std::move(value);
  return add_measure(std::move(call), index, *scope.pattern, expr.span);
}

ExprPtr ExprChecker::add_measure(typed::AggregateCall call, int name, PatternScope& pattern,
                                 source::Span span) {
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

// The tree of a pattern, and which of its names may be left out or come again. Names of steps are numbered
// in the order in which they are bound, those that stand after `not` alone behind them.
class PatternReader {
 public:
  PatternReader(diag::Engine& diags, typed::Match& match, PatternScope& scope)
      : diags_(diags), match_(match), scope_(scope) {}

  bool read(const ast::PatternTerm& term) {
    name_steps(term, {});
    scope_.steps = scope_.names.size();
    if (fine_) match_.root = step(term, Inside::Whole);
    if (scope_.names.size() > names_max) {
      diags_.report(Code::TooMany, term.span, std::to_string(scope_.names.size()) + " names in a pattern",
                    std::to_string(names_max));
      fine_ = false;
    }
    return fine_;
  }

 private:
  struct Around {
    bool optional = false;
    bool repeated = false;
  };
  enum class Inside : uint8_t { Whole, Part };  // what a term is of the pattern

  // Gives the names of the term and where they stand. Only in alternatives may one come again: once in each.
  std::map<std::string, source::Span> name_steps(const ast::PatternTerm& term, Around around) {
    std::map<std::string, source::Span> out;
    if (const auto* name = std::get_if<ast::PatternName>(&term.node)) {
      int known = scope_.find(name->name.text);
      if (known < 0) {
        scope_.names.push_back({name->name.text, around.repeated, around.optional});
      } else {
        BoundName& of = scope_.names[static_cast<size_t>(known)];
        of.repeated = of.repeated || around.repeated;
      }
      out.emplace(name->name.text, term.span);
    } else if (const auto* sequence = std::get_if<ast::PatternSequence>(&term.node)) {
      for (size_t i = 0; i < sequence->parts.size(); ++i) {
        if (sequence->negated[i] != 0) continue;
        for (const auto& [again, span] : name_steps(*sequence->parts[i], around)) {
          if (!out.emplace(again, span).second)
            fail(span, "`" + again + "` stands twice in the pattern",
                 "a name is bound in one place; write another name with the same condition");
        }
      }
    } else if (const auto* choice = std::get_if<ast::PatternChoice>(&term.node)) {
      around.optional = true;
      for (const auto& option : choice->options) out.merge(name_steps(*option, around));
    } else if (const auto* repeat = std::get_if<ast::PatternRepeat>(&term.node)) {
      around.optional = around.optional || repeat->least == 0;
      around.repeated = around.repeated || repeat->most.value_or(PatternNode::no_limit) > 1;
      out = name_steps(*repeat->term, around);
    }
    return out;
  }

  PatternNode step(const ast::PatternTerm& term, Inside inside) {
    return std::visit([&](const auto& node) { return step(node, term, inside); }, term.node);
  }

  PatternNode step(const ast::PatternName& node, const ast::PatternTerm&, Inside) {
    PatternNode out;
    out.name = scope_.find(node.name.text);
    return out;
  }

  PatternNode step(const ast::PatternChoice& node, const ast::PatternTerm&, Inside) {
    PatternNode out;
    out.kind = PatternNode::Kind::Choice;
    for (const auto& option : node.options) out.parts.push_back(step(*option, Inside::Part));
    return out;
  }

  PatternNode step(const ast::PatternRepeat& node, const ast::PatternTerm& term, Inside) {
    PatternNode out;
    out.kind = PatternNode::Kind::Repeat;
    out.least = node.least;
    out.most = node.most.value_or(PatternNode::no_limit);
    out.reluctant = node.reluctant;
    if (node.reluctant && out.least == out.most) {
      diags_.report(Code::PatternDoubtful, term.span, "a fixed number of turns leaves `?` nothing to choose")
          .note("to make the turns optional, write `(…{n})?`");
    }
    out.parts.push_back(step(*node.term, Inside::Part));
    return out;
  }

  PatternNode step(const ast::PatternSequence& node, const ast::PatternTerm&, Inside inside) {
    PatternNode out;
    out.kind = PatternNode::Kind::Sequence;
    PatternGap gap;
    const ast::PatternTerm* negated = nullptr;
    for (size_t i = 0; i < node.parts.size(); ++i) {
      if (i > 0) gap.relaxed = gap.relaxed || node.connectors[i - 1] == ast::Connector::Then;
      if (node.negated[i] != 0) {
        negated = node.parts[i].get();
        if (out.parts.empty())
          fail(negated->span, "a pattern cannot begin with `not`", "say what comes before it");
        forbid(*negated, gap.forbidden);
        continue;
      }
      if (negated != nullptr && !gap.relaxed)
        fail(negated->span, "nothing lies between neighbours", "write `then` before or after `not`");
      if (!out.parts.empty()) out.gaps.push_back(std::move(gap));
      out.parts.push_back(step(*node.parts[i], Inside::Part));
      gap = {};
      negated = nullptr;
    }
    if (negated == nullptr) return out;
    if (!gap.relaxed) {
      fail(negated->span, "`not` at the end needs a stretch of time to look at", "write `then not`");
    } else if (inside == Inside::Part) {
      fail(negated->span, "`not` at the end of a group is not possible",
           "put it at the end of the whole pattern");
    }
    match_.absent = std::move(gap.forbidden);
    return out;
  }

  void forbid(const ast::PatternTerm& term, std::vector<int>& names) {
    if (const auto* name = std::get_if<ast::PatternName>(&term.node)) {
      int index = scope_.find(name->name.text);
      if (index < 0) {
        index = static_cast<int>(scope_.names.size());
        scope_.names.push_back({name->name.text, true, true});
      }
      names.push_back(index);
    } else if (const auto* choice = std::get_if<ast::PatternChoice>(&term.node)) {
      for (const auto& option : choice->options) forbid(*option, names);
    } else {
      fail(term.span, "after `not` stands a name, or names joined by `or` in parentheses", "");
    }
  }

  void fail(source::Span span, std::string what, std::string fix) {
    auto report = diags_.report(Code::PatternShape, span, std::move(what));
    if (!fix.empty()) report.note(std::move(fix));
    fine_ = false;
  }

  diag::Engine& diags_;
  typed::Match& match_;
  PatternScope& scope_;
  bool fine_ = true;
};

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

constexpr double steps_max = 10'000;

// Steps of the program that a pattern becomes, turns written out; a float, as turns multiply.
double step_count(const PatternNode& node) {
  double out = 1;
  for (const PatternNode& part : node.parts) out += step_count(part) + 1;
  if (node.kind != PatternNode::Kind::Repeat) return out;
  return out * (node.most == PatternNode::no_limit ? node.least + 1.0 : node.most);
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
  fine = fine && check_select(syntax, stage, pattern, out) && check_measures(stage, out);
  out.match = std::move(match);
  return fine;
}

// An event keeps for each of them a bit that tells whether it has a value.
bool StageChecker::check_measures(const ast::Stage& stage, const Stage& out) {
  constexpr size_t most = 64;
  std::set<std::string> different;
  for (const typed::AggregateCall& call : out.aggregates) {
    std::string text = typed::text_of_kept(call);
    different.insert(text);
    if (call.order) different.insert(text + " by");  // a value of its own
  }
  if (different.size() <= most) return true;
  diags_.report(Code::TooMany, stage.keyword,
                std::to_string(different.size()) + " different values of the events of a pattern",
                std::to_string(most));
  return false;
}

bool StageChecker::read_pattern(const ast::MatchStage& syntax, typed::Match& match, PatternScope& pattern) {
  PatternReader reader(diags_, match, pattern);
  if (!reader.read(*syntax.pattern)) return false;
  if (step_count(match.root) > steps_max) {
    diags_.report(Code::TooMany, syntax.pattern->span, "with its turns written out this pattern is too long",
                  fmt::format("{} steps", steps_max));
    return false;
  }
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
          .report(Code::PatternDoubtful, syntax.pattern->span,
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
  diags_.report(Code::PatternDoubtful, stage.keyword, "without `within` a match that began is kept for ever")
      .note("write `match … within 5m`");
  return true;
}

bool StageChecker::check_select(const ast::MatchStage& syntax, const ast::Stage& stage, PatternScope& pattern,
                                Stage& out) {
  if (syntax.select.empty()) {
    auto rows = whole_events(pattern, out, exprs_, stage.keyword);
    if (!rows) return false;
    out.outputs = std::move(*rows);
    out.output = record_of(out.outputs, exprs_.types());
    return true;
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
