// The stage `aggregate`: its keys, window, triggers, late events and aggregates.

#include <algorithm>

#include "compiler/sema/check.h"
#include "compiler/sema/stage_checker.h"
#include "compiler/sema/stage_parts.h"

namespace mut::sema {

using diag::Code;
using typed::Expr;
using typed::ExprKind;
using typed::ExprPtr;
using typed::Kind;
using typed::Op;
using typed::Output;
using typed::StageKind;
using typed::TypeRef;

bool StageChecker::check_triggers(const ast::AggregateStage& node, Stage& out) {
  // What is given again while it grows is a running aggregate, whether it is said to end or not.
  bool again = std::any_of(node.triggers.begin(), node.triggers.end(), [](const ast::Trigger& trigger) {
    return trigger.kind != ast::TriggerKind::OnClose;
  });
  bool whole = out.window.kind == typed::WindowKind::All;
  if (whole && again) out.window.kind = typed::WindowKind::Running;
  bool windowed = out.window.kind != typed::WindowKind::Running;
  if (node.triggers.empty()) {
    out.on_close = windowed;
    out.on_update = !windowed;
    return true;
  }
  for (const ast::Trigger& trigger : node.triggers) {
    switch (trigger.kind) {
      case ast::TriggerKind::OnClose:
        if (!windowed && !whole) {
          diags_.report(Code::BadWindow, trigger.span, "without a window nothing closes");
          return false;
        }
        out.on_close = windowed;
        break;
      case ast::TriggerKind::OnUpdate:
        out.on_update = true;
        break;
      case ast::TriggerKind::Every:
        if (!check_trigger_every(trigger, out)) return false;
    }
  }
  return true;
}

bool StageChecker::check_trigger_every(const ast::Trigger& trigger, Stage& out) {
  auto every = exprs_.check_constant(*trigger.every, exprs_.type(Kind::Duration));
  if (!every) return false;
  out.trigger_every = every->value.as_int();
  if (out.trigger_every > 0) return true;
  diags_.report(Code::BadWindow, trigger.every->span, "`every` must be longer than nothing");
  return false;
}

bool StageChecker::check_late_update(const ast::Late& late, Stage& out) {
  auto within = exprs_.check_constant(*late.within, exprs_.type(Kind::Duration));
  if (!within) return false;
  if (within->value.as_int() <= 0) {
    diags_.report(Code::BadWindow, late.within->span, "`late update` must be longer than nothing");
    return false;
  }
  out.late = typed::LatePolicy::Update;
  out.late_within = within->value.as_int();
  return true;
}

// Over the current rows of a table: groups have no end, and each change of a row is told at once.
bool StageChecker::check_follows(const ast::AggregateStage& node, const ast::Stage& stage, Stage& out) {
  if (stream_->follows == several_tables) {
    diags_
        .report(Code::AggregateOfTable, stage.keyword,
                "these are rows of several tables, or of one and facts")
        .note("aggregate over each of them, or over what the tables are made of");
    return false;
  }
  bool whole = node.window && node.window->kind == ast::WindowKind::All;  // what it holds at the end
  const char* wrong = node.window && !whole            ? "window"
                      : !node.triggers.empty()         ? "trigger"
                      : node.late                      ? "`late`"
                      : node.ttl && node.ttl->duration ? "`ttl`"
                                                       : nullptr;
  if (wrong != nullptr) {
    diags_
        .report(Code::AggregateOfTable, stage.keyword,
                std::string("an aggregate over a table follows its current rows and has no ") + wrong)
        .note("to count each change as an event, aggregate over the stream that the table is made of");
    return false;
  }
  out.follows = stream_->follows;
  return true;
}

bool StageChecker::build(const ast::AggregateStage& node, const ast::Stage& stage, Stage& out) {
  out.kind = StageKind::Aggregate;
  if (stream_->repeats_results) {
    diags_.report(Code::AggregateOnUpdates, stage.keyword, stream_->name)
        .note(
            "aggregate over a window that closes, or make a table: `table t key … = …`, or write "
            "`each_update()`");
    return false;
  }
  if (!stream_->follows.empty() && !check_follows(node, stage, out)) return false;
  bool fine = check_keys(node.by, out) && check_window(node.window, out) && check_triggers(node, out);
  if (!fine) return false;
  for (size_t i = 0; i < out.keys.size(); ++i) {
    auto key = std::make_unique<Expr>();
    key->kind = ExprKind::Key;
    key->type = out.keys[i]->type;
    key->span = out.keys[i]->span;
    key->index = static_cast<int>(i);
    out.outputs.push_back({out.key_names[i], std::move(key), ""});
  }
  std::set<std::string> seen(out.key_names.begin(), out.key_names.end());
  bool windowed =
      out.window.kind == typed::WindowKind::Tumbling || out.window.kind == typed::WindowKind::Sliding ||
      out.window.kind == typed::WindowKind::Session || out.window.kind == typed::WindowKind::Count;
  if (windowed) seen.insert({"window_start", "window_end"});
  for (const ast::NamedExpr& item : node.items) {
    if (!item.name) {
      diags_.report(Code::NeedsName, item.span);
      fine = false;
      continue;
    }
    Scope scope = event_scope(out, Place::AggregateItem);
    scope.cell = item.name->text;
    scope.aggregates = &out.aggregates;
    scope.may_be_empty_window =
        !out.follows.empty() && out.window.kind != typed::WindowKind::All;  // its last row may go
    scope.closing_window = out.window.kind != typed::WindowKind::Running;
    scope.keys = &out.keys;
    scope.key_names = &out.key_names;
    ExprPtr value = exprs_.check(*item.value, scope);
    if (!seen.insert(item.name->text).second) {
      diags_.report(Code::FieldTwice, item.name->span, item.name->text);
      fine = false;
      continue;
    }
    if (!usable(value)) {
      fine = false;
      continue;
    }
    out.outputs.push_back({item.name->text, std::move(value), item.was ? item.was->text : ""});
  }
  if (!fine) return false;
  if (!check_window_of_calls(out)) return false;
  if (windowed) {
    for (auto [name, kind] :
         {std::pair{"window_start", ExprKind::WindowStart}, {"window_end", ExprKind::WindowEnd}}) {
      auto edge = std::make_unique<Expr>();
      edge->kind = kind;
      edge->type = exprs_.type(Kind::Time);
      edge->span = out.span;
      out.outputs.push_back({name, std::move(edge), ""});
    }
  }
  out.output = record_of(out.outputs, exprs_.types());
  if (node.late && out.window.kind == typed::WindowKind::Count) {
    diags_.report(Code::BadWindow, node.late->span, "events are counted as they arrive: none is late");
    return false;
  }
  if (node.late) {
    switch (node.late->kind) {
      case ast::LateKind::Drop:
        break;
      case ast::LateKind::Update:
        if (windowed && !check_late_update(*node.late, out)) return false;
        break;
      case ast::LateKind::To:
        if (!uses_.empty()) {
          diags_.report(Code::NotExecutable, node.late->span, "`late to` inside an operator");
          return false;
        }
        out.late = typed::LatePolicy::To;
        out.late_stream = declare_late_(*node.late->to, out.input);
        if (out.late_stream < 0) return false;
        break;
    }
    if (!windowed) {
      diags_.report(Code::BadWindow, node.late->span, "without a window nothing is late");
      return false;
    }
  }
  if (node.ttl && node.ttl->duration) {
    auto ttl = exprs_.check_constant(*node.ttl->duration, exprs_.type(Kind::Duration));
    if (!ttl) return false;
    if (node.window && out.window.kind != typed::WindowKind::Count) {
      diags_
          .report(Code::BadWindow, node.ttl->span,
                  "a window holds its keys until it closes: there is nothing that `ttl` could forget before")
          .note("leave it out; it is for running aggregates and for `window count`");
      return false;
    }
    out.ttl = ttl->value.as_int();
  }
  bool keeps_keys =
      out.window.kind == typed::WindowKind::Running || out.window.kind == typed::WindowKind::Count;
  bool whole = node.window && node.window->kind == ast::WindowKind::All;
  if (out.follows.empty() && keeps_keys && !whole && !node.ttl && !out.keys.empty()) {
    diags_.report(Code::StateUnbounded, stage.keyword);
  }
  stream_->follows.clear();
  stream_->repeats_results = out.on_update || out.trigger_every > 0 || out.late == typed::LatePolicy::Update;
  return true;
}

}  // namespace mut::sema
