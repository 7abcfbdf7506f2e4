// Stages that let events go by what came before them: limit, latest, throttle, sample. All but throttle
// are a `where` over a history of the stage's own, so that state, edits and errors are those of histories.
#include <charconv>
#include <limits>

#include "compiler/sema/check.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::Builtin;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::Op;
using typed::StageKind;
using typed::TypeRef;

namespace {

ExprPtr node(ExprKind kind, TypeRef type, source::Span span) {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->type = type;
  out->span = span;
  return out;
}

ExprPtr literal(TypeRef type, int64_t value, source::Span span) {
  ExprPtr out = node(ExprKind::Literal, type, span);
  out->value.value = value;
  return out;
}

ExprPtr call(Builtin builtin, TypeRef type, source::Span span, std::vector<ExprPtr> args = {}) {
  ExprPtr out = node(ExprKind::Call, type, span);
  out->builtin = builtin;
  out->args = std::move(args);
  return out;
}

ExprPtr binary(Op op, TypeRef type, ExprPtr left, ExprPtr right) {
  ExprPtr out = node(ExprKind::Binary, type, left->span);
  out->op = op;
  out->args.push_back(std::move(left));
  out->args.push_back(std::move(right));
  return out;
}

template <typename... Args>
std::vector<ExprPtr> list(Args... args) {
  std::vector<ExprPtr> out;
  (out.push_back(std::move(args)), ...);
  return out;
}

// FNV-1a, 64 bits: the same on every machine and in every run.
int64_t text_number(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return static_cast<int64_t>(hash);
}

}  // namespace

// A count of a stage: a constant of at least one.
std::optional<int64_t> StageChecker::check_count(const ast::Expr& expr, const char* what) {
  auto value = exprs_.check_constant(expr, exprs_.type(Kind::Int));
  if (!value) return std::nullopt;
  if (value->value.as_int() >= 1) return value->value.as_int();
  diags_.report(Code::BadWindow, expr.span, std::string(what) + " must be at least 1");
  return std::nullopt;
}

// `limit n [by k]`: the first n events, ever. The history counts those that it lets go too.
bool StageChecker::build(const ast::LimitStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Where;
  bool fine = check_keys(syntax.by, out);
  auto count = check_count(*syntax.count, "`limit`");
  if (!fine || !count) return false;
  typed::History history;
  history.call.fn = typed::AggregateFn::Count;
  history.call.result = exprs_.type(Kind::Int);
  history.call.cell = "count";
  history.call.span = out.span;
  history.keys = std::move(out.keys);
  out.keys.clear();
  out.key_names.clear();
  out.histories.push_back(std::move(history));
  ExprPtr seen = node(ExprKind::History, exprs_.type(Kind::Int), out.span);
  seen->index = 0;
  out.condition = binary(Op::LessEqual, exprs_.type(Kind::Bool), std::move(seen),
                         literal(exprs_.type(Kind::Int), *count, syntax.count->span));
  return true;
}

// `latest by k`: events that are not older than any before them of their key (rule 7.13).
bool StageChecker::build(const ast::LatestStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Where;
  if (!check_keys(syntax.by, out)) return false;
  TypeRef time = exprs_.type(Kind::Time);
  typed::History history;
  history.call.fn = typed::AggregateFn::Max;
  history.call.argument = call(Builtin::EventTime, time, out.span);
  history.call.result = exprs_.types().optional(time);
  history.call.cell = "newest";
  history.call.span = out.span;
  history.keys = std::move(out.keys);
  history.excluding_current = true;
  out.keys.clear();
  out.key_names.clear();
  out.histories.push_back(std::move(history));
  ExprPtr before = node(ExprKind::History, exprs_.types().optional(time), out.span);
  before->index = 0;
  ExprPtr newest = node(ExprKind::Coalesce, time, out.span);
  newest->args = list(std::move(before), literal(time, std::numeric_limits<int64_t>::min(), out.span));
  out.condition = binary(Op::GreaterEqual, exprs_.type(Kind::Bool), call(Builtin::EventTime, time, out.span),
                         std::move(newest));
  return true;
}

// `throttle n per d [by k]`: an event passes when fewer than n have passed in (t - d, t] (rule 7.18).
bool StageChecker::build(const ast::ThrottleStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Dedupe;
  bool fine = check_keys(syntax.by, out);
  auto count = check_count(*syntax.count, "`throttle`");
  auto per = exprs_.check_constant(*syntax.per, exprs_.type(Kind::Duration));
  if (!fine || !count || !per) return false;
  out.within = per->value.as_int();
  out.most = *count;
  if (out.within > 0) return true;
  diags_.report(Code::BadWindow, syntax.per->span, "`per` must be longer than nothing");
  return false;
}

// `sample p% [by k]`: by a hash of the record's place in its source, or of the key (rule 7.16). A salt from
// the names keeps two samples of one stream independent.
bool StageChecker::build(const ast::SampleStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Where;
  if (!check_keys(syntax.by, out)) return false;
  double percent = 0;
  std::string digits;
  for (char c : syntax.percent) {
    if (c != '_') digits += c;
  }
  const char* end = digits.data() + digits.size();
  auto [parsed, error] = std::from_chars(digits.data(), end, percent);
  if (error != std::errc{} || parsed != end || !(percent > 0 && percent <= 100)) {
    diags_.report(Code::BadWindow, out.span, "a share is above 0% and at most 100%");
    return false;
  }
  TypeRef number = exprs_.type(Kind::Int);
  // Hashed, salted and hashed again: the hashes of numbers in a row keep a stride that a salt does not break.
  auto mix = [&](ExprPtr drawn, ExprPtr of) {
    ExprPtr hashed = key_number(std::move(of));
    if (!hashed) return hashed;
    ExprPtr mixed = call(Builtin::BitXor, number, out.span, list(std::move(drawn), std::move(hashed)));
    return call(Builtin::Hash, number, out.span, list(std::move(mixed)));
  };
  ExprPtr drawn = literal(number, text_number(stream_->name + "/" + out.name), out.span);
  if (out.keys.empty()) drawn = mix(std::move(drawn), call(Builtin::Position, number, out.span));
  for (ExprPtr& key : out.keys) {
    drawn = mix(std::move(drawn), std::move(key));
    if (!drawn) return false;
  }
  out.keys.clear();
  out.key_names.clear();
  // Hashes are evenly spread over [0, 2^63).
  constexpr double hashes = 9223372036854775808.0;
  double below = percent / 100 * hashes;
  int64_t limit = below >= hashes ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(below);
  Op op = below >= hashes ? Op::LessEqual : Op::Less;
  out.condition = binary(op, exprs_.type(Kind::Bool), std::move(drawn), literal(number, limit, out.span));
  return true;
}

// A key as one number, for sampling; null, and reported, when it cannot be hashed.
ExprPtr StageChecker::key_number(ExprPtr key) {
  TypeRef number = exprs_.type(Kind::Int);
  TypeRef type = key->type;
  source::Span span = key->span;
  bool optional = type->kind == Kind::Optional;
  TypeRef scalar = optional ? type->element : type;
  ExprPtr value = typed::clone(*key);
  if (optional) {
    ExprPtr plain = node(ExprKind::Unwrap, scalar, span);
    plain->args = list(std::move(value));
    value = std::move(plain);
  }
  switch (scalar->kind) {
    case Kind::Int:
    case Kind::U64:
    case Kind::Float:
    case Kind::Decimal:
    case Kind::String:
    case Kind::Time:
    case Kind::Duration:
    case Kind::Bool:
    case Kind::Bytes:
      break;
    default: {
      bool small = typed::is_integer(scalar->kind);
      if (!small) {
        diags_.report(Code::TypeMismatch, span, "a number, text, bytes, bool or time",
                      "`" + scalar->text + "`");
        return nullptr;
      }
      ExprPtr wide = node(ExprKind::Convert, number, span);
      wide->args = list(std::move(value));
      value = std::move(wide);
    }
  }
  ExprPtr hashed = call(Builtin::Hash, number, span, list(std::move(value)));
  if (!optional) return hashed;
  ExprPtr absent = node(ExprKind::IsNone, exprs_.type(Kind::Bool), span);
  absent->args = list(std::move(key));
  ExprPtr out = node(ExprKind::If, number, span);
  out->args = list(std::move(absent), literal(number, 0, span), std::move(hashed));
  return out;
}

}  // namespace mut::sema
