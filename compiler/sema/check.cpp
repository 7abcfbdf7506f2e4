// Declarations: names first, then streams as they are needed, so that their order does not matter.
#include "compiler/sema/check.h"

#include <algorithm>
#include <map>

#include "compiler/sema/connectors.h"
#include "compiler/sema/declarer.h"
#include "compiler/sema/stage_checker.h"
#include "compiler/sema/test_checker.h"

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

// The table whose current rows a stream follows; empty: none.
std::string followed_by(const typed::Stream& stream) {
  return stream.is_table ? stream.name : stream.follows;
}

class ProgramChecker {
 public:
  ProgramChecker(const Declarations& declarations, const CheckOptions& options, diag::Engine& diags)
      : declarations_(declarations), options_(options), diags_(diags) {
    out_.types = std::make_shared<typed::TypeTable>();
  }

  bool run() {
    exprs_.emplace(names_, out_.params, *out_.types, diags_, out_.local_count);
    declare_names();
    declare_streams();
    for (auto& [name, declared] : declared_) resolve(name);
    number_streams();
    for (const ast::Declaration* declaration : declarations_) {
      const ast::Declaration& decl = *declaration;
      if (const auto* emit = std::get_if<ast::EmitDecl>(&decl.node)) check_emit(*emit, decl.span);
      if (const auto* set = std::get_if<ast::SetDecl>(&decl.node)) check_set(*set, decl.span);
      refuse_later(decl);
    }
    for (const std::string& tap : options_.taps) add_tap(tap);
    if (diags_.has_errors()) return false;
    warn_unread();
    return true;
  }
  typed::Program take() { return std::move(out_); }

  // After run(): steps of a test that this version runs.
  TestPart check_steps(const ast::TestDecl& test, size_t first, TestProgress& progress) {
    auto find_stream = [this](const std::string& name, source::Span span) -> TypeRef {
      const typed::Stream* stream = find(name, span);
      return stream == nullptr ? nullptr : stream->type;
    };
    TestPart part = TestChecker(out_.sources, find_stream, *exprs_, diags_).check(test, first, progress);
    part.types = out_.types;
    return part;
  }

 private:
  // A stream that is declared somewhere; checked when it is first needed.
  struct Declared {
    source::Span span;
    size_t order = 0;
    const ast::SourceDecl* source = nullptr;
    const ast::StreamDecl* stream = nullptr;
    const ast::TableDecl* table = nullptr;
    const ast::RouteDecl* route = nullptr;  // a branch
    std::string late_of;                    // made by `late to` of this stream
    bool checking = false;
    bool checked = false;
    std::optional<typed::Stream> result;  // empty after an error
  };

  void declare_names() {
    modules_.reader = options_.modules;
    Declarer declarer(names_, modules_, *out_.types, *exprs_, diags_);
    declarer.declare(declarations_);
    for (const ast::Declaration* declaration : declarations_) {
      const auto* param = std::get_if<ast::ParamDecl>(&declaration->node);
      if (param != nullptr && declarer.take_value(param->name)) declare_param(*param, declaration->span);
    }
    declarer.check_functions(out_.local_count);
  }

  void declare_param(const ast::ParamDecl& decl, source::Span span) {
    typed::Param param;
    param.name = decl.name.text;
    param.span = span;
    param.type = decl.type ? TypeResolver(names_, *out_.types, diags_).resolve(*decl.type)
                           : out_.types->scalar(Kind::Error);
    if (param.type->kind == Kind::Error) return;
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
        diags_.report(
            Code::ParamRange, decl.value->span, typed::to_text(param.value, param.type),
            typed::to_text(*param.low, param.type) + ".." + typed::to_text(*param.high, param.type));
      }
    }
    names_.params[param.name] = static_cast<int>(out_.params.size());
    out_.params.push_back(std::move(param));
  }

  void declare(const ast::Ident& name, Declared declared) {
    declared.span = name.span;
    declared.order = order_++;
    auto [entry, fresh] = declared_.emplace(name.text, std::move(declared));
    if (!fresh)
      diags_.report(Code::DeclaredTwice, name.span, name.text)
          .note(entry->second.span, "first declared here");
  }

  void declare_streams() {
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

  void declare_late_streams(const ast::Pipeline& pipeline, const std::string& owner) {
    for (const ast::Stage& stage : pipeline.stages) {
      const auto* aggregate = std::get_if<ast::AggregateStage>(&stage.node);
      if (aggregate != nullptr && aggregate->late && aggregate->late->to)
        declare(*aggregate->late->to, {.late_of = owner});
    }
  }

  // The checked stream of that name, or null after a report.
  typed::Stream* find(const std::string& name, source::Span span) {
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

  typed::Stream* find_errors(const std::string& name, source::Span span) {
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

  void resolve(const std::string& name) {
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

  void check_source(const ast::SourceDecl& decl, Declared& declared) {
    if (!decl.failover.empty())
      diags_.report(Code::NotExecutable, decl.failover[0].connector.span, "failover `else`");
    if (decl.on_full) diags_.report(Code::NotExecutable, decl.name.span, "`on full`");
    if (decl.ahead) diags_.report(Code::NotExecutable, decl.ahead->span, "`ahead`");
    if (decl.check) diags_.report(Code::NotExecutable, decl.name.span, "`check`");
    if (decl.idle) diags_.report(Code::NotExecutable, decl.idle->span, "`idle`");
    declared.result = read_connector(decl, decl.connector);
    if (declared.result && !decl.time && out_.sources.back().connector.name == "file") {
      auto report = diags_.report(Code::NoTimeClause, decl.name.span);
      for (const typed::Field& field : out_.sources.back().type->fields) {
        if (field.type->kind != Kind::Time) continue;
        report.note("write `time " + field.name + "` behind the connector");
        break;
      }
    }
  }

  // Whether a host or a test gives its rows, whatever its connector.
  bool is_elsewhere(const std::string& source) const {
    return options_.rows == CheckOptions::Rows::Given ||
           std::find(options_.bound.begin(), options_.bound.end(), source) != options_.bound.end();
  }

  // What a source or a table reads from outside: `decl` has name, was, type, time and lateness.
  template <typename Decl>
  std::optional<typed::Stream> read_connector(const Decl& decl, const ast::ConnectorExpr& connector_expr) {
    typed::Source source;
    source.name = decl.name.text;
    source.span = decl.name.span;
    if (decl.was) source.was = decl.was->text;
    source.type = decl.type ? TypeResolver(names_, *out_.types, diags_).resolve(*decl.type)
                            : out_.types->scalar(Kind::Error);
    if (source.type->kind == Kind::Error) return std::nullopt;
    if (source.type->kind != Kind::Record) {
      diags_.report(Code::TypeMismatch, decl.type->span, "a record", "`" + source.type->text + "`");
      return std::nullopt;
    }
    auto connector = check_connector(connector_expr, Direction::In, *exprs_);
    if (!connector) return std::nullopt;
    source.connector = std::move(*connector);
    bool generates = source.connector.name == "generate" && !is_elsewhere(source.name);
    if (generates && !check_generated(connector_expr, source)) return std::nullopt;
    Scope scope;
    scope.place = Place::Event;
    scope.record = source.type;
    scope.record_name = "source `" + source.name + "`";
    if (decl.time) {
      source.time = exprs_->check(*decl.time, scope);
      if (source.time->type->kind == Kind::Error) return std::nullopt;
      if (source.time->type->kind != Kind::Time) {
        diags_.report(Code::TimeField, decl.time->span, "`" + source.time->type->text + "`");
        return std::nullopt;
      }
    }
    auto duration = [&](const ast::ExprPtr& expr) -> std::optional<int64_t> {
      if (!expr) return std::nullopt;
      auto value = exprs_->check_constant(*expr, out_.types->scalar(Kind::Duration));
      if (value && value->value.as_int() < 0)
        diags_.report(Code::BadWindow, expr->span, "a duration here must not be negative");
      return value ? std::optional(value->value.as_int()) : std::nullopt;
    };
    source.lateness = duration(decl.lateness).value_or(0);
    typed::Stream stream;
    stream.kind = StreamKind::Source;
    stream.name = source.name;
    stream.was = source.was;
    stream.span = decl.name.span;
    stream.type = source.type;
    stream.source = static_cast<int>(out_.sources.size());
    out_.sources.push_back(std::move(source));
    return stream;
  }

  void check_table(const ast::TableDecl& decl, Declared& declared) {
    size_t sources = out_.sources.size();
    read_table(decl, declared);
    if (!declared.result && decl.connector) out_.sources.resize(sources);  // a source without a stream
  }

  void read_table(const ast::TableDecl& decl, Declared& declared) {
    std::optional<typed::Stream> stream;
    const std::vector<ast::NamedExpr>* latest_by = nullptr;
    if (decl.connector) {
      if (!decl.type) {
        diags_.report(Code::CannotInferType, decl.name.span)
            .note("write the fields of its rows: `table " + decl.name.text + ": { … } key …`");
        return;
      }
      stream = read_connector(decl, *decl.connector);
      if (!stream) return;
      typed::Source& source = out_.sources.back();
      const typed::Option* follow = source.connector.find("follow");
      bool ends = source.connector.name == "file" && (follow == nullptr || !follow->value.as_bool());
      source.preload = ends && !is_elsewhere(source.name);
    } else {
      // `| latest by k` at the end says what a table does anyhow.
      size_t count = decl.pipeline->stages.size();
      const auto* latest =
          count == 0 ? nullptr : std::get_if<ast::LatestStage>(&decl.pipeline->stages.back().node);
      if (latest != nullptr && decl.key.empty()) {
        latest_by = &latest->by;
        --count;
      }
      stream = check_pipeline(*decl.pipeline, count, decl.name, decl.was);
      if (!stream) return;
    }
    TypeRef wanted = decl.type ? TypeResolver(names_, *out_.types, diags_).resolve(*decl.type) : stream->type;
    if (wanted->kind == Kind::Error) return;
    if (!typed::same(wanted, stream->type)) {
      diags_.report(Code::TypeMismatch, decl.type->span, "`" + stream->type->text + "`",
                    "`" + wanted->text + "`");
      return;
    }
    StageChecker stages(*exprs_, diags_, nullptr, nullptr);
    if (stages.check_table(decl, latest_by, *stream)) declared.result = std::move(stream);
  }

  // `generate(…) { id = "p{n}", … }`: one expression per declared field; the time may be left out.
  bool check_generated(const ast::ConnectorExpr& connector, typed::Source& source) {
    typed::Field n;
    n.name = "n";
    n.type = out_.types->scalar(Kind::Int);
    TypeRef counter = out_.types->record({n});
    bool fine = true;
    for (const ast::NamedExpr& row : connector.rows) {
      if (row.name && source.type->field_index(row.name->text) >= 0) continue;
      diags_.report(Code::UnknownField, row.span, "source `" + source.name + "`",
                    row.name ? row.name->text : "?");
      fine = false;
    }
    for (const typed::Field& field : source.type->fields) {
      const ast::NamedExpr* found = nullptr;
      for (const ast::NamedExpr& row : connector.rows) {
        if (row.name && row.name->text == field.name) found = &row;
      }
      Scope scope;
      scope.place = Place::Generate;
      scope.record = counter;
      scope.record_name = "`generate`";
      typed::Output output;
      output.name = field.name;
      if (found != nullptr) {
        output.value = exprs_->check_as(*found->value, scope, field.type);
        fine = fine && output.value->type->kind != Kind::Error;
      } else if (field.type->kind == Kind::Time) {
        output.value = std::make_unique<typed::Expr>();  // start + n * step, which is the event time
        output.value->kind = typed::ExprKind::Call;
        output.value->builtin = typed::Builtin::EventTime;
        output.value->type = field.type;
        output.value->span = connector.span;
      } else {
        diags_.report(Code::MissingOption, connector.span, "generate", "field `" + field.name + "`");
        fine = false;
        continue;
      }
      source.generated.push_back(std::move(output));
    }
    return fine;
  }

  void check_stream(const ast::StreamDecl& decl, Declared& declared) {
    declared.result = check_pipeline(decl.pipeline, decl.pipeline.stages.size(), decl.name, decl.was);
  }

  // The first `count` stages.
  std::optional<typed::Stream> check_pipeline(const ast::Pipeline& pipeline, size_t count,
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

  bool check_merge(const ast::MergeHead& head, typed::Stream& stream, source::Span span) {
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

  // The first branch that is needed checks the whole route.
  void check_branch(const std::string& name, const ast::RouteDecl& decl, Declared& declared) {
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

  bool check_route(const ast::RouteDecl& decl, const typed::Stream& input, typed::Route& out) {
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

  // Gives streams their indices: order of declaration, but a stream after all of its inputs.
  void number_streams() {
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
      route.input = out_.find_stream(routed.input->name);
      for (size_t i = 0; i < decl->branches.size(); ++i)
        route.branches[i].stream = out_.find_stream(decl->branches[i].target.text);
      out_.routes.push_back(std::move(route));
    }
    std::sort(out_.routes.begin(), out_.routes.end(),
              [](const typed::Route& a, const typed::Route& b) { return a.span.begin < b.span.begin; });
    for (size_t i = 0; i < out_.sources.size(); ++i)
      out_.sources[i].stream = out_.find_stream(out_.sources[i].name);
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
          stage.late_stream = out_.find_stream(late_names_[static_cast<size_t>(stage.late_stream)]);
        if (stage.join)
          stage.join->right = out_.find_stream(right_names_[static_cast<size_t>(stage.join->right)]);
      }
    }
  }

  int place(const std::string& name) {
    if (int known = out_.find_stream(name); known >= 0) return known;
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
      std::vector<int> placed;
      for (const std::string& input : inputs) placed.push_back(place(input));
      for (const typed::Stage& stage : declared.result->stages) {
        if (stage.join) place(right_names_[static_cast<size_t>(stage.join->right)]);
      }
      if (!declared.late_of.empty()) {
        placed.push_back(place(declared.late_of));
        declared.result->inputs.resize(1);
      }
      if (int known = out_.find_stream(name); known >= 0) return known;
      stream = typed::Stream(std::move(*declared.result));
      declared.result.emplace();  // still known as checked
      declared.result->name = stream.name;
      declared.result->type = stream.type;
      for (size_t i = 0; i < placed.size() && i < stream.inputs.size(); ++i)
        stream.inputs[i].stream = placed[i];
    }
    out_.streams.push_back(std::move(stream));
    return static_cast<int>(out_.streams.size() - 1);
  }

  // Index of a stream that an emit or set reads; error streams are made when they are first read.
  int stream_index(const ast::Path& path) {
    typed::Stream* stream = find(path_text(path), path.span);
    if (stream == nullptr) return -1;
    return place(stream->name);
  }

  void check_emit(const ast::EmitDecl& decl, source::Span span) {
    typed::Emit emit;
    emit.span = span;
    emit.stream = stream_index(decl.stream);
    auto connector = check_connector(decl.connector, Direction::Out, *exprs_);
    if (emit.stream < 0 || !connector) return;
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

  // A sink of the host for a stream that an `emit` need not name; none where this version has no such stream.
  void add_tap(const std::string& name) {
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

  void check_set(const ast::SetDecl& decl, source::Span span) {
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

  void refuse_later(const ast::Declaration& decl) {
    const char* what = nullptr;
    if (std::holds_alternative<ast::ModelDecl>(decl.node)) what = "a model or learner";
    if (std::holds_alternative<ast::MigrateDecl>(decl.node)) what = "`migrate`";
    if (what != nullptr) diags_.report(Code::NotExecutable, decl.span, what);
  }

  void warn_unread() {
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
        int index = out_.find_stream(path_text(expect->stream));
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

  struct Routed {
    typed::Stream* input = nullptr;
    typed::Route route;
    bool fine = false;
  };

  const Declarations& declarations_;
  const CheckOptions& options_;
  diag::Engine& diags_;
  Names names_;
  ModuleTable modules_;
  typed::Program out_;
  std::optional<ExprChecker> exprs_;
  std::map<std::string, Declared> declared_;
  std::map<std::string, typed::Stream> errors_;
  std::map<std::string, std::vector<std::string>> input_names_;
  std::map<const ast::RouteDecl*, Routed> routes_;
  std::vector<std::string> late_names_;
  std::vector<std::string> right_names_;  // of joins
  size_t order_ = 0;
  size_t stage_count_ = 0;
};

}  // namespace

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
