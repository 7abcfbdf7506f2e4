// Stages that keep whole rows and let them go later: delay, debounce, sort, top.
#include "compiler/sema/check.h"
#include "compiler/sema/stage_checker.h"

namespace mut::sema {

using diag::Code;
using typed::ExprPtr;
using typed::HoldKind;
using typed::Kind;
using typed::StageKind;
using typed::TypeRef;

bool StageChecker::check_span(const ast::Expr& expr, const char* what, int64_t& span) {
  auto value = exprs_.check_constant(expr, exprs_.type(Kind::Duration));
  if (!value) return false;
  span = value->value.as_int();
  if (span > 0) return true;
  diags_.report(Code::BadWindow, expr.span, std::string(what) + " must be longer than nothing");
  return false;
}

bool StageChecker::build(const ast::DelayStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Hold;
  auto hold = std::make_shared<typed::Hold>();
  hold->kind = HoldKind::Delay;
  bool fine = check_span(*syntax.duration, "`delay`", hold->span);
  out.hold = std::move(hold);
  return fine;
}

bool StageChecker::build(const ast::DebounceStage& syntax, const ast::Stage&, Stage& out) {
  out.kind = StageKind::Hold;
  auto hold = std::make_shared<typed::Hold>();
  hold->kind = HoldKind::Debounce;
  bool fine = check_keys(syntax.by, out);
  fine = check_span(*syntax.duration, "`debounce`", hold->span) && fine;
  out.hold = std::move(hold);
  return fine;
}

bool StageChecker::check_order(const std::vector<ast::SortKey>& keys, const Stage& stage, typed::Hold& hold) {
  bool fine = true;
  for (const ast::SortKey& key : keys) {
    Scope scope = event_scope(stage, Place::Event);
    ExprPtr value = exprs_.check(*key.value, scope);
    if (value->type->kind == Kind::Error) {
      fine = false;
      continue;
    }
    TypeRef scalar = value->type->kind == Kind::Optional ? value->type->element : value->type;
    if (!typed::is_ordered(scalar)) {
      diags_.report(Code::NoOrder, key.value->span, "`" + value->type->text + "`");
      fine = false;
      continue;
    }
    typed::OrderKey made;
    made.value = std::move(value);
    // The largest are on top, unless written otherwise; what decides between equals goes up, as in `sort`.
    bool largest_first = hold.kind != HoldKind::Sort && hold.order.empty();
    made.descending = largest_first ? !key.ascending : key.descending;
    hold.order.push_back(std::move(made));
  }
  return fine;
}

bool StageChecker::check_hold_window(const std::optional<ast::Window>& window, const ast::Stage& stage,
                                     Stage& out) {
  if (!window) {
    diags_.report(Code::MissingOption, stage.keyword, out.keyword, "a window")
        .note("`window tumbling 1m`, or `window all` for everything at the end of the input");
    return false;
  }
  return check_window(window, out);
}

bool StageChecker::build(const ast::SortStage& syntax, const ast::Stage& stage, Stage& out) {
  out.kind = StageKind::Hold;
  auto hold = std::make_shared<typed::Hold>();
  hold->kind = HoldKind::Sort;
  bool fine = check_order(syntax.keys, out, *hold);
  fine = check_hold_window(syntax.window, stage, out) && fine;
  out.hold = std::move(hold);
  return fine;
}

// The rows keep their fields; behind them come rank and, unless they have them, the edges of the window.
bool StageChecker::build(const ast::TopStage& syntax, const ast::Stage& stage, Stage& out) {
  out.kind = StageKind::Hold;
  auto hold = std::make_shared<typed::Hold>();
  hold->kind = syntax.window ? HoldKind::Top : HoldKind::Ranking;
  bool fine = check_keys(syntax.by, out);
  auto count = check_count(*syntax.count, "`top`");
  fine = check_order(syntax.keys, out, *hold) && fine && count.has_value();
  if (syntax.window) fine = check_hold_window(syntax.window, stage, out) && fine;
  if (!fine) return false;
  if (syntax.with_ties && !syntax.window) {
    diags_.report(Code::MissingOption, stage.keyword, out.keyword, "a window beside `with ties`")
        .note("without a window its rows are told apart by their rank, which equal rows share");
    return false;
  }
  if (!syntax.window) stream_->repeats_results = true;  // by key and rank
  hold->count = *count;
  hold->ties = syntax.with_ties ? typed::Ties::Shared : typed::Ties::Cut;
  std::vector<typed::Field> fields = out.input->fields;
  auto add = [&](const char* name, Kind kind) {
    typed::Field made;
    made.name = name;
    made.type = exprs_.type(kind);
    fields.push_back(std::move(made));
  };
  if (out.input->field_index("rank") >= 0) {
    diags_.report(Code::FieldTwice, stage.keyword, "rank")
        .note("`top` adds a field of that name; rename the other");
    return false;
  }
  add("rank", Kind::Int);
  bool edges = syntax.window && out.window.kind != typed::WindowKind::All;
  for (const char* name : {"window_start", "window_end"}) {
    if (edges && out.input->field_index(name) < 0) add(name, Kind::Time);
  }
  out.output = exprs_.types().record(std::move(fields));
  out.hold = std::move(hold);
  return true;
}

}  // namespace mut::sema
