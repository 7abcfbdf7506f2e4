// Stages with a second input: which stream, which pairs, and what comes out.
#include <algorithm>
#include <limits>
#include <set>

#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::JoinKind;
using typed::Kind;
using typed::Op;
using typed::StageKind;
using typed::TypeRef;

namespace {

// What an expression over a pair reads.
struct Reads {
  bool left = false;
  bool right = false;
  bool whole_right = false;  // the right record as one value
  bool open_local = false;   // a local that is bound elsewhere
};

void find_reads(const Expr& expr, int right_field, std::set<int>& bound, Reads& out) {
  if (expr.kind == ExprKind::Let || expr.kind == ExprKind::IsSome) bound.insert(expr.index);
  if (expr.kind >= ExprKind::MapList && expr.kind <= ExprKind::Reduce)
    bound.insert({expr.index, expr.index + 1});  // of a lambda
  if (expr.kind == ExprKind::ZipLists) {
    for (size_t i = 0; i + 1 < expr.args.size(); ++i) bound.insert(expr.index + static_cast<int>(i));
  }
  if (expr.kind == ExprKind::Field) {
    (expr.index == right_field ? out.whole_right : out.left) = true;
    return;
  }
  if (expr.kind == ExprKind::Local && !bound.contains(expr.index)) out.open_local = true;
  bool of_right = expr.kind == ExprKind::Member && expr.args[0]->kind == ExprKind::Field &&
                  expr.args[0]->index == right_field;
  if (of_right) {
    out.right = true;
    return;
  }
  for (const ExprPtr& arg : expr.args) find_reads(*arg, right_field, bound, out);
}

Reads reads_of(const Expr& expr, int right_field) {
  Reads out;
  std::set<int> bound;
  find_reads(expr, right_field, bound, out);
  return out;
}

// The same over the right record alone.
void move_to_right(Expr& expr, int right_field) {
  bool of_right = expr.kind == ExprKind::Member && expr.args[0]->kind == ExprKind::Field &&
                  expr.args[0]->index == right_field;
  if (of_right) {
    expr.kind = ExprKind::Field;
    expr.args.clear();
    return;
  }
  for (ExprPtr& arg : expr.args) move_to_right(*arg, right_field);
}

void take_apart(ExprPtr expr, std::vector<ExprPtr>& out) {
  if (expr->kind == ExprKind::Binary && expr->op == Op::And) {
    take_apart(std::move(expr->args[0]), out);
    take_apart(std::move(expr->args[1]), out);
    return;
  }
  out.push_back(std::move(expr));
}

bool is_key_type(TypeRef type) {
  TypeRef scalar = type->kind == Kind::Optional ? type->element : type;
  return scalar->kind != Kind::List && scalar->kind != Kind::Record && scalar->kind != Kind::Json &&
         scalar->kind != Kind::None;
}

std::string name_of_key(const Expr& expr, const typed::Type& record, size_t number) {
  const Expr* at = &expr;
  while (at->kind == ExprKind::Convert || at->kind == ExprKind::CastOptional) at = at->args[0].get();
  if (at->kind == ExprKind::Field) return record.fields[static_cast<size_t>(at->index)].name;
  return "key" + std::to_string(number);
}

JoinKind kind_of(ast::JoinKind kind) {
  switch (kind) {
    case ast::JoinKind::Left:
      return JoinKind::Left;
    case ast::JoinKind::Right:
      return JoinKind::Right;
    case ast::JoinKind::Full:
      return JoinKind::Full;
    case ast::JoinKind::Semi:
      return JoinKind::Semi;
    case ast::JoinKind::Anti:
      return JoinKind::Anti;
    case ast::JoinKind::Asof:
      return JoinKind::Asof;
    case ast::JoinKind::LeftAsof:
      return JoinKind::LeftAsof;
    default:
      return JoinKind::Inner;
  }
}

}  // namespace

// How old the row may be that an asof join takes.
bool StageChecker::check_reach(const ast::JoinStage& node, const ast::Stage& stage, typed::Join& join) {
  join.low = -std::numeric_limits<int64_t>::max();
  join.high = 0;
  if (!node.within) {
    diags_.report(Code::StateUnbounded, stage.keyword)
        .note("write `within 1h`: how old the row of the other side may be");
    return true;
  }
  if (std::holds_alternative<ast::RangeExpr>(node.within->node)) {
    diags_.report(Code::BadWindow, node.within->span, "`within` of an `asof join` is one duration");
    return false;
  }
  auto within = exprs_.check_constant(*node.within, exprs_.type(Kind::Duration));
  if (!within) return false;
  join.low = -within->value.as_int();
  if (join.low <= 0) return true;
  diags_.report(Code::BadWindow, node.within->span, "`within` must not be negative");
  return false;
}

// `within d` is -d..d of right minus left.
bool StageChecker::check_within(const ast::JoinStage& node, const ast::Stage& stage, typed::Join& join) {
  if (join.kind == JoinKind::Asof || join.kind == JoinKind::LeftAsof) return check_reach(node, stage, join);
  if (!node.within) {
    diags_.report(Code::MissingOption, stage.keyword, "join", "`within D`")
        .note("how far apart the two may be bounds what has to be kept: `join " + node.other.text +
              " within 10m on …`");
    return false;
  }
  TypeRef duration = exprs_.type(Kind::Duration);
  if (const auto* range = std::get_if<ast::RangeExpr>(&node.within->node)) {
    auto low = exprs_.check_constant(*range->low, duration);
    auto high = exprs_.check_constant(*range->high, duration);
    if (!low || !high) return false;
    join.low = low->value.as_int();
    join.high = high->value.as_int();
  } else {
    auto within = exprs_.check_constant(*node.within, duration);
    if (!within) return false;
    join.high = within->value.as_int();
    join.low = -join.high;
  }
  if (join.low <= join.high) return true;
  diags_.report(Code::BadWindow, node.within->span, "`within` must not end before it begins");
  return false;
}

// Parts `on` into keys, which find partners, and the rest, which is asked of each.
bool StageChecker::check_on(const ast::JoinStage& node, const ast::Stage& stage, typed::Stage& out) {
  typed::Join& join = *out.join;
  Scope scope = event_scope(out, Place::Event);
  scope.record = join.pair;
  ExprPtr on = exprs_.check_condition(*node.on, scope);
  if (on->type->kind == Kind::Error) return false;
  int right_field = static_cast<int>(out.input->fields.size());
  std::vector<ExprPtr> conjuncts;
  take_apart(std::move(on), conjuncts);
  bool anything = false;
  for (ExprPtr& conjunct : conjuncts) {
    // `and` of something wrong is a `bool`; what is wrong has been said.
    if (conjunct->type->kind == Kind::Error) return false;
    if (conjunct->kind == ExprKind::Literal && conjunct->value.as_bool()) {
      anything = true;
      continue;
    }
    if (conjunct->kind == ExprKind::Binary && conjunct->op == Op::Equal) {
      // Decimals are found by their digits: both sides by the same number of them.
      TypeRef a = conjunct->args[0]->type;
      TypeRef b = conjunct->args[1]->type;
      if (is_decimal(a) && is_decimal(b) && !typed::same(typed::without_none(a), typed::without_none(b))) {
        TypeRef joined = typed::without_none(a)->scale > typed::without_none(b)->scale ? a : b;
        for (ExprPtr& side : conjunct->args)
          side = exprs_.as_key(std::move(side), typed::without_none(joined));
      }
    }
    bool equality = conjunct->kind == ExprKind::Binary && conjunct->op == Op::Equal &&
                    typed::same(conjunct->args[0]->type, conjunct->args[1]->type) &&
                    is_key_type(conjunct->args[0]->type);
    if (equality) {
      Reads a = reads_of(*conjunct->args[0], right_field);
      Reads b = reads_of(*conjunct->args[1], right_field);
      auto only_left = [](const Reads& r) { return r.left && !r.right && !r.whole_right && !r.open_local; };
      auto only_right = [](const Reads& r) { return r.right && !r.left && !r.whole_right && !r.open_local; };
      if (only_right(a) && only_left(b)) std::swap(conjunct->args[0], conjunct->args[1]);
      if ((only_left(a) && only_right(b)) || (only_right(a) && only_left(b))) {
        move_to_right(*conjunct->args[1], right_field);
        out.key_names.push_back(name_of_key(*conjunct->args[0], *out.input, out.keys.size()));
        out.keys.push_back(std::move(conjunct->args[0]));
        join.right_keys.push_back(std::move(conjunct->args[1]));
        continue;
      }
    }
    if (!join.condition) {
      join.condition = std::move(conjunct);
      continue;
    }
    auto both = std::make_unique<Expr>();
    both->kind = ExprKind::Binary;
    both->op = Op::And;
    both->type = exprs_.type(Kind::Bool);
    both->span = node.on->span;
    both->args.push_back(std::move(join.condition));
    both->args.push_back(std::move(conjunct));
    join.condition = std::move(both);
  }
  if (!out.keys.empty() || anything) return true;
  diags_.report(Code::JoinWithoutKey, node.on->span, join.name)
      .note("compare a field of each side: `on id == " + join.name + ".id`")
      .note("`on true and …` compares each with each");
  (void)stage;
  return false;
}

// The joined record is one field, under the name of its stream or its alias.
bool StageChecker::name_partner(const ast::JoinStage& node, const typed::Stream& right, typed::Stage& out) {
  typed::Join& join = *out.join;
  join.right_type = right.type;
  join.name = node.alias ? node.alias->text : node.other.text;
  if (int known = out.input->field_index(join.name); known >= 0) {
    diags_.report(Code::FieldTwice, node.alias ? node.alias->span : node.other.span, join.name)
        .note("the joined record is a field of that name: give it another, as in `join " + node.other.text +
              " as other`");
    return false;
  }
  std::vector<typed::Field> fields = out.input->fields;
  typed::Field partner;
  partner.name = join.name;
  partner.type = right.type;
  fields.push_back(partner);
  join.pair = exprs_.types().record(fields);
  return true;
}

bool StageChecker::build(const ast::JoinStage& node, const ast::Stage& stage, typed::Stage& out) {
  if (node.kind == ast::JoinKind::Lookup || node.kind == ast::JoinKind::LeftLookup)
    return check_lookup(node, stage, out);
  out.kind = StageKind::Join;
  stream_->follows.clear();  // pairs are facts
  out.join = std::make_unique<typed::Join>();
  typed::Join& join = *out.join;
  join.kind = kind_of(node.kind);
  auto [right, index] = find_right_(node.other);
  if (right == nullptr) return false;
  if (right->is_table) {
    diags_.report(Code::WrongRightSide, node.other.span, right->name, "a table")
        .note("write `lookup " + right->name + " on …`: the row as it stands when the event arrives");
    return false;
  }
  for (const auto& [repeats, name, span] :
       {std::tuple(stream_->repeats_results, stream_->name, stage.keyword),
        std::tuple(right->repeats_results, right->name, node.other.span)}) {
    if (!repeats) continue;
    diags_.report(Code::JoinOnUpdates, span, name)
        .note(
            "join after a window that closes, or make a table: `table t key … = …` and `lookup t on …`, or "
            "write `each_update()`");
    return false;
  }
  join.right = index;
  if (!name_partner(node, *right, out)) return false;
  if (!check_within(node, stage, join) || !check_on(node, stage, out)) return false;
  typed::TypeTable& types = exprs_.types();
  std::vector<typed::Field> fields = join.pair->fields;
  bool left_stays = join.kind == JoinKind::Semi || join.kind == JoinKind::Anti;
  if (left_stays) return true;
  if (join.kind == JoinKind::Left || join.kind == JoinKind::Full || join.kind == JoinKind::LeftAsof)
    fields.back().type = types.optional(right->type);
  if (join.kind == JoinKind::Right || join.kind == JoinKind::Full) {
    for (size_t i = 0; i + 1 < fields.size(); ++i) fields[i].type = types.optional(fields[i].type);
  }
  out.output = types.record(std::move(fields));
  return true;
}

}  // namespace mut::sema
