// Pipelines and their stages, but for `match` and `process`.
#include <fmt/format.h>

#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

ast::Pipeline TreeBuilder::pipeline(P::PipelineContext* context) {
  ast::Pipeline out;
  out.span = span(context);
  auto* head = context->pipelineHead();
  if (head->MERGE() != nullptr) {
    ast::MergeHead merge;
    for (auto* input : head->path()) merge.inputs.push_back(path(input));
    out.head = std::move(merge);
  } else {
    out.head = ast::StreamHead{path(head->path(0))};
  }
  for (auto* item : context->stage()) out.stages.push_back(stage(item));
  return out;
}

ast::Stage TreeBuilder::stage(P::StageContext* context) {
  ast::Stage out;
  auto* body = context->stageBody();
  out.span = span(body);
  out.keyword = places_.span(*body->start);
  if (auto* given = context->label()) {
    out.label = label(given);
    out.span = source::cover(out.label->span, out.span);
  }
  stage_body(body, out);
  return out;
}

ast::Label TreeBuilder::label(P::LabelContext* context) {
  ast::Label out;
  out.span = span(context);
  out.name = ident(context->name(0));
  if (context->WAS() != nullptr) out.was = ident(context->name(1));
  for (auto* from : context->path()) out.from.push_back(path(from));
  if (context->FRESH() != nullptr) out.fresh = whole_number(context->NUMBER());
  return out;
}

std::vector<ast::NamedExpr> TreeBuilder::named(P::NamedExprsContext* context) {
  std::vector<ast::NamedExpr> out;
  for (auto* item : context->namedExpr()) {
    ast::NamedExpr& made = out.emplace_back();
    made.span = span(item);
    auto names = item->name();
    if (!names.empty()) made.name = ident(names[0]);
    if (names.size() > 1) made.was = ident(names[1]);
    made.value = expr(item->expr());
  }
  return out;
}

std::vector<ast::NamedExpr> TreeBuilder::by(P::ByClauseContext* context) {
  return context == nullptr ? std::vector<ast::NamedExpr>() : named(context->namedExprs());
}

std::vector<ast::SortKey> TreeBuilder::sort_keys(P::SortKeysContext* context) {
  std::vector<ast::SortKey> out;
  if (context->expr() != nullptr) {
    out.push_back({expr(context->expr()), context->DESC() != nullptr, context->ASC() != nullptr});
  }
  for (auto* key : context->sortKey()) {
    out.push_back({expr(key->expr()), key->DESC() != nullptr, key->ASC() != nullptr});
  }
  return out;
}

ast::Window TreeBuilder::window(P::WindowClauseContext* context) {
  ast::Window out;
  out.span = span(context);
  // The words and what follows each, as they stand; the first is `window`.
  for (size_t i = 1; i < context->children.size(); ++i) {
    auto* word = dynamic_cast<antlr4::tree::TerminalNode*>(context->children[i]);
    size_t kind = word->getSymbol()->getType();
    if (kind == P::ALL) {
      out.kind = ast::WindowKind::All;
      continue;
    }
    auto* value = context->children[++i];
    if (kind == P::ZONE) {
      auto* name = dynamic_cast<P::TextContext*>(value);
      if (once(out.zone.has_value(), span(word))) out.zone = plain_text(name);
      continue;
    }
    auto amount = expr(dynamic_cast<P::ExprContext*>(value));
    if (kind == P::EVERY) {
      if (once(out.every != nullptr, span(word))) out.every = std::move(amount);
    } else if (kind == P::OFFSET) {
      if (once(out.offset != nullptr, span(word))) out.offset = std::move(amount);
    } else {
      out.kind = kind == P::TUMBLING  ? ast::WindowKind::Tumbling
                 : kind == P::SLIDING ? ast::WindowKind::Sliding
                 : kind == P::SESSION ? ast::WindowKind::Session
                                      : ast::WindowKind::Count;
      out.size = std::move(amount);
    }
  }
  return out;
}

std::vector<ast::Trigger> TreeBuilder::triggers(P::TriggerClauseContext* context) {
  std::vector<ast::Trigger> out;
  for (auto* item : context->trigger()) {
    if (item->EVERY() != nullptr) {
      out.push_back({ast::TriggerKind::Every, number_or_name(item->NUMBER(), item->name()), span(item)});
    } else {
      auto kind = item->CLOSE() != nullptr ? ast::TriggerKind::OnClose : ast::TriggerKind::OnUpdate;
      out.push_back({kind, nullptr, span(item)});
    }
  }
  return out;
}

ast::Late TreeBuilder::late(P::LateClauseContext* context) {
  ast::Late out;
  out.span = span(context);
  if (context->UPDATE() != nullptr && context->expr() != nullptr) {
    out.kind = ast::LateKind::Update;
    out.within = expr(context->expr());
  } else if (context->TO() != nullptr) {
    out.kind = ast::LateKind::To;
    out.to = ident(context->name());
  }
  return out;
}

ast::AggregateStage TreeBuilder::aggregate_stage(P::AggregateStageContext* context) {
  ast::AggregateStage out;
  out.items = named(context->namedExprs());
  for (auto* clause : context->byClause()) {
    if (once(!out.by.empty(), clause)) out.by = by(clause);
  }
  for (auto* clause : context->windowClause()) {
    if (once(out.window.has_value(), clause)) out.window = window(clause);
  }
  for (auto* clause : context->triggerClause()) {
    if (once(!out.triggers.empty(), clause)) out.triggers = triggers(clause);
  }
  for (auto* clause : context->lateClause()) {
    if (once(out.late.has_value(), clause)) out.late = late(clause);
  }
  for (auto* clause : context->ttlClause()) {
    if (once(out.ttl.has_value(), clause)) out.ttl = ttl(clause);
  }
  return out;
}

ast::Ttl TreeBuilder::ttl(P::TtlClauseContext* clause) {
  return {clause->expr() == nullptr ? nullptr : expr(clause->expr()), span(clause)};
}

ast::JoinStage TreeBuilder::join_stage(P::JoinStageContext* context) {
  ast::JoinStage out;
  bool left = context->LEFT() != nullptr;
  out.kind = context->ASOF() != nullptr    ? (left ? ast::JoinKind::LeftAsof : ast::JoinKind::Asof)
             : left                        ? ast::JoinKind::Left
             : context->RIGHT() != nullptr ? ast::JoinKind::Right
             : context->FULL() != nullptr  ? ast::JoinKind::Full
             : context->SEMI() != nullptr  ? ast::JoinKind::Semi
             : context->ANTI() != nullptr  ? ast::JoinKind::Anti
                                           : ast::JoinKind::Inner;
  out.other = ident(context->name(0));
  if (context->AS() != nullptr) out.alias = ident(context->name(1));
  for (size_t i = 0; i + 1 < context->children.size(); ++i) {
    auto* value = dynamic_cast<P::ExprContext*>(context->children[i + 1]);
    if (value == nullptr) continue;
    auto* word = dynamic_cast<antlr4::tree::TerminalNode*>(context->children[i]);
    if (word->getSymbol()->getType() == P::WITHIN) {
      if (once(out.within != nullptr, span(word))) out.within = range_allowed(value);
    } else if (once(out.on != nullptr, span(word))) {
      out.on = expr(value);
    }
  }
  if (out.on == nullptr) {
    Span end = span(context);
    diags_
        .report(Code::UnexpectedToken, {end.file, end.begin, end.end}, "join without `on`",
                "`on` and a condition")
        .note("`on true` joins everything with everything");
  }
  return out;
}

ast::JoinStage TreeBuilder::lookup_stage(P::LookupStageContext* context) {
  ast::JoinStage out;
  out.kind = context->LEFT() != nullptr ? ast::JoinKind::LeftLookup : ast::JoinKind::Lookup;
  out.other = ident(context->name());
  if (auto* alias = context->aliasName()) out.alias = ident(alias);
  auto values = context->expr();
  if (context->OF() != nullptr) out.as_of = expr(values[0]);
  out.on = expr(values.back());
  return out;
}

void TreeBuilder::stage_body(P::StageBodyContext* context, ast::Stage& out) {
  if (auto* where = context->whereStage()) {
    out.node = ast::WhereStage{expr(where->expr())};
  } else if (auto* select = context->selectStage()) {
    out.node = ast::SelectStage{named(select->namedExprs())};
  } else if (auto* with = context->withStage()) {
    out.node = ast::WithStage{named(with->namedExprs())};
  } else if (auto* without = context->withoutStage()) {
    out.node = ast::WithoutStage{idents(without->name())};
  } else if (auto* rename = context->renameStage()) {
    ast::RenameStage made;
    for (auto* item : rename->renameItem())
      made.items.push_back({ident(item->name(0)), ident(item->name(1))});
    out.node = std::move(made);
  } else if (auto* flatten = context->flattenStage()) {
    ast::FlattenStage made;
    if (flatten->name() != nullptr) made.name = ident(flatten->name());
    made.list = expr(flatten->expr());
    out.node = std::move(made);
  } else if (auto* aggregate = context->aggregateStage()) {
    out.node = aggregate_stage(aggregate);
  } else if (auto* join = context->joinStage()) {
    out.node = join_stage(join);
  } else if (auto* lookup = context->lookupStage()) {
    out.node = lookup_stage(lookup);
  } else if (auto* match = context->matchStage()) {
    out.node = match_stage(match);
  } else if (auto* dedupe = context->dedupeStage()) {
    out.node =
        ast::DedupeStage{by(dedupe->byClause()), dedupe->expr() == nullptr ? nullptr : expr(dedupe->expr())};
  } else if (auto* latest = context->latestStage()) {
    out.node = ast::LatestStage{by(latest->byClause())};
  } else if (auto* top = context->topStage()) {
    ast::TopStage made{expr(top->expr()), top->TIES() != nullptr, sort_keys(top->sortKeys()),
                       by(top->byClause()), std::nullopt};
    if (top->windowClause() != nullptr) made.window = window(top->windowClause());
    out.node = std::move(made);
  } else if (auto* sort = context->sortStage()) {
    ast::SortStage made{sort_keys(sort->sortKeys()), std::nullopt};
    if (sort->windowClause() != nullptr) made.window = window(sort->windowClause());
    out.node = std::move(made);
  } else if (auto* sample = context->sampleStage()) {
    ast::Expr share = number(sample->NUMBER());
    if (std::holds_alternative<ast::DurationLit>(share.node)) {
      diags_.report(Code::UnexpectedToken, share.span, "duration", "a number of percent");
    }
    out.node = ast::SampleStage{std::string(places_.text(share.span)), by(sample->byClause())};
  } else if (auto* limit = context->limitStage()) {
    out.node = ast::LimitStage{expr(limit->expr()), by(limit->byClause())};
  } else if (auto* throttle = context->throttleStage()) {
    out.node = ast::ThrottleStage{expr(throttle->expr(0)), expr(throttle->expr(1)), by(throttle->byClause())};
  } else if (auto* delay = context->delayStage()) {
    out.node = ast::DelayStage{expr(delay->expr())};
  } else if (auto* debounce = context->debounceStage()) {
    out.node = ast::DebounceStage{expr(debounce->expr()), by(debounce->byClause())};
  } else if (auto* process = context->processStage()) {
    out.node = process_stage(process);
  } else if (auto* train = context->trainStage()) {
    ast::TrainStage made;
    made.learner = ident(train->name());
    if (train->namedExprs() != nullptr) made.with = named(train->namedExprs());
    made.label = expr(train->expr());
    out.node = std::move(made);
  } else if (auto* call = context->operatorStage()) {
    ast::OperatorStage made;
    made.name = path(call->path());
    arguments(call->arguments(), made.args, nullptr);
    out.node = std::move(made);
  }
}

}  // namespace mut::syntax
