#include "compiler/change/row_key_rule.h"

#include <algorithm>

#include "compiler/change/differences.h"
#include "runtime/state/row_change.h"

namespace mut::change {
namespace {

using state::StoreKind;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::StageKind;

// The rows of one cell as the new version has them, and which of their fields say what they are to say.
class Rows {
 public:
  Rows(const Cell& before, const Cell& after) : before_(before), after_(after) {
    bool right = after.node->desc.kind == StoreKind::Join && after.index == 1;
    type_ = right ? after.of->join->right_type : after.of->input;
    exprs_ = right ? &after.of->join->right_keys : &after.of->keys;
    change_ = state::RowChange::between(record(before), record(after));
  }

  typed::TypeRef type() const { return type_; }
  const Expr& key(size_t i) const { return *(*exprs_)[i]; }
  bool convert() const { return change_.has_value(); }

  // Whether the value is what an event from now on would have there, but for params.
  bool say(const Expr& expr) const {
    if (is_of_event(expr)) return false;
    if (expr.kind == ExprKind::Field) return has_field(static_cast<size_t>(expr.index));
    return std::all_of(expr.args.begin(), expr.args.end(), [&](const ExprPtr& arg) { return say(*arg); });
  }

 private:
  static const abi::TypeDescRef& record(const Cell& of) {
    const state::StoreDesc& desc = of.node->desc;
    if (desc.kind == StoreKind::Table) return desc.table.record;
    return of.index == 1 ? desc.join.right : desc.join.left;
  }
  // One that is computed otherwise than it was has in them what it was.
  bool has_field(size_t field) const {
    int from = change_->source_of(field);
    return from < 0 || same_lineage(before_.row[static_cast<size_t>(from)].named, after_.row[field].named);
  }

  const Cell& before_;
  const Cell& after_;
  typed::TypeRef type_ = nullptr;
  const std::vector<ExprPtr>* exprs_ = nullptr;
  std::optional<state::RowChange> change_;
};

// An expression over the fields of a row as one over the record with the one field `row`.
ExprPtr of_row(const Expr& expr, typed::TypeRef row) {
  if (expr.kind == ExprKind::Field) {
    auto out = std::make_unique<Expr>();
    out->kind = ExprKind::Member;
    out->type = expr.type;
    out->span = expr.span;
    out->index = expr.index;
    auto whole = std::make_unique<Expr>();
    whole->kind = ExprKind::Field;
    whole->type = row;
    whole->span = expr.span;
    whole->index = 0;
    out->args.push_back(std::move(whole));
    return out;
  }
  ExprPtr out = typed::clone(expr);
  for (size_t i = 0; i < expr.args.size(); ++i) out->args[i] = of_row(*expr.args[i], row);
  return out;
}

class RowRuleMaker {
 public:
  RowRuleMaker(const std::vector<RowCells>& cells, const KeyRuleSources& sources)
      : cells_(cells), sources_(sources), types_(std::make_shared<typed::TypeTable>()) {}

  std::optional<KeyRule> run() {
    auto any =
        std::find_if(cells_.begin(), cells_.end(), [](const RowCells& of) { return of.after != nullptr; });
    if (any == cells_.end() || keeps_keys(*any->before, *any->after)) return std::nullopt;
    out_.of = KeyRule::Of::Rows;
    out_.computed = true;
    for (size_t i = 0; i < any->after->keys.size(); ++i) {
      KeyPart part;
      part.old = known_place(*any->before, *any->after, i);
      if (part.old < 0) {
        part.made = KeyPart::Made::Computed;
        computed_.push_back(i);
      }
      out_.parts.push_back(std::move(part));
    }
    for (const RowCells& of : cells_) out_.sides.push_back(of.after == nullptr ? RowSide{} : side_of(of));
    if (std::none_of(out_.sides.begin(), out_.sides.end(), [](const RowSide& side) { return side.keyed; }))
      return std::nullopt;
    if (!computed_.empty()) finish();
    out_.types.push_back(sources_.before->program);
    out_.types.push_back(sources_.after->program);
    return std::move(out_);
  }

 private:
  static bool same_words(typed::TypeRef from, typed::TypeRef to) {
    return same_type(from, to) || widens(from, to);
  }
  static bool keeps_keys(const Cell& before, const Cell& after) {
    std::vector<int> places = key_places(before, after);
    if (before.keys.size() != after.keys.size() || places.size() != after.keys.size()) return false;
    for (size_t i = 0; i < places.size(); ++i) {
      if (!same_words(before.key_types[static_cast<size_t>(places[i])], after.key_types[i])) return false;
    }
    return true;
  }
  // The old key that it is, or -1. Its own place first: two may have one lineage.
  static int known_place(const Cell& before, const Cell& after, size_t i) {
    auto fits = [&](size_t o) {
      return o < before.keys.size() && same_lineage(before.keys[o].named, after.keys[i].named) &&
             same_words(before.key_types[o], after.key_types[i]);
    };
    if (fits(i)) return static_cast<int>(i);
    for (size_t o = 0; o < before.keys.size(); ++o) {
      if (fits(o)) return static_cast<int>(o);
    }
    return -1;
  }

  RowSide side_of(const RowCells& of) {
    RowSide out;
    Rows rows(*of.before, *of.after);
    out.keyed = rows.convert() && std::all_of(computed_.begin(), computed_.end(),
                                              [&](size_t i) { return rows.say(rows.key(i)); });
    if (!out.keyed || computed_.empty()) return out;
    // A row of a table whose key is none is an error.
    bool table = of.after->node->desc.kind == StoreKind::Table;
    for (size_t i : computed_) {
      out.can_fail = out.can_fail || graph::can_fail(rows.key(i)) ||
                     (table && rows.key(i).type->kind == typed::Kind::Optional);
    }
    out.source = add_side(rows);
    return out;
  }

  int add_side(const Rows& rows) {
    auto index = static_cast<int>(program_->sources.size());
    typed::Field whole;
    whole.name = "row";
    whole.type = rows.type();
    typed::Source source;
    source.name = "stored" + std::to_string(index);
    source.type = types_->record({whole});
    source.connector.name = "host";
    typed::Stage select;
    select.kind = StageKind::Project;
    select.keyword = "select";
    select.name = "select";
    select.input = source.type;
    std::vector<typed::Field> fields;
    for (size_t i : computed_) {
      typed::Field field;
      field.name = "k" + std::to_string(i);
      field.type = rows.key(i).type;
      select.outputs.push_back({field.name, of_row(rows.key(i), rows.type()), ""});
      fields.push_back(std::move(field));
    }
    select.output = types_->record(std::move(fields));
    program_->sources.push_back(std::move(source));
    selects_.push_back(std::move(select));
    return index;
  }

  // Sources, streams and sinks around the values.
  void finish() {
    program_->types = types_;
    program_->params = sources_.after->program->params;
    program_->local_count = sources_.after->program->local_count;
    for (size_t i = 0; i < selects_.size(); ++i) {
      typed::Source& source = program_->sources[i];
      source.stream = static_cast<int>(program_->streams.size());
      typed::Stream in;
      in.kind = typed::StreamKind::Source;
      in.name = source.name;
      in.type = source.type;
      in.source = static_cast<int>(i);
      typed::Stream made;
      made.name = "made" + std::to_string(i);
      made.type = selects_[i].output;
      made.inputs.push_back({source.stream, {}});
      made.stages.push_back(std::move(selects_[i]));
      typed::Emit emit;
      emit.stream = source.stream + 1;
      emit.name = made.name;
      emit.connector.name = "host";
      program_->streams.push_back(std::move(in));
      program_->streams.push_back(std::move(made));
      program_->emits.push_back(std::move(emit));
    }
    out_.program = std::move(program_);
  }

  const std::vector<RowCells>& cells_;
  const KeyRuleSources& sources_;
  std::shared_ptr<typed::TypeTable> types_;
  std::shared_ptr<typed::Program> program_ = std::make_shared<typed::Program>();
  std::vector<typed::Stage> selects_;  // by source
  std::vector<size_t> computed_;       // new keys that are none of the old ones
  KeyRule out_;
};

}  // namespace

bool keeps_rows(StoreKind kind) { return kind == StoreKind::Join || kind == StoreKind::Table; }

std::optional<KeyRule> row_key_rule(const std::vector<RowCells>& cells, const KeyRuleSources& sources) {
  return RowRuleMaker(cells, sources).run();
}

}  // namespace mut::change
