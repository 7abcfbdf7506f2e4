// Tables, and looking up their rows.
#include <algorithm>

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

bool reads_right(const Expr& expr, int right_field) {
  if (expr.kind == ExprKind::Field && expr.index == right_field) return true;
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [&](const ExprPtr& arg) { return reads_right(*arg, right_field); });
}

// The field of the right record that an expression is, perhaps widened; or -1.
int right_member(const Expr& expr, int right_field) {
  const Expr* at = &expr;
  while (at->kind == ExprKind::Convert) at = at->args[0].get();
  bool member = at->kind == ExprKind::Member && at->args[0]->kind == ExprKind::Field &&
                at->args[0]->index == right_field;
  return member ? at->index : -1;
}

TypeRef plain(TypeRef type) { return type->kind == Kind::Optional ? type->element : type; }

// Whether values of both lie in the same words when they are equal.
bool same_words(TypeRef a, TypeRef b) {
  a = plain(a);
  b = plain(b);
  auto is_whole = [](TypeRef type) { return typed::is_integer(type->kind) && type->kind != Kind::U64; };
  auto is_real = [](TypeRef type) { return type->kind == Kind::Float || type->kind == Kind::F32; };
  return typed::same(a, b) || (is_whole(a) && is_whole(b)) || (is_real(a) && is_real(b));
}

void take_apart(ExprPtr expr, std::vector<ExprPtr>& out) {
  if (expr->kind == ExprKind::Binary && expr->op == Op::And) {
    take_apart(std::move(expr->args[0]), out);
    take_apart(std::move(expr->args[1]), out);
    return;
  }
  out.push_back(std::move(expr));
}

}  // namespace

bool StageChecker::check_table(const ast::TableDecl& decl, const std::vector<ast::NamedExpr>* latest_by,
                               typed::Stream& stream) {
  stream_ = &stream;
  typed::Stage out;
  out.kind = StageKind::Table;
  out.keyword = "table";
  out.name = "table";
  out.span = decl.name.span;
  out.input = stream.type;
  out.output = stream.type;
  out.newest = stream.repeats_results ? typed::Newest::ByArrival : typed::Newest::ByTime;
  bool fine = true;
  auto add_key = [&](const ast::Ident& name, bool plain_name) {
    int index = plain_name ? stream.type->field_index(name.text) : -1;
    if (index < 0) {
      diags_.report(Code::UnknownField, name.span, "table `" + stream.name + "`", name.text);
      fine = false;
      return;
    }
    auto key = std::make_unique<Expr>();
    key->kind = ExprKind::Field;
    key->index = index;
    key->type = stream.type->fields[static_cast<size_t>(index)].type;
    key->span = name.span;
    if (!typed::is_key(key->type)) {
      diags_.report(Code::NoEquality, name.span, "`" + key->type->text + "`");
      fine = false;
      return;
    }
    if (std::find(out.key_names.begin(), out.key_names.end(), name.text) != out.key_names.end()) {
      diags_.report(Code::FieldTwice, name.span, name.text);
      fine = false;
      return;
    }
    out.key_names.push_back(name.text);
    out.keys.push_back(std::move(key));
  };
  for (const ast::Path& path : decl.key) add_key(path.parts.back(), path.parts.size() == 1);
  for (size_t i = 0; decl.key.empty() && latest_by != nullptr && i < latest_by->size(); ++i) {
    const auto* name = std::get_if<ast::NameRef>(&(*latest_by)[i].value->node);
    if (name == nullptr) {
      diags_.report(Code::TableKey, (*latest_by)[i].span, "a key of a table is a field")
          .note("make it one first: `| with town = …`, and `key town`");
      return false;
    }
    add_key(name->name, true);
  }
  if (!fine) return false;
  if (out.keys.empty()) {
    diags_
        .report(Code::TableKey, decl.name.span,
                "nothing says which rows of `" + stream.name + "` replace which")
        .note("write `table " + stream.name + " key …`, or end with `| latest by …`");
    return false;
  }
  auto duration = [&](const ast::ExprPtr& expr) -> std::optional<int64_t> {
    auto value = exprs_.check_constant(*expr, exprs_.type(Kind::Duration));
    if (!value) return std::nullopt;
    if (value->value.as_int() > 0) return value->value.as_int();
    diags_.report(Code::BadWindow, expr->span, "this must be longer than nothing");
    return std::nullopt;
  };
  if (decl.ttl && decl.ttl->duration) {
    out.ttl = duration(decl.ttl->duration);
    if (!out.ttl) return false;
  }
  if (decl.versioned) {
    auto kept = duration(decl.versioned);
    if (!kept) return false;
    if (out.newest == typed::Newest::ByArrival) {
      diags_.report(
          Code::TableKey, decl.versioned->span,
          "a table of repeated results has no versions: the time of a result does not say which is newer");
      return false;
    }
    out.versioned = *kept;
  }
  if (decl.pipeline && !decl.ttl) diags_.report(Code::StateUnbounded, decl.name.span);
  stream.stages.push_back(std::move(out));
  stream.is_table = true;
  stream.repeats_results = false;
  return true;
}

bool StageChecker::check_lookup(const ast::JoinStage& node, const ast::Stage& stage, typed::Stage& out) {
  out.kind = StageKind::Lookup;
  out.keyword = "lookup";
  if (!out.labelled) out.name = "lookup";
  out.join = std::make_unique<typed::Join>();
  typed::Join& join = *out.join;
  join.kind = node.kind == ast::JoinKind::LeftLookup ? JoinKind::LeftLookup : JoinKind::Lookup;
  auto [table, index] = find_right_(node.other);
  if (table == nullptr) return false;
  if (!table->is_table) {
    diags_.report(Code::WrongRightSide, node.other.span, table->name, "a stream, not a table")
        .note("make a table: `table newest key … = " + table->name + "`, or write `join " + table->name +
              " within … on …`");
    return false;
  }
  join.right = index;
  if (!name_partner(node, *table, out)) return false;
  if (node.as_of) {
    Scope scope = event_scope(out, Place::Event);
    join.as_of = exprs_.check_as(*node.as_of, scope, exprs_.type(Kind::Time));
    if (join.as_of->type->kind == Kind::Error) return false;
    if (table->stages.back().versioned == 0) {
      diags_.report(Code::TableKey, node.as_of->span, "`" + table->name + "` keeps the newest rows alone")
          .note("declare it with `versioned 1d`: replaced rows are kept that long");
      return false;
    }
  }
  (void)stage;
  if (!check_lookup_keys(node, *table, out)) return false;
  std::vector<typed::Field> fields = join.pair->fields;
  if (join.kind == JoinKind::LeftLookup) fields.back().type = exprs_.types().optional(table->type);
  out.output = exprs_.types().record(std::move(fields));
  return true;
}

// Each key of the table must be equal to something of the event; what else `on` says is asked of the row.
bool StageChecker::check_lookup_keys(const ast::JoinStage& node, const typed::Stream& table,
                                     typed::Stage& out) {
  typed::Join& join = *out.join;
  Scope scope = event_scope(out, Place::Event);
  scope.record = join.pair;
  ExprPtr on = exprs_.check_condition(*node.on, scope);
  if (on->type->kind == Kind::Error) return false;
  int right_field = static_cast<int>(out.input->fields.size());
  const typed::Stage& rows = table.stages.back();
  std::vector<ExprPtr> conjuncts;
  take_apart(std::move(on), conjuncts);
  out.keys.resize(rows.keys.size());
  out.key_names = rows.key_names;
  for (ExprPtr& conjunct : conjuncts) {
    bool used = false;
    if (conjunct->kind == ExprKind::Binary && conjunct->op == Op::Equal) {
      for (size_t side : {size_t{0}, size_t{1}}) {
        if (used) break;
        ExprPtr& mine = conjunct->args[side];
        int field = right_member(*conjunct->args[1 - side], right_field);
        if (field < 0 || reads_right(*mine, right_field)) continue;
        for (size_t k = 0; k < rows.keys.size(); ++k) {
          if (rows.keys[k]->index != field || out.keys[k]) continue;
          TypeRef key = rows.keys[k]->type;
          if (is_decimal(mine->type) && is_decimal(key) && !typed::same(plain(mine->type), plain(key)))
            mine = exprs_.as_key(std::move(mine), plain(key));
          bool fits = same_words(mine->type, key);
          if (!fits) continue;
          out.keys[k] = std::move(mine);
          used = true;
          break;
        }
      }
    }
    if (used) continue;
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
  for (size_t k = 0; k < out.keys.size(); ++k) {
    if (out.keys[k]) continue;
    diags_.report(Code::LookupKey, node.on->span, table.name, rows.key_names[k])
        .note("write `on … == " + join.name + "." + rows.key_names[k] + "`: a row is found by its key");
    return false;
  }
  return true;
}

}  // namespace mut::sema
