#include <fmt/format.h>

#include "compiler/printer/formatter.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {
namespace {

// More stages than this stand on a line each, however short they are.
constexpr size_t stages_on_a_line_max = 2;

std::string joined(const std::vector<ast::Ident>& names) {
  std::string out;
  for (const ast::Ident& name : names) out += (out.empty() ? "" : ", ") + spell(name);
  return out;
}

std::string_view join_words(ast::JoinKind kind) {
  switch (kind) {
    case ast::JoinKind::Inner:
      return "join";
    case ast::JoinKind::Left:
      return "left join";
    case ast::JoinKind::Right:
      return "right join";
    case ast::JoinKind::Full:
      return "full join";
    case ast::JoinKind::Semi:
      return "semi join";
    case ast::JoinKind::Anti:
      return "anti join";
    case ast::JoinKind::Asof:
      return "asof join";
    case ast::JoinKind::LeftAsof:
      return "left asof join";
    case ast::JoinKind::Lookup:
      return "lookup";
    case ast::JoinKind::LeftLookup:
      return "left lookup";
  }
  return "";
}

}  // namespace

void Formatter::pipeline(const ast::Pipeline& node) {
  bool ended = false;
  if (const auto* head = std::get_if<ast::StreamHead>(&node.head)) {
    // A stream named `merge` is no merge: only `(` would make it one, and none follows.
    out_.text(spell(head->name));
    ended = !node.stages.empty() && trailing(head->name.span.end);
  } else {
    const auto& inputs = std::get<ast::MergeHead>(node.head).inputs;
    out_.begin(0);
    list(
        {"merge(", ")", false, false, UINT32_MAX}, inputs.size(), [&](size_t i) { return inputs[i].span; },
        [&](size_t i) { out_.text(spell(inputs[i])); });
    out_.end();
  }
  stages(node.stages, ended);
}

// `ended`: a comment ended the line before.
void Formatter::stages(const std::vector<ast::Stage>& all, bool ended) {
  for (size_t i = 0; i < all.size(); ++i) {
    const ast::Stage& one = all[i];
    if (ended || all.size() > stages_on_a_line_max || comment_waits(one.span.begin)) {
      out_.hard_line();
    } else {
      out_.line();
    }
    leading(one.span.begin);
    out_.text("| ");
    stage(one);
    // What follows the last stage follows the declaration.
    ended = i + 1 < all.size() && trailing(one.span.end);
  }
}

void Formatter::label(const ast::Label& node) {
  std::string text = "@" + spell(node.name);
  if (node.was) text += " was " + spell(*node.was);
  for (size_t i = 0; i < node.from.size(); ++i) text += (i == 0 ? " from " : " + ") + spell(node.from[i]);
  if (node.fresh) text += fmt::format(" fresh {}", *node.fresh);
  out_.text(text + " ");
}

void Formatter::named(const ast::NamedExpr& item) {
  if (item.name) {
    out_.text(spell(*item.name));
    if (item.was) out_.text(" was " + spell(*item.was));
    out_.text(" = ");
  }
  expr(*item.value);
}

void Formatter::named_list(const std::vector<ast::NamedExpr>& items) {
  series(items.size(), [&](size_t i) { return items[i].span; }, [&](size_t i) { named(items[i]); });
}

void Formatter::by(const std::vector<ast::NamedExpr>& keys) {
  if (keys.empty()) return;
  out_.text(" by ");
  out_.begin(2);
  named_list(keys);
  out_.end();
}

void Formatter::sort_key(const ast::SortKey& key) {
  expr(*key.value);
  if (key.descending) out_.text(" desc");
  if (key.ascending) out_.text(" asc");
}

void Formatter::sort_keys(const std::vector<ast::SortKey>& keys) {
  if (keys.size() == 1) {
    sort_key(keys[0]);
    return;
  }
  out_.text("(");
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out_.text(", ");
    sort_key(keys[i]);
  }
  out_.text(")");
}

void Formatter::window(const std::optional<ast::Window>& window) {
  if (!window) return;
  static constexpr std::string_view kinds[] = {"tumbling", "sliding", "session", "count", "all"};
  out_.text(fmt::format("window {}", kinds[static_cast<size_t>(window->kind)]));
  auto part = [&](std::string_view word, const ast::ExprPtr& value) {
    if (!value) return;
    out_.text(word);
    expr(*value);
  };
  part(" ", window->size);
  part(" every ", window->every);
  part(" offset ", window->offset);
  if (window->zone) out_.text(" zone " + quote(*window->zone));
}

void Formatter::aggregate(const ast::AggregateStage& node) {
  out_.text("aggregate ");
  out_.begin(8);  // under the first item, which stands behind `| aggregate `
  named_list(node.items);
  out_.end();
  auto clause = [&](std::string_view word) {
    out_.line();
    out_.text(word);
  };
  if (!node.by.empty()) {
    clause("by ");
    out_.begin(3);
    named_list(node.by);
    out_.end();
  }
  if (node.window) {
    clause("");
    window(node.window);
  }
  for (size_t i = 0; i < node.triggers.size(); ++i) {
    const ast::Trigger& trigger = node.triggers[i];
    if (i == 0) {
      clause("trigger ");
    } else {
      out_.text(" and ");
    }
    if (trigger.kind == ast::TriggerKind::OnClose) out_.text("on close");
    if (trigger.kind == ast::TriggerKind::OnUpdate) out_.text("on update");
    if (trigger.kind == ast::TriggerKind::Every) {
      out_.text("every ");
      expr(*trigger.every);
    }
  }
  if (node.late) {
    clause("late ");
    if (node.late->kind == ast::LateKind::Drop) out_.text("drop");
    if (node.late->kind == ast::LateKind::To) out_.text("to " + spell(*node.late->to));
    if (node.late->kind == ast::LateKind::Update) {
      out_.text("update ");
      expr(*node.late->within);
    }
  }
  if (node.ttl) {
    clause("ttl ");
    ttl(*node.ttl);
  }
}

void Formatter::ttl(const ast::Ttl& node) {
  if (node.duration) {
    expr(*node.duration);
  } else {
    out_.text("none");
  }
}

void Formatter::join(const ast::JoinStage& node) {
  bool lookup = node.kind == ast::JoinKind::Lookup || node.kind == ast::JoinKind::LeftLookup;
  out_.text(fmt::format("{} {}", join_words(node.kind), spell(node.other)));
  if (node.alias) out_.text(" as " + spell(*node.alias, lookup ? NamePlace::Alias : NamePlace::Plain));
  if (node.as_of) {
    out_.text(" as of ");
    expr(*node.as_of);
  }
  if (node.within) {
    out_.text(" within ");
    expr(*node.within);
  }
  if (!node.on) return;
  out_.line();
  out_.text("on ");
  expr(*node.on);
}

void Formatter::stage(const ast::Stage& node) {
  out_.begin(4);
  if (node.label) label(*node.label);
  auto items = [&](std::string_view word, const std::vector<ast::NamedExpr>& list) {
    out_.text(word);
    out_.begin(static_cast<int>(word.size()) - 2);  // under the first item, which stands behind `| `
    named_list(list);
    out_.end();
  };
  auto with_amount = [&](std::string_view word, const ast::Expr& amount) {
    out_.text(word);
    expr(amount);
  };
  std::visit(Overload{
                 [&](const ast::WhereStage& one) { with_amount("where ", *one.condition); },
                 [&](const ast::SelectStage& one) { items("select ", one.items); },
                 [&](const ast::WithStage& one) { items("with ", one.items); },
                 [&](const ast::WithoutStage& one) { out_.text("without " + joined(one.fields)); },
                 [&](const ast::RenameStage& one) {
                   std::string text;
                   for (const ast::RenameItem& item : one.items) {
                     text += (text.empty() ? "rename " : ", ") + spell(item.from) + " to " + spell(item.to);
                   }
                   out_.text(text);
                 },
                 [&](const ast::FlattenStage& one) {
                   out_.text(one.name ? "flatten " + spell(*one.name) + " = " : "flatten ");
                   expr(*one.list);
                 },
                 [&](const ast::AggregateStage& one) { aggregate(one); },
                 [&](const ast::JoinStage& one) { join(one); },
                 [&](const ast::MatchStage& one) { match_stage(one); },
                 [&](const ast::DedupeStage& one) {
                   out_.text("dedupe");
                   by(one.by);
                   if (one.within) with_amount(" within ", *one.within);
                 },
                 [&](const ast::LatestStage& one) {
                   out_.text("latest");
                   by(one.by);
                 },
                 [&](const ast::TopStage& one) {
                   with_amount("top ", *one.count);
                   out_.text(one.with_ties ? " with ties by " : " by ");
                   sort_keys(one.keys);
                   by(one.by);
                   if (one.window) out_.text(" ");
                   window(one.window);
                 },
                 [&](const ast::SortStage& one) {
                   out_.text("sort by ");
                   sort_keys(one.keys);
                   if (one.window) out_.text(" ");
                   window(one.window);
                 },
                 [&](const ast::SampleStage& one) {
                   out_.text("sample " + one.percent + "%");
                   by(one.by);
                 },
                 [&](const ast::LimitStage& one) {
                   with_amount("limit ", *one.count);
                   by(one.by);
                 },
                 [&](const ast::ThrottleStage& one) {
                   with_amount("throttle ", *one.count);
                   with_amount(" per ", *one.per);
                   by(one.by);
                 },
                 [&](const ast::DelayStage& one) { with_amount("delay ", *one.duration); },
                 [&](const ast::DebounceStage& one) {
                   with_amount("debounce ", *one.duration);
                   by(one.by);
                 },
                 [&](const ast::ProcessStage& one) { process(one); },
                 [&](const ast::TrainStage& one) {
                   out_.text("train " + spell(one.learner) + " with (");
                   named_list(one.with);
                   with_amount(") label ", *one.label);
                 },
                 [&](const ast::OperatorStage& one) {
                   out_.text(spell(one.name, NamePlace::Operator));
                   arguments(one.args, nullptr);
                 },
             },
             node.node);
  out_.end();
}

}  // namespace mut::printer
