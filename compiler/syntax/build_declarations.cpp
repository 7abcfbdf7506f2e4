#include <array>

#include "compiler/syntax/tree_builder.h"

namespace mut::syntax {

using diag::Code;
using source::Span;

void TreeBuilder::edition(P::EditionContext* context, ast::Program& program) {
  Span at = span(context->NUMBER());
  program.edition = whole_number(context->NUMBER());
  if (*program.edition != 1) diags_.report(Code::UnknownEdition, at, std::string(places_.text(at)));
}

ast::Declaration TreeBuilder::declaration(P::DeclarationContext* context) {
  ast::Declaration out;
  out.span = span(context);
  out.doc = docs_before(context);
  if (auto* import_part = context->importDecl()) {
    out.node = import_decl(import_part);
  } else if (auto* alias = context->typeDecl()) {
    out.node = ast::TypeDecl{ident(alias->name()), type(alias->type())};
  } else if (auto* names = context->enumDecl()) {
    ast::EnumDecl made{ident(names->name()), {}};
    for (auto* value : names->enumValue()) {
      ast::EnumValue& one = made.values.emplace_back();
      one.name = ident(value->name(0));
      if (value->WAS() != nullptr && value->name().size() > 1) one.was = ident(value->name(1));
    }
    out.node = std::move(made);
  } else if (auto* constant = context->constDecl()) {
    out.node = ast::ConstDecl{ident(constant->name()),
                              constant->type() == nullptr ? nullptr : type(constant->type()),
                              expr(constant->expr())};
  } else if (auto* param = context->paramDecl()) {
    out.node = param_decl(param);
  } else if (auto* set = context->setDecl()) {
    out.node = ast::SetDecl{ident(set->name()), path(set->path()),
                            set->expr() == nullptr ? nullptr : expr(set->expr())};
  } else if (auto* function = context->fnDecl()) {
    out.node = ast::FnDecl{ident(function->name()), parameters(function->parameters()),
                           type(function->type()), expr(function->expr())};
  } else if (auto* aggregate = context->aggregateDecl()) {
    out.node = aggregate_decl(aggregate);
  } else if (auto* op = context->operatorDecl()) {
    ast::OperatorDecl made{ident(op->name()), parameters(op->parameters()), {}};
    for (auto* part : op->stage()) made.stages.push_back(stage(part));
    out.node = std::move(made);
  } else if (auto* model = context->modelDecl()) {
    ast::ModelDecl made;
    made.name = ident(model->name(0));
    made.params = parameters(model->parameters());
    made.result = type(model->type());
    made.maker = ident(model->name(1));
    arguments(model->arguments(), made.args, nullptr);
    made.learner = model->LEARNER() != nullptr;
    out.node = std::move(made);
  } else if (auto* source = context->sourceDecl()) {
    out.node = source_decl(source);
  } else if (auto* table = context->tableDecl()) {
    out.node = table_decl(table);
  } else if (auto* stream = context->streamDecl()) {
    ast::StreamDecl made;
    made.name = ident(stream->name(0));
    if (stream->WAS() != nullptr) made.was = ident(stream->name(1));
    made.pipeline = pipeline(stream->pipeline());
    out.node = std::move(made);
  } else if (auto* route = context->routeDecl()) {
    out.node = route_decl(route);
  } else if (auto* emit = context->emitDecl()) {
    out.node = emit_decl(emit);
  } else if (auto* migrate = context->migrateDecl()) {
    out.node = migrate_decl(migrate);
  } else if (auto* guard = context->guardDecl()) {
    out.node = guard_decl(guard);
  } else if (auto* test = context->testDecl()) {
    out.node = test_decl(test);
  }
  return out;
}

std::vector<ast::Parameter> TreeBuilder::parameters(P::ParametersContext* context) {
  std::vector<ast::Parameter> out;
  for (auto* parameter : context->parameter()) {
    out.push_back(
        {ident(parameter->name()), parameter->type() == nullptr ? nullptr : type(parameter->type())});
  }
  return out;
}

ast::ConnectorExpr TreeBuilder::connector(P::ConnectorContext* context) {
  ast::ConnectorExpr out;
  out.name = ident(context->name());
  out.span = span(context);
  arguments(context->arguments(), out.args, nullptr);
  if (context->namedExprs() != nullptr) out.rows = named(context->namedExprs());
  return out;
}

ast::ImportDecl TreeBuilder::import_decl(P::ImportDeclContext* context) {
  ast::ImportDecl out;
  if (context->path() != nullptr) out.module = path(context->path());
  if (context->text() != nullptr) out.file = plain_text(context->text());
  if (context->AS() != nullptr) {
    out.as = ident(context->name(0));
  } else {
    out.names = idents(context->name());
  }
  return out;
}

ast::ParamDecl TreeBuilder::param_decl(P::ParamDeclContext* context) {
  ast::ParamDecl out;
  out.name = ident(context->name());
  out.type = type(context->type());
  auto values = context->expr();
  if (context->IN() != nullptr) {
    auto bounds = range_allowed(values[0]);
    if (auto* range = std::get_if<ast::RangeExpr>(&bounds->node)) {
      out.low = std::move(range->low);
      out.high = std::move(range->high);
    } else {
      diags_.report(Code::UnexpectedToken, bounds->span, "single value", "a range `low..high`");
    }
  }
  out.value = expr(values.back());
  return out;
}

namespace {

std::optional<ast::FullPolicy> full_policy(std::string_view word) {
  if (word == "block") return ast::FullPolicy::Block;
  if (word == "drop_oldest") return ast::FullPolicy::DropOldest;
  if (word == "drop_newest") return ast::FullPolicy::DropNewest;
  if (word == "spill") return ast::FullPolicy::Spill;
  return std::nullopt;
}

}  // namespace

ast::SourceDecl TreeBuilder::source_decl(P::SourceDeclContext* context) {
  ast::SourceDecl out;
  out.name = ident(context->name(0));
  if (context->WAS() != nullptr) out.was = ident(context->name(1));
  out.type = type(context->type());
  out.connector = connector(context->connector());
  if (context->sourceClauses() == nullptr) return out;
  for (auto* clause : context->sourceClauses()->sourceClause()) {
    auto value = [&](ast::ExprPtr& into) {
      if (once(into != nullptr, clause)) into = expr(clause->expr());
    };
    if (clause->ELSE() != nullptr) {
      out.failover.push_back({connector(clause->connector()), expr(clause->expr())});
    } else if (clause->FULL() != nullptr) {
      ast::Ident policy = ident(clause->name());
      if (once(out.on_full.has_value(), clause)) out.on_full = full_policy(policy.text);
      if (out.on_full) continue;
      diags_.report(Code::UnexpectedToken, policy.span, "`" + policy.text + "`",
                    "`block`, `drop_oldest`, `drop_newest` or `spill`");
    } else if (clause->CHECK() != nullptr) {
      ast::Ident what = ident(clause->name());
      if (what.text != "used")
        diags_.report(Code::UnexpectedToken, what.span, "`" + what.text + "`", "`used`");
      if (once(out.check.has_value(), clause)) out.check = what.text;
    } else if (clause->TIME() != nullptr) {
      value(out.time);
    } else if (clause->LATENESS() != nullptr) {
      value(out.lateness);
    } else if (clause->IDLE() != nullptr) {
      value(out.idle);
    } else {
      value(out.ahead);
    }
  }
  return out;
}

ast::TableDecl TreeBuilder::table_decl(P::TableDeclContext* context) {
  ast::TableDecl out;
  out.name = ident(context->name(0));
  if (context->WAS() != nullptr) out.was = ident(context->name(1));
  if (context->type() != nullptr) out.type = type(context->type());
  for (auto* key : context->path()) out.key.push_back(path(key));
  auto& children = context->children;
  for (size_t i = 0; i + 1 < children.size(); ++i) {
    auto* word = dynamic_cast<antlr4::tree::TerminalNode*>(children[i]);
    size_t kind = word == nullptr ? 0 : word->getSymbol()->getType();
    if (kind != P::TTL && kind != P::VERSIONED) continue;
    auto* amount = dynamic_cast<P::ExprContext*>(children[i + 1]);
    bool given = kind == P::TTL ? out.ttl.has_value() : out.versioned != nullptr;
    if (!once(given, span(word))) continue;
    if (kind == P::VERSIONED) {
      out.versioned = expr(amount);
    } else {
      auto* end = amount != nullptr ? amount->stop
                                    : dynamic_cast<antlr4::tree::TerminalNode*>(children[i + 1])->getSymbol();
      out.ttl = ast::Ttl{amount == nullptr ? nullptr : expr(amount), places_.span(*word->getSymbol(), *end)};
    }
  }
  if (context->pipeline() != nullptr) {
    out.pipeline = pipeline(context->pipeline());
    return out;
  }
  out.connector = connector(context->connector());
  if (context->sourceClauses() == nullptr) return out;
  for (auto* clause : context->sourceClauses()->sourceClause()) {
    ast::ExprPtr* into = clause->TIME() != nullptr       ? &out.time
                         : clause->LATENESS() != nullptr ? &out.lateness
                                                         : nullptr;
    if (into == nullptr) {
      diags_.report(Code::UnexpectedToken, span(clause), "clause of a source",
                    "`time` or `lateness` at most");
    } else if (once(*into != nullptr, clause)) {
      *into = expr(clause->expr());
    }
  }
  return out;
}

ast::RouteDecl TreeBuilder::route_decl(P::RouteDeclContext* context) {
  ast::RouteDecl out;
  out.all = context->ALL() != nullptr;
  out.input = path(context->path());
  for (auto* branch : context->routeBranch()) {
    ast::RouteBranch& made = out.branches.emplace_back();
    made.span = span(branch);
    if (branch->expr() != nullptr) made.condition = expr(branch->expr());
    made.target = ident(branch->name(0));
    if (branch->WAS() != nullptr) made.was = ident(branch->name(1));
  }
  return out;
}

ast::EmitDecl TreeBuilder::emit_decl(P::EmitDeclContext* context) {
  ast::EmitDecl out;
  out.stream = path(context->path());
  out.connector = connector(context->connector());
  if (context->AS() != nullptr) out.as = ident(context->name(0));
  if (context->WAS() != nullptr) out.was = ident(context->name(1));
  return out;
}

ast::MigrateDecl TreeBuilder::migrate_decl(P::MigrateDeclContext* context) {
  ast::MigrateDecl out;
  out.target = path(context->path());
  for (auto* item : context->migrateItem()) {
    out.items.push_back(
        {ident(item->name()), item->type() == nullptr ? nullptr : type(item->type()), expr(item->expr())});
  }
  return out;
}

ast::GuardDecl TreeBuilder::guard_decl(P::GuardDeclContext* context) {
  ast::GuardDecl out;
  out.what = ident(context->name(0));
  if (context->path() != nullptr) out.stream = path(context->path());
  out.percent = std::make_unique<ast::Expr>(number(context->NUMBER(0)));
  if (context->IN() == nullptr) return out;
  out.count = std::make_unique<ast::Expr>(number(context->NUMBER(1)));
  out.unit = ident(context->name(1));
  return out;
}

}  // namespace mut::syntax
