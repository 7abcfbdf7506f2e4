// What comes from outside: sources, tables, generated rows.
#include <algorithm>

#include "compiler/sema/connectors.h"
#include "compiler/sema/program_checker.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::StreamKind;
using typed::TypeRef;

namespace {

// Whether it has text of an outside that may be lost.
bool reads_text(const typed::Connector& connector) {
  return connector.is_network() || connector.name == "file" || connector.name == "stdin";
}

}  // namespace

void ProgramChecker::check_source(const ast::SourceDecl& decl, Declared& declared) {
  if (decl.check) diags_.report(Code::NotExecutable, decl.name.span, "`check`");
  declared.result = read_connector(decl, decl.connector);
  if (declared.result) {
    out_.sources.back().idle = check_clause(decl.idle);
    out_.sources.back().ahead = check_clause(decl.ahead);
    if (out_.sources.back().idle == 0)
      diags_.report(Code::BadWindow, decl.idle->span, "`idle` needs a duration above 0s");
    check_standbys(decl, out_.sources.back());
    check_on_full(decl, out_.sources.back());
  }
  if (declared.result && !decl.time && out_.sources.back().connector.name == "file") {
    auto report = diags_.report(Code::NoTimeClause, decl.name.span);
    for (const typed::Field& field : out_.sources.back().type->fields) {
      if (field.type->kind != Kind::Time) continue;
      report.note("write `time " + field.name + "` behind the connector");
      break;
    }
  }
}

void ProgramChecker::check_standbys(const ast::SourceDecl& decl, typed::Source& source) {
  if (decl.failover.empty()) return;
  if (!reads_text(source.connector)) {
    diags_.report(Code::BadOption, source.connector.span, "else",
                  "`" + source.connector.name + "` is always there");
    return;
  }
  for (const ast::Failover& other : decl.failover) {
    auto connector = check_connector(other.connector, Direction::In, *exprs_);
    auto after = check_clause(other.after);
    if (!connector || !after) continue;
    if (!reads_text(*connector)) {
      diags_.report(Code::BadOption, connector->span, "else",
                    "`" + connector->name + "` cannot stand in for another");
      continue;
    }
    source.standbys.push_back({std::move(*connector), *after});
  }
}

void ProgramChecker::check_on_full(const ast::SourceDecl& decl, typed::Source& source) {
  if (!decl.on_full) return;
  source.on_full = static_cast<typed::OnFull>(*decl.on_full);
  if (source.on_full == typed::OnFull::Block) return;
  std::vector<const typed::Connector*> all = {&source.connector};
  for (const typed::Standby& standby : source.standbys) all.push_back(&standby.connector);
  for (const typed::Connector* each : all) {
    std::string problem;
    static constexpr std::string_view pushes[] = {"tcp", "stdin", "nats", "mqtt", "websocket"};
    const typed::Option* format = each->find("format");
    if (each->name == "http") {
      problem = "who sends to `http` is answered by 503 when it is full: `block`";
    } else if (std::find(std::begin(pushes), std::end(pushes), each->name) == std::end(pushes)) {
      problem = "what `" + each->name + "` reads waits by itself: `block`";
    } else if (format != nullptr && format->value.as_text() != "json" && format->value.as_text() != "lines") {
      problem =
          "a record of `" + format->value.as_text() + "` cannot be let go by itself; `json` and `lines` can";
    }
    if (!problem.empty()) diags_.report(Code::BadOption, each->span, "on full", problem);
  }
}

bool ProgramChecker::is_elsewhere(const std::string& source) const {
  return options_.rows == CheckOptions::Rows::Given ||
         std::find(options_.bound.begin(), options_.bound.end(), source) != options_.bound.end();
}

// Nanoseconds; none where the clause is not written or wrong.
std::optional<int64_t> ProgramChecker::check_clause(const ast::ExprPtr& duration) {
  if (!duration) return std::nullopt;
  auto value = exprs_->check_constant(*duration, out_.types->scalar(Kind::Duration));
  if (value && value->value.as_int() < 0)
    diags_.report(Code::BadWindow, duration->span, "a duration here must not be negative");
  return value ? std::optional(value->value.as_int()) : std::nullopt;
}

template <typename Decl>
std::optional<typed::Stream> ProgramChecker::read_connector(const Decl& decl,
                                                            const ast::ConnectorExpr& connector_expr) {
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
  source.lateness = check_clause(decl.lateness).value_or(0);
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

void ProgramChecker::check_table(const ast::TableDecl& decl, Declared& declared) {
  size_t sources = out_.sources.size();
  read_table(decl, declared);
  if (!declared.result && decl.connector) out_.sources.resize(sources);  // a source without a stream
}

void ProgramChecker::read_table(const ast::TableDecl& decl, Declared& declared) {
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

bool ProgramChecker::check_generated(const ast::ConnectorExpr& connector, typed::Source& source) {
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

}  // namespace mut::sema
