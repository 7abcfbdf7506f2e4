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

// Values of an enum of the version before have no name in this one.
bool holds_enum(typed::TypeRef type) {
  if (type->kind == Kind::Enum) return true;
  if (type->element != nullptr && holds_enum(type->element)) return true;
  return std::any_of(type->fields.begin(), type->fields.end(),
                     [](const typed::Field& field) { return holds_enum(field.type); });
}

// The call, if there is one.
const Expr* find_of_event(const Expr& expr) {
  if (is_of_event(expr)) return &expr;
  for (const ExprPtr& arg : expr.args) {
    if (const Expr* found = find_of_event(*arg)) return found;
  }
  return nullptr;
}

class RuleMaker {
 public:
  RuleMaker(const Cell& before, const Cell& after, const KeyRuleSources& sources)
      : before_(before), after_(after), sources_(sources), types_(std::make_shared<typed::TypeTable>()) {}

  std::optional<KeyRule> run() {
    describe_old();
    std::optional<CheckedMigrate> said = ask_migrate();
    local_count_ = std::max(sources_.after->program->local_count,
                            said && said->program != nullptr ? said->program->local_count : 0);
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
      } else if (said && after_.of->process) {
        out_.problem = "`migrate` of `" + after_.node->desc.path +
                       "` makes nothing: its keys cannot be had from the old ones";
      } else {
        return std::nullopt;
      }
      if (!out_.problem.empty()) return std::move(out_);
      if (part.value) out_.can_fail = out_.can_fail || graph::can_fail(*part.value);
      out_.parts.push_back(std::move(part));
    }
    if (said && !take_variables(*said)) return std::move(out_);
    if (out_.keeps_keys() && out_.values.empty()) return std::nullopt;
    bool all_used = std::all_of(used.begin(), used.end(), [](char one) { return one != 0; });
    out_.unites = !all_used && (out_.computed || !out_.migrated);
    finish();
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
    auto add = [&](const std::string& name, typed::TypeRef type, RuleInput input) {
      if (holds_enum(type) || typed::has_secret(type)) return;
      typed::Field field;
      field.name = name;
      field.type = type;
      fields.push_back(std::move(field));
      out_.inputs.push_back(input);
    };
    for (size_t i = 0; i < before_.key_types.size(); ++i)
      add(before_.node->desc.keys[i].name, before_.key_types[i], {RuleInput::From::Key, static_cast<int>(i)});
    if (before_.of->process && after_.of->process) {
      const std::vector<typed::ProcessState>& states = before_.of->process->states;
      for (size_t i = 0; i < states.size(); ++i) {
        bool taken = std::any_of(fields.begin(), fields.end(),
                                 [&](const typed::Field& field) { return field.name == states[i].name; });
        if (!taken) add(states[i].name, states[i].type, {RuleInput::From::Variable, static_cast<int>(i)});
      }
    }
    old_ = types_->record(std::move(fields));
  }

  std::optional<CheckedMigrate> ask_migrate() {
    if (sources_.migrate == nullptr || !*sources_.migrate) return std::nullopt;
    const typed::Stream& stream = sources_.after->program->streams[static_cast<size_t>(after_.stream)];
    return (*sources_.migrate)({stream.name, after_.of->name, old_->fields});
  }

  bool take_said(const CheckedMigrate& said, size_t i, KeyPart& part) {
    const std::string& name = after_.node->desc.keys[i].name;
    part.value = said_value(said, "key", name, after_.key_types[i]);
    if (part.value == nullptr) return false;
    if (!out_.read.empty()) out_.problem = "`migrate` makes key `" + name + "` of a variable: of keys it can";
    part.made = KeyPart::Made::Migrated;
    return true;
  }

  // What `migrate` makes of that name, with what it lacks to the type; null where it does not name it.
  // Another type is a problem.
  ExprPtr said_value(const CheckedMigrate& said, const std::string& what, const std::string& name,
                     typed::TypeRef wanted) {
    const typed::Stage& select = said.program->streams.back().stages.back();
    auto output = std::find_if(select.outputs.begin(), select.outputs.end(),
                               [&](const typed::Output& each) { return each.name == name; });
    if (output == select.outputs.end()) return nullptr;
    if (find_of_event(*output->value) != nullptr) {
      out_.problem = "`migrate` of `" + after_.node->desc.path + "` makes " + what + " `" + name +
                     "` of an event, by `event_time()`, `arrival_time()` or `position()`; there is none";
      return typed::clone(*output->value);
    }
    ExprPtr value = with_initial(typed::clone(*output->value));
    typed::TypeRef given = value->type;
    // The enums of both are those of this script.
    if (same_type(given, wanted)) return value;
    bool some = wanted->kind == Kind::Optional && same_type(given, wanted->element);
    if (some || (!holds_enum(wanted) && widens(given, wanted))) {
      ExprPtr wide = make(ExprKind::Convert, wanted, value->span);
      wide->args.push_back(std::move(value));
      return wide;
    }
    out_.problem = "`migrate` makes `" + given->text + "` of " + what + " `" + name + "`, which is `" +
                   wanted->text + "`";
    return value;
  }

  // False: there is a problem.
  bool take_variables(const CheckedMigrate& said) {
    if (!after_.of->process || !before_.of->process) return true;
    const std::vector<typed::ProcessState>& states = after_.of->process->states;
    for (size_t i = 0; i < states.size() && out_.problem.empty(); ++i) {
      bool is_key = std::any_of(after_.node->desc.keys.begin(), after_.node->desc.keys.end(),
                                [&](const state::KeyDesc& key) { return key.name == states[i].name; });
      if (is_key) continue;
      ExprPtr value = said_value(said, "variable", states[i].name, states[i].type);
      if (value == nullptr) continue;
      out_.can_fail = out_.can_fail || graph::can_fail(*value);
      out_.values.push_back({static_cast<int>(i), std::move(value)});
    }
    return out_.problem.empty();
  }

  // A variable that has been given no value yet is what the version before would begin with.
  ExprPtr with_initial(ExprPtr expr) {
    if (expr->kind == ExprKind::Field) {
      ExprPtr out = make(ExprKind::MakeRecord, old_, expr->span);
      for (size_t i = 0; i < out_.inputs.size(); ++i)
        out->args.push_back(read_old(static_cast<int>(i), expr->span));
      return out;
    }
    if (expr->kind == ExprKind::Member && expr->args[0]->kind == ExprKind::Field)
      return read_old(expr->index, expr->span);
    for (ExprPtr& arg : expr->args) arg = with_initial(std::move(arg));
    return expr;
  }

  ExprPtr read_old(int input, source::Span span) {
    ExprPtr value = old_value(input, span);
    const RuleInput& of = out_.inputs[static_cast<size_t>(input)];
    if (of.from == RuleInput::From::Key) return value;
    auto known = std::find(out_.read.begin(), out_.read.end(), of.index);
    auto place = static_cast<int>(known - out_.read.begin());
    if (known == out_.read.end()) out_.read.push_back(of.index);
    ExprPtr flags = make(ExprKind::Field, nullptr, span);  // its type is known when all are
    flags->index = 1;
    ExprPtr is_set = make(ExprKind::Member, types_->scalar(Kind::Bool), span);
    is_set->index = place;
    is_set->args.push_back(std::move(flags));
    ExprPtr initial = typed::clone(*before_.of->process->states[static_cast<size_t>(of.index)].initial);
    take_names(*initial);
    local_count_ += sources_.before->program->local_count;
    ExprPtr out = make(ExprKind::If, value->type, span);
    out->args.push_back(std::move(is_set));
    out->args.push_back(std::move(value));
    out->args.push_back(std::move(initial));
    return out;
  }

  // An expression of the version before as one of this program: its params by name, its locals as others than
  // all so far.
  void take_names(Expr& expr) {
    for (ExprPtr& arg : expr.args) take_names(*arg);
    switch (expr.kind) {
      case ExprKind::Local:
      case ExprKind::Let:
      case ExprKind::IsSome:
      case ExprKind::MapList:
      case ExprKind::FilterList:
      case ExprKind::AnyOf:
      case ExprKind::AllOf:
      case ExprKind::Reduce:
      case ExprKind::ZipLists:
        expr.index += local_count_;
        return;
      case ExprKind::Param:
        break;
      default:
        return;
    }
    const typed::Param& was = sources_.before->program->params[static_cast<size_t>(expr.index)];
    const std::vector<typed::Param>& params = sources_.after->program->params;
    auto is = std::find_if(params.begin(), params.end(), [&](const typed::Param& param) {
      return param.name == was.name && same_type(param.type, was.type);
    });
    if (is == params.end())
      out_.problem = "`migrate` reads a variable that begins with param `" + was.name + "`, which is gone";
    else
      expr.index = static_cast<int>(is - params.begin());
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
    auto at = std::find_if(out_.inputs.begin(), out_.inputs.end(), [&](const RuleInput& input) {
      return input.from == RuleInput::From::Key && input.index == static_cast<int>(old_key);
    });
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
  void finish() {
    const typed::Program& after = *sources_.after->program;
    auto program = std::make_shared<typed::Program>();
    program->types = types_;
    program->params = after.params;
    program->local_count = local_count_;
    typed::Field stored;
    stored.name = "old";
    stored.type = old_;
    typed::Field is_set;
    is_set.name = "is_set";
    is_set.type = flags();
    typed::Source source;
    source.name = "stored";
    source.type = types_->record({stored, is_set});
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
    auto give = [&](const std::string& name, ExprPtr& value) {
      know_flags(*value, is_set.type);
      typed::Field field;
      field.name = name;
      field.type = value->type;
      select.outputs.push_back({field.name, typed::clone(*value), ""});
      fields.push_back(std::move(field));
    };
    for (size_t i = 0; i < out_.parts.size(); ++i) {
      if (out_.parts[i].value) give(after_.node->desc.keys[i].name, out_.parts[i].value);
    }
    for (ValuePart& part : out_.values)
      give(after_.of->process->states[static_cast<size_t>(part.cell)].name, part.value);
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

  // By place in `read`.
  typed::TypeRef flags() const {
    std::vector<typed::Field> fields;
    for (size_t i = 0; i < out_.read.size(); ++i) {
      typed::Field field;
      field.name = "v" + std::to_string(i);
      field.type = types_->scalar(Kind::Bool);
      fields.push_back(std::move(field));
    }
    return types_->record(std::move(fields));
  }
  static void know_flags(Expr& expr, typed::TypeRef flags) {
    if (expr.kind == ExprKind::Field && expr.index == 1) expr.type = flags;
    for (ExprPtr& arg : expr.args) know_flags(*arg, flags);
  }

  const Cell& before_;
  const Cell& after_;
  const KeyRuleSources& sources_;
  std::shared_ptr<typed::TypeTable> types_;
  typed::TypeRef old_ = nullptr;
  int local_count_ = 0;  // of the program that is made
  KeyRule out_;
};

}  // namespace

bool KeyRule::keeps_keys() const {
  return std::all_of(parts.begin(), parts.end(),
                     [](const KeyPart& part) { return part.made == KeyPart::Made::Kept; });
}

bool KeyRule::makes(int cell) const {
  return std::any_of(values.begin(), values.end(), [&](const ValuePart& part) { return part.cell == cell; });
}

bool is_of_event(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::History:
    case ExprKind::Key:
    case ExprKind::Aggregate:
    case ExprKind::WindowStart:
    case ExprKind::WindowEnd:
      return true;
    case ExprKind::Call:
      return expr.builtin == typed::Builtin::Position || expr.builtin == typed::Builtin::EventTime ||
             expr.builtin == typed::Builtin::ArrivalTime;
    default:
      return false;
  }
}

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
