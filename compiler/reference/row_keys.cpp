#include "compiler/reference/row_keys.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/rekey.h"

namespace mut::reference {

using typed::Expr;
using typed::ExprKind;
using typed::Stage;

namespace {

void fields_of(const Expr& expr, std::set<size_t>& out) {
  if (expr.kind == ExprKind::Field) out.insert(static_cast<size_t>(expr.index));
  for (const typed::ExprPtr& arg : expr.args) fields_of(*arg, out);
}

// The record of a side: its fields and what each means.
struct SideRecord {
  typed::TypeRef type = nullptr;
  std::vector<Ways> meanings;
};
SideRecord record_of(const Flow& flow, const StageView& view, size_t side, bool renames) {
  Meaning meaning(flow.program(), renames);
  if (side == 0) return {view.stage->input, meaning.fields(view.place.first, view.place.second)};
  int right = view.stage->join->right;
  size_t end = flow.program().streams[static_cast<size_t>(right)].stages.size();
  return {view.stage->join->right_type, meaning.fields(right, end)};
}

bool same_values(typed::TypeRef from, typed::TypeRef to) {
  bool becomes_optional = to->kind == typed::Kind::Optional && from->text != to->text;
  return fit(from, to) == Fit::Always && !becomes_optional;
}

}  // namespace

std::optional<RowKeys> RowKeys::between(const Flow& old, const StageView& before, const Flow& next,
                                        const StageView& now, size_t side) {
  RowKeys out;
  out.next_ = &next;
  SideRecord was = record_of(old, before, side, false);
  SideRecord is = record_of(next, now, side, true);
  auto says = [&](size_t field) {
    const typed::Field& wanted = is.type->fields[field];
    int known = was.type->field_index(wanted.name);
    if (known < 0 && !wanted.was.empty()) known = was.type->field_index(wanted.was);
    return known < 0 || continues(was.meanings[static_cast<size_t>(known)], is.meanings[field]);
  };
  const std::vector<typed::ExprPtr>& exprs = side == 0 ? now.stage->keys : now.stage->join->right_keys;
  for (size_t i = 0; i < exprs.size(); ++i) {
    Part part;
    for (size_t turn = 0; turn <= before.keys.size() && !part.old; ++turn) {
      size_t place = turn == 0 ? i : turn - 1;
      bool same = place < before.keys.size() && continues(before.keys[place], now.keys[i]) &&
                  same_values(before.stage->keys[place]->type, now.stage->keys[i]->type);
      if (same) part.old = place;
    }
    if (!part.old) {
      std::set<size_t> fields;
      fields_of(*exprs[i], fields);
      if (looks_beyond(*exprs[i]) || !std::all_of(fields.begin(), fields.end(), says)) return std::nullopt;
      part.made = exprs[i].get();
    }
    out.parts_.push_back(part);
  }
  return out;
}

Key RowKeys::operator()(const Key& key, const Value::Parts& fields) const {
  Key out;
  for (const Part& part : parts_) {
    if (part.old) {
      out.push_back(key[*part.old]);
      continue;
    }
    Scope scope;
    scope.fields = &fields;
    scope.params = &next_->params();
    Value value = evaluate(*part.made, scope);
    if (value.is_float() && value.as_float() == 0) value = 0.0;
    if (value.is_float() && std::isnan(value.as_float())) value = std::nan("");
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace mut::reference
