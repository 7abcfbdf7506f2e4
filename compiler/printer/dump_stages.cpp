#include <fmt/format.h>

#include "compiler/printer/dumper.h"
#include "compiler/printer/overload.h"
#include "compiler/printer/spelling.h"

namespace mut::printer {

void Dumper::pipeline(const ast::Pipeline& value) {
  if (const auto* head = std::get_if<ast::StreamHead>(&value.head)) {
    line("from " + spell(head->name));
  } else {
    for (const auto& input : std::get<ast::MergeHead>(value.head).inputs) line("merge " + spell(input));
  }
  for (const auto& one : value.stages) stage(one);
}

void Dumper::label(const ast::Label& value) {
  line("label " + value.name.text);
  if (value.was) line("label was " + value.was->text);
  for (const auto& from : value.from) line("label from " + spell(from));
  if (value.fresh) line(fmt::format("label fresh {}", *value.fresh));
}

void Dumper::named(std::string_view role, const std::vector<ast::NamedExpr>& items) {
  for (const auto& item : items) {
    std::string text(role);
    if (item.name) text += " " + item.name->text;
    if (item.was) text += " was " + item.was->text;
    expr(text, item.value);
  }
}

void Dumper::keys(std::string_view role, const std::vector<ast::SortKey>& items) {
  for (const auto& item : items) {
    expr(fmt::format("{}{}{}", role, item.descending ? " desc" : "", item.ascending ? " asc" : ""),
         item.value);
  }
}

void Dumper::window(const std::optional<ast::Window>& value) {
  if (!value) return;
  static constexpr std::string_view kinds[] = {"tumbling", "sliding", "session", "count", "all"};
  node(fmt::format("window {}", kinds[static_cast<size_t>(value->kind)]), [&] {
    expr("size", value->size);
    expr("every", value->every);
    expr("offset", value->offset);
    if (value->zone) line("zone " + quote(*value->zone));
  });
}

void Dumper::ttl(const std::optional<ast::Ttl>& value) {
  if (!value) return;
  if (!value->duration) line("ttl none");
  expr("ttl", value->duration);
}

void Dumper::aggregate(const ast::AggregateStage& value) {
  named("item", value.items);
  named("by", value.by);
  window(value.window);
  static constexpr std::string_view triggers[] = {"trigger on close", "trigger on update", "trigger every"};
  for (const auto& trigger : value.triggers) {
    node(triggers[static_cast<size_t>(trigger.kind)], [&] {
      if (trigger.every) expr(*trigger.every);
    });
  }
  if (value.late) {
    static constexpr std::string_view kinds[] = {"late drop", "late update", "late to"};
    node(kinds[static_cast<size_t>(value.late->kind)], [&] {
      if (value.late->within) expr(*value.late->within);
      if (value.late->to) line("stream " + value.late->to->text);
    });
  }
  ttl(value.ttl);
}

void Dumper::join(const ast::JoinStage& value) {
  static constexpr std::string_view kinds[] = {"inner", "left", "right",     "full",   "semi",
                                               "anti",  "asof", "left asof", "lookup", "left lookup"};
  line(fmt::format("{} {}", kinds[static_cast<size_t>(value.kind)], value.other.text));
  if (value.alias) line("as " + value.alias->text);
  expr("within", value.within);
  expr("as of", value.as_of);
  expr("on", value.on);
}

void Dumper::match(const ast::MatchStage& value) {
  named("by", value.by);
  expr("within", value.within);
  node("pattern", [&] { term(*value.pattern); });
  named("define", value.define);
  named("select", value.select);
  static constexpr std::string_view skips[] = {"", "skip past last", "skip to next"};
  if (value.skip != ast::SkipPolicy::Default) line(skips[static_cast<size_t>(value.skip)]);
  expr("limit", value.limit);
}

void Dumper::term(const ast::PatternTerm& value) {
  std::visit(Overload{
                 [&](const ast::PatternName& x) { line("event " + x.name.text); },
                 [&](const ast::PatternSequence& x) {
                   node("sequence", [&] {
                     for (size_t i = 0; i < x.parts.size(); ++i) {
                       if (i > 0) line(x.connectors[i - 1] == ast::Connector::Then ? "then" : "next");
                       if (x.then_after_not[i] != 0) line("then after not");
                       if (x.negated[i] != 0) line("not");
                       term(*x.parts[i]);
                     }
                   });
                 },
                 [&](const ast::PatternChoice& x) {
                   node("choice", [&] {
                     for (const auto& option : x.options) term(*option);
                   });
                 },
                 [&](const ast::PatternRepeat& x) {
                   std::string most = x.most ? std::to_string(*x.most) : "any";
                   node(fmt::format("repeat {}..{}{}", x.least, most, x.reluctant ? " reluctant" : ""),
                        [&] { term(*x.term); });
                 },
             },
             value.node);
}

void Dumper::state(const std::vector<ast::StateVariable>& variables) {
  for (const auto& variable : variables) {
    node("state " + variable.name.text, [&] {
      if (variable.was) line("was " + variable.was->text);
      type(*variable.type);
      expr("initial", variable.initial);
    });
  }
}

void Dumper::process(const ast::ProcessStage& value) {
  named("by", value.by);
  ttl(value.ttl);
  state(value.state);
  statements("on event", value.on_event);
  for (const auto& handler : value.on_timer) statements("on timer " + handler.name.text, handler.body);
}

void Dumper::statements(std::string_view role, const std::vector<ast::StatementPtr>& body) {
  node(role, [&] {
    for (const auto& one : body) statement(*one);
  });
}

void Dumper::statement(const ast::Statement& value) {
  std::visit(Overload{
                 [&](const ast::AssignStatement& x) { expr("assign " + x.name.text, x.value); },
                 [&](const ast::LetStatement& x) { expr("let " + x.name.text, x.value); },
                 [&](const ast::IfStatement& x) {
                   node("if", [&] {
                     expr(*x.condition);
                     statements("then", x.then_body);
                     if (x.has_else) statements("else", x.else_body);
                   });
                 },
                 [&](const ast::EmitStatement& x) { expr("emit", x.record); },
                 [&](const ast::TimerStatement& x) { expr("timer " + x.name.text, x.at); },
                 [&](const ast::CancelStatement& x) { line("cancel " + x.name.text); },
             },
             value.node);
}

void Dumper::stage(const ast::Stage& value) {
  auto part = [&](std::string_view name, const std::function<void()>& children) {
    node(fmt::format("stage {}", name), [&] {
      if (value.label) label(*value.label);
      children();
    });
  };
  std::visit(
      Overload{
          [&](const ast::WhereStage& x) { part("where", [&] { expr(*x.condition); }); },
          [&](const ast::SelectStage& x) { part("select", [&] { named("item", x.items); }); },
          [&](const ast::WithStage& x) { part("with", [&] { named("item", x.items); }); },
          [&](const ast::WithoutStage& x) {
            part("without", [&] {
              for (const auto& name : x.fields) line("field " + name.text);
            });
          },
          [&](const ast::RenameStage& x) {
            part("rename", [&] {
              for (const auto& item : x.items)
                line(fmt::format("field {} to {}", item.from.text, item.to.text));
            });
          },
          [&](const ast::FlattenStage& x) {
            part("flatten", [&] { expr(x.name ? "item " + x.name->text : std::string("item"), x.list); });
          },
          [&](const ast::AggregateStage& x) { part("aggregate", [&] { aggregate(x); }); },
          [&](const ast::JoinStage& x) { part("join", [&] { join(x); }); },
          [&](const ast::MatchStage& x) { part("match", [&] { match(x); }); },
          [&](const ast::DedupeStage& x) {
            part("dedupe", [&] {
              named("by", x.by);
              expr("within", x.within);
            });
          },
          [&](const ast::LatestStage& x) { part("latest", [&] { named("by", x.by); }); },
          [&](const ast::TopStage& x) {
            part("top", [&] {
              expr("count", x.count);
              if (x.with_ties) part("ties", [] {});
              keys("key", x.keys);
              named("by", x.by);
              window(x.window);
            });
          },
          [&](const ast::SortStage& x) {
            part("sort", [&] {
              keys("key", x.keys);
              window(x.window);
            });
          },
          [&](const ast::SampleStage& x) {
            part("sample", [&] {
              line("percent " + x.percent);
              named("by", x.by);
            });
          },
          [&](const ast::LimitStage& x) {
            part("limit", [&] {
              expr("count", x.count);
              named("by", x.by);
            });
          },
          [&](const ast::ThrottleStage& x) {
            part("throttle", [&] {
              expr("count", x.count);
              expr("per", x.per);
              named("by", x.by);
            });
          },
          [&](const ast::DelayStage& x) { part("delay", [&] { expr(*x.duration); }); },
          [&](const ast::DebounceStage& x) {
            part("debounce", [&] {
              expr(*x.duration);
              named("by", x.by);
            });
          },
          [&](const ast::ProcessStage& x) { part("process", [&] { process(x); }); },
          [&](const ast::TrainStage& x) {
            part("train " + x.learner.text, [&] {
              named("with", x.with);
              expr("label", x.label);
            });
          },
          [&](const ast::OperatorStage& x) { part("operator " + spell(x.name), [&] { arguments(x.args); }); },
      },
      value.node);
}

}  // namespace mut::printer
