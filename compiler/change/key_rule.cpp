#include "compiler/change/key_rule.h"

#include <algorithm>

#include "compiler/change/differences.h"

namespace mut::change {
namespace {

using state::StoreKind;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::StageKind;

ExprPtr make(ExprKind kind, typed::TypeRef type, source::Span span) {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->type = type;
  out->span = span;
  return out;
}

bool has_local(const Expr& expr) {
  return expr.kind == ExprKind::Local || expr.kind == ExprKind::IsSome ||
         std::any_of(expr.args.begin(), expr.args.end(), [](const ExprPtr& arg) { return has_local(*arg); });
}

// Whether it is something else for each event, whatever its fields are.
bool is_of_event(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::History:
    case ExprKind::Key:
    case ExprKind::Aggregate:
    case ExprKind::WindowStart:
    case ExprKind::WindowEnd:
      return true;
    case ExprKind::Call:
      return expr.builtin == typed::Builtin::Position || expr.builtin == typed::Builtin::EventTime;
    default:
      return false;
  }
}

class RuleMaker {
 public:
  RuleMaker(const Cell& before, const Cell& after, const KeyRuleSources& sources)
      : before_(before), after_(after), sources_(sources), types_(std::make_shared<typed::TypeTable>()) {}

  std::optional<KeyRule> run() {
    describe_old();
    std::optional<CheckedMigrate> said = ask_migrate();
    if (said && said->program == nullptr) {
      out_.problem = said->problem;
      return std::move(out_);
    }
    std::vector<int> places = key_places(before_, after_);
    std::vector<char> used(before_.keys.size(), 0);
    for (size_t i = 0; i < after_.keys.size(); ++i) {
      KeyPart part;
      if (said && take_said(*said, i, part)) {
        out_.migrated = true;
      } else if (int known = known_place(places, i);
                 known >= 0 && fits(static_cast<size_t>(known), i, part)) {
        used[static_cast<size_t>(known)] = 1;
      } else if (part.value = rewrite(key_expr(i), after_.stream, after_.stage); part.value != nullptr) {
        part.made = KeyPart::Made::Computed;
        out_.computed = true;
      } else {
        return std::nullopt;
      }
      if (!out_.problem.empty()) return std::move(out_);
      if (part.value) out_.can_fail = out_.can_fail || graph::can_fail(*part.value);
      out_.parts.push_back(std::move(part));
    }
    bool kept = std::all_of(out_.parts.begin(), out_.parts.end(),
                            [](const KeyPart& part) { return part.made == KeyPart::Made::Kept; });
    if (kept) return std::nullopt;
    bool all_used = std::all_of(used.begin(), used.end(), [](char one) { return one != 0; });
    out_.unites = !all_used && (out_.computed || !out_.migrated);
    finish(said ? said->program.get() : nullptr);
    if (said) out_.types.push_back(said->program);
    return std::move(out_);
  }

 private:
  const std::vector<ExprPtr>& key_exprs() const {
    return after_.history != nullptr ? after_.history->keys : after_.of->keys;
  }
  const Expr& key_expr(size_t i) const { return *key_exprs()[i]; }

  void describe_old() {
    std::vector<typed::Field> fields;
    for (size_t i = 0; i < before_.key_types.size(); ++i) {
      // Values of an enum of the version before have no name in this one.
      if (typed::without_none(before_.key_types[i])->kind == Kind::Enum) continue;
      typed::Field field;
      field.name = before_.node->desc.keys[i].name;
      field.type = before_.key_types[i];
      fields.push_back(std::move(field));
      out_.inputs.push_back(static_cast<int>(i));
    }
    old_ = types_->record(std::move(fields));
  }

  std::optional<CheckedMigrate> ask_migrate() {
    if (sources_.migrate == nullptr || !*sources_.migrate) return std::nullopt;
    const typed::Stream& stream = sources_.after->program->streams[static_cast<size_t>(after_.stream)];
    return (*sources_.migrate)({stream.name, after_.of->name, old_->fields});
  }

  bool take_said(const CheckedMigrate& said, size_t i, KeyPart& part) {
    const typed::Stage& select = said.program->streams.back().stages.back();
    const std::string& name = after_.node->desc.keys[i].name;
    for (const typed::Output& output : select.outputs) {
      if (output.name != name) continue;
      typed::TypeRef wanted = after_.key_types[i];
      part.made = KeyPart::Made::Migrated;
      part.value = typed::clone(*output.value);
      typed::TypeRef given = part.value->type;
      bool enums = typed::without_none(wanted)->kind == Kind::Enum;
      if (given->text == wanted->text && !enums) return true;
      if (!enums && widens(given, wanted)) {
        ExprPtr wide = make(ExprKind::Convert, wanted, part.value->span);
        wide->args.push_back(std::move(part.value));
        part.value = std::move(wide);
        return true;
      }
      out_.problem =
          "`migrate` makes `" + given->text + "` of key `" + name + "`, which is `" + wanted->text + "`";
      return true;
    }
    return false;
  }

  // The old key of the same lineage, or -1: all have to have one for key_places() to say so.
  int known_place(const std::vector<int>& places, size_t i) const {
    if (i < places.size()) return places[i];
    for (size_t o = 0; o < before_.keys.size(); ++o) {
      if (before_.keys[o].named == after_.keys[i].named) return static_cast<int>(o);
    }
    return -1;
  }

  int input_of(size_t old_key) const {
    auto at = std::find(out_.inputs.begin(), out_.inputs.end(), static_cast<int>(old_key));
    return at == out_.inputs.end() ? -1 : static_cast<int>(at - out_.inputs.begin());
  }

  ExprPtr old_value(int input, source::Span span) const {
    ExprPtr record = make(ExprKind::Field, old_, span);
    record->index = 0;
    ExprPtr out = make(ExprKind::Member, old_->fields[static_cast<size_t>(input)].type, span);
    out->index = input;
    out->args.push_back(std::move(record));
    return out;
  }

  // As it is, wider or narrower.
  bool fits(size_t old_key, size_t i, KeyPart& part) {
    typed::TypeRef from = before_.key_types[old_key];
    typed::TypeRef to = after_.key_types[i];
    part.old = static_cast<int>(old_key);
    if (same_type(from, to) || widens(from, to)) return true;
    int input = input_of(old_key);
    typed::TypeRef scalar = typed::without_none(from);
    if (input < 0) return false;
    source::Span span = key_expr(i).span;
    bool to_none = to->kind == Kind::Optional && from->kind != Kind::Optional && same_type(from, to->element);
    bool to_some = from->kind == Kind::Optional && same_type(scalar, to);
    bool fewer = typed::is_integer(scalar->kind) && typed::is_integer(to->kind);
    if (!to_none && !to_some && !fewer) return false;
    part.made = KeyPart::Made::Narrowed;
    part.value = make(to_none ? ExprKind::Convert : ExprKind::Cast, to, span);
    part.value->args.push_back(old_value(input, span));
    (to_none ? out_.widened : out_.narrowed) = from->text + " → " + to->text;
    return true;
  }

  // An expression over what enters a stage as one over the old keys; null where they do not say it.
  ExprPtr rewrite(const Expr& expr, int stream, int stage) {
    if (!has_local(expr)) {
      // What leaves a stream is read by no stage of it.
      bool leaves = static_cast<size_t>(stage) ==
                    sources_.after->program->streams[static_cast<size_t>(stream)].stages.size();
      HashSet lineage =
          leaves ? sources_.lineage->of_right(expr, stream) : sources_.lineage->of(expr, stream, stage);
      for (size_t o = 0; o < before_.keys.size(); ++o) {
        int input = input_of(o);
        if (input < 0 || before_.keys[o].named != lineage) continue;
        if (same_type(before_.key_types[o], expr.type)) return old_value(input, expr.span);
      }
    }
    if (expr.kind == ExprKind::Field) return rewrite_field(expr.index, stream, stage);
    if (is_of_event(expr)) return nullptr;
    ExprPtr out = typed::clone(expr);
    for (size_t i = 0; i < expr.args.size(); ++i) {
      out->args[i] = rewrite(*expr.args[i], stream, stage);
      if (out->args[i] == nullptr) return nullptr;
    }
    return out;
  }

  // Back through the stages that pass it on, to where it is computed.
  ExprPtr rewrite_field(int field, int stream, int stage) {
    const typed::Program& program = *sources_.after->program;
    const typed::Stream& of = program.streams[static_cast<size_t>(stream)];
    while (stage > 0) {
      const typed::Stage& above = of.stages[static_cast<size_t>(--stage)];
      switch (above.kind) {
        case StageKind::Where:
        case StageKind::Dedupe:
        case StageKind::Hold:
          continue;
        case StageKind::Project:
          return rewrite(*above.outputs[static_cast<size_t>(field)].value, stream, stage);
        default:
          return nullptr;
      }
    }
    bool one = of.inputs.size() == 1 && of.inputs[0].conversion.empty() &&
               (of.kind == typed::StreamKind::Pipeline || of.kind == typed::StreamKind::Branch);
    if (!one) return nullptr;
    int input = of.inputs[0].stream;
    const typed::Stream& from = program.streams[static_cast<size_t>(input)];
    Expr read;
    read.kind = ExprKind::Field;
    read.index = field;
    read.type = from.type->fields[static_cast<size_t>(field)].type;
    return rewrite(read, input, static_cast<int>(from.stages.size()));
  }

  // Source, stream and sink around the values.
  void finish(const typed::Program* said) {
    const typed::Program& after = *sources_.after->program;
    auto program = std::make_shared<typed::Program>();
    program->types = types_;
    program->params = after.params;
    program->local_count = std::max(after.local_count, said == nullptr ? 0 : said->local_count);
    typed::Field stored;
    stored.name = "old";
    stored.type = old_;
    typed::Source source;
    source.name = "stored";
    source.type = types_->record({stored});
    source.connector.name = "host";
    source.stream = 0;
    typed::Stream in;
    in.kind = typed::StreamKind::Source;
    in.name = source.name;
    in.type = source.type;
    in.source = 0;
    typed::Stage select;
    select.kind = StageKind::Project;
    select.keyword = "select";
    select.name = "select";
    select.input = source.type;
    std::vector<typed::Field> fields;
    for (size_t i = 0; i < out_.parts.size(); ++i) {
      if (!out_.parts[i].value) continue;
      typed::Field field;
      field.name = after_.node->desc.keys[i].name;
      field.type = out_.parts[i].value->type;
      select.outputs.push_back({field.name, typed::clone(*out_.parts[i].value), ""});
      fields.push_back(std::move(field));
    }
    select.output = types_->record(std::move(fields));
    typed::Stream made;
    made.name = "made";
    made.type = select.output;
    made.inputs.push_back({0, {}});
    made.stages.push_back(std::move(select));
    typed::Emit emit;
    emit.stream = 1;
    emit.name = "made";
    emit.connector.name = "host";
    program->sources.push_back(std::move(source));
    program->streams.push_back(std::move(in));
    program->streams.push_back(std::move(made));
    program->emits.push_back(std::move(emit));
    out_.program = std::move(program);
    out_.types.push_back(sources_.before->program);
    out_.types.push_back(sources_.after->program);
  }

  const Cell& before_;
  const Cell& after_;
  const KeyRuleSources& sources_;
  std::shared_ptr<typed::TypeTable> types_;
  typed::TypeRef old_ = nullptr;
  KeyRule out_;
};

}  // namespace

bool converts_keys(StoreKind kind) {
  switch (kind) {
    case StoreKind::Groups:
    case StoreKind::Panes:
    case StoreKind::Sessions:
    case StoreKind::Whole:
    case StoreKind::Ring:
    case StoreKind::Dedupe:
    case StoreKind::Overlaps:
    case StoreKind::Counts:
    case StoreKind::Process:
      return true;
    default:
      return false;
  }
}

std::optional<KeyRule> key_rule(const Cell& before, const Cell& after, const KeyRuleSources& sources) {
  return RuleMaker(before, after, sources).run();
}

}  // namespace mut::change
