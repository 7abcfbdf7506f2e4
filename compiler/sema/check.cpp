// Declarations of a program, what it writes and sets, and the numbers of its streams.
#include "compiler/sema/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "compiler/sema/connectors.h"
#include "compiler/sema/program_checker.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::StreamKind;
using typed::TypeRef;

namespace {

// Order of two values of one ordered type.
bool less(const typed::Const& a, const typed::Const& b) {
  switch (a.value.index()) {
    case 1:
      return a.as_bool() < b.as_bool();
    case 2:
      return a.as_int() < b.as_int();
    case 3:
      return a.as_float() < b.as_float();
    case 4:
      return a.as_text() < b.as_text();
    case 6:
      return a.as_decimal() < b.as_decimal();
    default:
      return false;
  }
}

}  // namespace

bool ProgramChecker::run() {
  exprs_.emplace(names_, out_.params, *out_.types, diags_, out_.local_count);
  declare_names();
  declare_streams();
  for (auto& [name, declared] : declared_) resolve(name);
  number_streams();
  for (const ast::Declaration* declaration : declarations_) {
    const ast::Declaration& decl = *declaration;
    if (const auto* emit = std::get_if<ast::EmitDecl>(&decl.node)) check_emit(*emit, decl.span);
    if (const auto* set = std::get_if<ast::SetDecl>(&decl.node)) check_set(*set, decl.span);
    if (const auto* migrate = std::get_if<ast::MigrateDecl>(&decl.node)) check_migrate(*migrate);
    if (const auto* guard = std::get_if<ast::GuardDecl>(&decl.node)) check_guard(*guard, decl.span);
    refuse_later(decl);
  }
  for (const std::string& tap : options_.taps) add_tap(tap);
  if (diags_.has_errors()) return false;
  warn_unread();
  return true;
}

TestPart ProgramChecker::check_steps(const ast::TestDecl& test, size_t first, TestProgress& progress) {
  auto find_stream = [this](const std::string& name, source::Span span) -> TypeRef {
    const typed::Stream* stream = find(name, span);
    return stream == nullptr ? nullptr : stream->type;
  };
  TestPart part = TestChecker(out_.sources, find_stream, *exprs_, diags_).check(test, first, progress);
  part.types = out_.types;
  return part;
}

void ProgramChecker::declare_names() {
  modules_.reader = options_.modules;
  Declarer declarer(names_, modules_, *out_.types, *exprs_, diags_);
  declarer.declare(declarations_);
  for (const ast::Declaration* declaration : declarations_) {
    const auto* param = std::get_if<ast::ParamDecl>(&declaration->node);
    if (param != nullptr && declarer.take_value(param->name)) declare_param(*param, declaration->span);
  }
  declarer.check_functions(out_.local_count);
}

void ProgramChecker::declare_param(const ast::ParamDecl& decl, source::Span span) {
  typed::Param param;
  param.name = decl.name.text;
  param.span = span;
  param.type = decl.type ? TypeResolver(names_, *out_.types, diags_).resolve(*decl.type)
                         : out_.types->scalar(Kind::Error);
  if (param.type->kind == Kind::Error) return;
  if (typed::has_secret(param.type)) {
    diags_.report(Code::SecretShown, decl.type->span, quoted(param.type), "no `param` can be");
    return;
  }
  auto value = decl.value ? exprs_->check_constant(*decl.value, param.type) : std::nullopt;
  if (!value) return;
  param.value = std::move(value->value);
  if (decl.low && decl.high) {
    if (!typed::is_ordered(param.type)) {
      diags_.report(Code::NoOrder, decl.low->span, "`" + param.type->text + "`");
      return;
    }
    auto low = exprs_->check_constant(*decl.low, param.type);
    auto high = exprs_->check_constant(*decl.high, param.type);
    if (!low || !high) return;
    param.low = std::move(low->value);
    param.high = std::move(high->value);
    if (less(param.value, *param.low) || less(*param.high, param.value)) {
      diags_.report(Code::ParamRange, decl.value->span, typed::to_text(param.value, param.type),
                    typed::to_text(*param.low, param.type) + ".." + typed::to_text(*param.high, param.type));
    }
  }
  names_.params[param.name] = static_cast<int>(out_.params.size());
  out_.params.push_back(std::move(param));
}

void ProgramChecker::declare(const ast::Ident& name, Declared declared) {
  declared.span = name.span;
  declared.order = order_++;
  auto [entry, fresh] = declared_.emplace(name.text, std::move(declared));
  if (!fresh)
    diags_.report(Code::DeclaredTwice, name.span, name.text).note(entry->second.span, "first declared here");
}

void ProgramChecker::declare_streams() {
  for (const ast::Declaration* declaration : declarations_) {
    const ast::Declaration& decl = *declaration;
    if (const auto* source = std::get_if<ast::SourceDecl>(&decl.node)) {
      declare(source->name, {.source = source});
    } else if (const auto* stream = std::get_if<ast::StreamDecl>(&decl.node)) {
      declare(stream->name, {.stream = stream});
      declare_late_streams(stream->pipeline, stream->name.text);
    } else if (const auto* table = std::get_if<ast::TableDecl>(&decl.node)) {
      declare(table->name, {.table = table});
      if (table->pipeline) declare_late_streams(*table->pipeline, table->name.text);
    } else if (const auto* route = std::get_if<ast::RouteDecl>(&decl.node)) {
      for (const ast::RouteBranch& branch : route->branches) declare(branch.target, {.route = route});
    }
  }
}

void ProgramChecker::declare_late_streams(const ast::Pipeline& pipeline, const std::string& owner) {
  for (const ast::Stage& stage : pipeline.stages) {
    const auto* aggregate = std::get_if<ast::AggregateStage>(&stage.node);
    if (aggregate != nullptr && aggregate->late && aggregate->late->to)
      declare(*aggregate->late->to, {.late_of = owner});
  }
}

typed::Stream* ProgramChecker::find(const std::string& name, source::Span span) {
  if (name.ends_with(".errors")) return find_errors(name, span);
  auto found = declared_.find(name);
  if (found == declared_.end()) {
    std::vector<std::string> candidates;
    for (const auto& entry : declared_) candidates.push_back(entry.first);
    auto report = diags_.report(Code::UnknownStream, span, name);
    if (auto near = diag::did_you_mean(name, candidates))
      report.note("did you mean `" + *near + "`?").fix(span, *near);
    return nullptr;
  }
  if (found->second.checking) {
    diags_.report(Code::StreamCycle, span, name).note(found->second.span, "declared here");
    return nullptr;
  }
  resolve(name);
  return found->second.result ? &*found->second.result : nullptr;
}

typed::Stream* ProgramChecker::find_errors(const std::string& name, source::Span span) {
  auto existing = errors_.find(name);
  if (existing != errors_.end()) return &existing->second;
  std::string of = name.substr(0, name.size() - 7);
  if (!declared_.contains(of)) return find(of, span);
  typed::Stream out;
  out.kind = StreamKind::Errors;
  out.name = name;
  out.span = span;
  auto field = [&](const char* field_name, TypeRef type) {
    typed::Field made;
    made.name = field_name;
    made.type = type;
    return made;
  };
  TypeRef text = out_.types->scalar(Kind::String);
  out.type = out_.types->record({field("event", out_.types->scalar(Kind::Json)),
                                 field("raw", out_.types->optional(out_.types->scalar(Kind::Bytes))),
                                 field("stage", text), field("line", out_.types->scalar(Kind::Int)),
                                 field("input", out_.types->optional(text)), field("code", text),
                                 field("message", text)});
  return &errors_.emplace(name, std::move(out)).first->second;
}

void ProgramChecker::resolve(const std::string& name) {
  Declared& declared = declared_.find(name)->second;
  if (declared.checked || declared.checking) return;
  declared.checking = true;
  if (declared.source != nullptr) {
    check_source(*declared.source, declared);
  } else if (!declared.late_of.empty()) {
    resolve(declared.late_of);  // makes this one on its way
  } else if (declared.table != nullptr) {
    check_table(*declared.table, declared);
  } else if (declared.stream != nullptr) {
    check_stream(*declared.stream, declared);
  } else {
    check_branch(name, *declared.route, declared);
  }
  declared.checking = false;
  declared.checked = true;
}

void ProgramChecker::number_streams() {
  std::vector<const std::string*> order;
  for (const auto& [name, declared] : declared_) {
    if (declared.result) order.push_back(&name);
  }
  std::sort(order.begin(), order.end(), [&](const std::string* a, const std::string* b) {
    return declared_.find(*a)->second.order < declared_.find(*b)->second.order;
  });
  for (const std::string* name : order) place(*name);
  for (auto& [decl, routed] : routes_) {
    if (!routed.fine) continue;
    typed::Route route = std::move(routed.route);
    route.input = placed(routed.input->name);
    for (size_t i = 0; i < decl->branches.size(); ++i)
      route.branches[i].stream = placed(decl->branches[i].target.text);
    out_.routes.push_back(std::move(route));
  }
  std::sort(out_.routes.begin(), out_.routes.end(),
            [](const typed::Route& a, const typed::Route& b) { return a.span.begin < b.span.begin; });
  for (size_t i = 0; i < out_.sources.size(); ++i) out_.sources[i].stream = placed(out_.sources[i].name);
  // Ties between sources go by declaration; they were checked as they were needed.
  std::vector<typed::Source> sorted;
  std::vector<size_t> places(out_.sources.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::sort(places.begin(), places.end(),
            [&](size_t a, size_t b) { return out_.sources[a].span.begin < out_.sources[b].span.begin; });
  for (size_t place_index : places) sorted.push_back(std::move(out_.sources[place_index]));
  out_.sources = std::move(sorted);
  for (size_t i = 0; i < out_.sources.size(); ++i)
    out_.streams[static_cast<size_t>(out_.sources[i].stream)].source = static_cast<int>(i);
  for (typed::Stream& stream : out_.streams) {
    for (typed::Stage& stage : stream.stages) {
      if (stage.late_stream >= 0)
        stage.late_stream = placed(late_names_[static_cast<size_t>(stage.late_stream)]);
      if (stage.join) stage.join->right = placed(right_names_[static_cast<size_t>(stage.join->right)]);
    }
  }
}

int ProgramChecker::place(const std::string& name) {
  if (int known = placed(name); known >= 0) return known;
  typed::Stream stream;
  if (name.ends_with(".errors")) {
    typed::Stream& known = errors_.find(name)->second;
    stream.kind = known.kind;
    stream.name = known.name;
    stream.span = known.span;
    stream.type = known.type;
    std::string of = name.substr(0, name.size() - 7);
    stream.inputs.emplace_back();
    stream.inputs[0].stream = declared_.find(of)->second.result ? place(of) : -1;
  } else {
    Declared& declared = declared_.find(name)->second;
    if (!declared.result) return -1;
    const std::vector<std::string>& inputs = input_names_[name];
    std::vector<int> above;
    for (const std::string& input : inputs) above.push_back(place(input));
    for (const typed::Stage& stage : declared.result->stages) {
      if (stage.join) place(right_names_[static_cast<size_t>(stage.join->right)]);
    }
    if (!declared.late_of.empty()) {
      above.push_back(place(declared.late_of));
      declared.result->inputs.resize(1);
    }
    if (int known = placed(name); known >= 0) return known;
    stream = typed::Stream(std::move(*declared.result));
    declared.result.emplace();  // still known as checked
    declared.result->name = stream.name;
    declared.result->type = stream.type;
    for (size_t i = 0; i < above.size() && i < stream.inputs.size(); ++i) stream.inputs[i].stream = above[i];
  }
  auto index = static_cast<int>(out_.streams.size());
  placed_.emplace(stream.name, index);
  out_.streams.push_back(std::move(stream));
  return index;
}

int ProgramChecker::placed(const std::string& name) const {
  auto known = placed_.find(name);
  return known == placed_.end() ? -1 : known->second;
}

int ProgramChecker::stream_index(const ast::Path& path) {
  typed::Stream* stream = find(path_text(path), path.span);
  if (stream == nullptr) return -1;
  return place(stream->name);
}

void ProgramChecker::check_emit(const ast::EmitDecl& decl, source::Span span) {
  typed::Emit emit;
  emit.span = span;
  emit.stream = stream_index(decl.stream);
  auto connector = check_connector(decl.connector, Direction::Out, *exprs_);
  if (emit.stream < 0 || !connector) return;
  TypeRef row = out_.streams[static_cast<size_t>(emit.stream)].type;
  if (auto field = typed::secret_field(row)) {
    diags_
        .report(Code::SecretShown, decl.stream.span,
                "field `" + *field + "` of `" + path_text(decl.stream) + "`", "a sink would show")
        .note("write `reveal(x)` of what may be seen, or take it out with `| without " +
              field->substr(0, field->find('.')) + "`");
    return;
  }
  if (!check_sink_rows(*connector, row, diags_)) return;
  emit.connector = std::move(*connector);
  emit.name = decl.as ? decl.as->text : path_text(decl.stream);
  if (decl.was) emit.was = decl.was->text;
  for (const typed::Emit& other : out_.emits) {
    if (other.name == emit.name) {
      diags_.report(Code::SinkTwice, span, emit.name)
          .note(other.span, "the other is here")
          .note("name one: `emit … as other`");
      return;
    }
    if (emit.connector.name == "file" && other.connector.name == "file" &&
        emit.connector.positional(0)->value == other.connector.positional(0)->value) {
      diags_.report(Code::SameFileTwice, emit.connector.span, emit.connector.positional(0)->value.as_text())
          .note(other.span, "the other is here");
      return;
    }
  }
  out_.emits.push_back(std::move(emit));
}

void ProgramChecker::add_tap(const std::string& name) {
  std::string of = name.ends_with(".errors") ? name.substr(0, name.size() - 7) : name;
  auto known = declared_.find(of);
  if (known == declared_.end() || !known->second.result) return;
  typed::Emit emit;
  emit.name = "tap:" + name;
  emit.stream = place(find(name, known->second.span)->name);
  emit.connector.name = "host";
  emit.span = known->second.span;
  out_.emits.push_back(std::move(emit));
}

void ProgramChecker::check_set(const ast::SetDecl& decl, source::Span span) {
  typed::Set set;
  set.span = span;
  set.every = 1'000'000'000;
  auto param = names_.params.find(decl.param.text);
  if (param == names_.params.end()) {
    diags_.report(Code::SetTarget, decl.param.span, "no param `" + decl.param.text + "`");
    return;
  }
  set.param = param->second;
  set.stream = stream_index(decl.stream);
  if (set.stream < 0) return;
  if (decl.every) {
    auto every = exprs_->check_constant(*decl.every, out_.types->scalar(Kind::Duration));
    if (!every) return;
    set.every = every->value.as_int();
    if (set.every <= 0) {
      diags_.report(Code::BadWindow, decl.every->span, "`every` must be longer than nothing");
      return;
    }
  }
  const typed::Stream& stream = out_.streams[static_cast<size_t>(set.stream)];
  const typed::Param& target = out_.params[static_cast<size_t>(set.param)];
  if (stream.type->fields.size() != 1 || !typed::same(stream.type->fields[0].type, target.type)) {
    diags_.report(Code::SetTarget, decl.stream.span,
                  "`" + stream.name + "` must have one field of type `" + target.type->text + "`");
    return;
  }
  for (const typed::Set& other : out_.sets) {
    if (other.param == set.param) {
      diags_.report(Code::SetTarget, span, "param `" + target.name + "` is set twice")
          .note(other.span, "the other is here");
      return;
    }
  }
  out_.sets.push_back(set);
}

// Its expressions are checked where there is a version before.
void ProgramChecker::check_migrate(const ast::MigrateDecl& decl) {
  ast::Path owner = decl.target;
  std::string label = owner.parts.back().text;
  owner.parts.pop_back();
  std::string name = path_text(owner);
  int index = placed(name);
  if (index < 0) {
    if (owner.parts.empty() || !declared_.contains(name))
      diags_.report(Code::MigrateTarget, decl.target.span,
                    "`" + path_text(decl.target) + "` is no stage: write `migrate STREAM.STAGE { … }`");
    return;  // else it was reported
  }
  const std::vector<typed::Stage>& stages = out_.streams[static_cast<size_t>(index)].stages;
  auto stage = std::find_if(stages.begin(), stages.end(),
                            [&](const typed::Stage& each) { return each.name == label && each.stateful(); });
  if (stage == stages.end()) {
    diags_.report(Code::MigrateTarget, decl.target.parts.back().span,
                  "stream `" + name + "` has no stage `" + label + "` that keeps state");
    return;
  }
  std::vector<std::string> names = stage->key_names;
  for (const typed::History& history : stage->histories) {
    for (const typed::ExprPtr& key : history.keys) {
      if (key->kind == typed::ExprKind::Field)
        names.push_back(stage->input->fields[static_cast<size_t>(key->index)].name);
    }
  }
  if (stage->process) {
    for (const typed::ProcessState& state : stage->process->states) names.push_back(state.name);
  }
  std::set<std::string> given;
  for (const ast::MigrateItem& item : decl.items) {
    if (!given.insert(item.name.text).second) {
      diags_.report(Code::MigrateTarget, item.name.span, "`" + item.name.text + "` is given twice");
    } else if (std::find(names.begin(), names.end(), item.name.text) == names.end()) {
      diags_.report(Code::MigrateTarget, item.name.span,
                    "`" + item.name.text + "` is no key of `" + path_text(decl.target) +
                        (stage->process ? "` and no variable: only these can be migrated"
                                        : "`: only keys, and variables of a `process`, can be migrated"));
    }
  }
}

void ProgramChecker::refuse_later(const ast::Declaration& decl) {
  const char* what = nullptr;
  if (std::holds_alternative<ast::ModelDecl>(decl.node)) what = "a model or learner";
  if (what != nullptr) diags_.report(Code::NotExecutable, decl.span, what);
}

void ProgramChecker::warn_unread() {
  std::vector<char> read(out_.streams.size(), 0);
  for (const typed::Emit& emit : out_.emits) read[static_cast<size_t>(emit.stream)] = 1;
  for (const typed::Set& set : out_.sets) read[static_cast<size_t>(set.stream)] = 1;
  for (const ast::Declaration* declaration : declarations_) {
    const ast::Declaration& decl = *declaration;
    const auto* test = std::get_if<ast::TestDecl>(&decl.node);
    if (test == nullptr) continue;
    for (const ast::TestStep& step : test->steps) {
      const auto* expect = std::get_if<ast::ExpectRowsStep>(&step.node);
      if (expect == nullptr) continue;
      int index = placed(path_text(expect->stream));
      if (index >= 0) read[static_cast<size_t>(index)] = 1;
    }
  }
  for (size_t i = out_.streams.size(); i-- > 0;) {
    typed::Stream& stream = out_.streams[i];
    bool side = stream.kind == StreamKind::Branch || stream.kind == StreamKind::Late;
    if (!read[i] && stream.kind != StreamKind::Errors && !side) {
      diags_.report(Code::NothingReads, stream.span, stream.name)
          .note("write `emit " + stream.name + " to stdout()`, or to another sink");
    }
    // One warning for a chain nobody reads, not one for each of its streams.
    for (const typed::Input& input : stream.inputs) {
      if (input.stream >= 0) read[static_cast<size_t>(input.stream)] = 1;
    }
    for (const typed::Stage& stage : stream.stages) {
      if (stage.join) read[static_cast<size_t>(stage.join->right)] = 1;
    }
  }
}

std::optional<typed::Program> check(const ast::Program& program, diag::Engine& diags,
                                    const CheckOptions& options) {
  Declarations declarations = declarations_of(program);
  ProgramChecker checker(declarations, options, diags);
  if (!checker.run()) return std::nullopt;
  if (options.tests == CheckOptions::Tests::Check) check_tests(declarations, diags, options.modules);
  if (diags.has_errors()) return std::nullopt;
  return checker.take();
}

std::optional<TestPart> check_test_part(const Declarations& version, const ast::TestDecl& test, size_t first,
                                        TestProgress& progress, diag::Engine& diags, ModuleReader* modules) {
  diag::Engine found;
  CheckOptions options;
  options.modules = modules;
  ProgramChecker checker(version, options, found);
  std::optional<TestPart> part;
  if (checker.run()) part = checker.check_steps(test, first, progress);
  for (const diag::Diagnostic& diagnostic : found.sorted()) {
    // Warnings about declarations were given when they were checked by themselves.
    if (diagnostic.severity == diag::Severity::Error) diags.add(diagnostic);
  }
  return part;
}

}  // namespace mut::sema
