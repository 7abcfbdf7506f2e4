#include "compiler/session/conversions.h"

#include <algorithm>
#include <map>

#include "compiler/modules/reader.h"
#include "compiler/printer/printer.h"
#include "compiler/printer/spelling.h"
#include "compiler/sema/check.h"
#include "compiler/sema/test_version.h"
#include "compiler/syntax/parse.h"

namespace mut::session {
namespace {

struct Text {
  std::string name;
  std::string text;
};

// What a version says of one stage: the tree it stands in, and its items.
struct Said {
  ast::Program tree;
  std::vector<ast::MigrateItem> items;
};

Said said_of(const Text& version, const std::string& target, source::SourceSet& sources,
             diag::Engine& diags) {
  Said out;
  out.tree = syntax::parse(sources, sources.add(version.name, version.text), diags);
  for (ast::Declaration& declaration : out.tree.declarations) {
    auto* migrate = std::get_if<ast::MigrateDecl>(&declaration.node);
    if (migrate == nullptr || sema::path_text(migrate->target) != target) continue;
    for (ast::MigrateItem& item : migrate->items) out.items.push_back(std::move(item));
    migrate->items.clear();
  }
  return out;
}

// Equal where two items say the same, whatever their layout. Takes and gives back the item.
std::string identity(ast::MigrateItem& item) {
  ast::Program program;
  ast::MigrateDecl declared;
  declared.items.push_back(std::move(item));
  program.declarations.emplace_back();
  program.declarations[0].node = std::move(declared);
  std::string out = printer::dump(program);
  item = std::move(std::get<ast::MigrateDecl>(program.declarations[0].node).items[0]);
  return out;
}

// Declarations that an expression without events can use.
bool stays(const ast::Declaration& declaration) {
  return std::holds_alternative<ast::ImportDecl>(declaration.node) ||
         std::holds_alternative<ast::TypeDecl>(declaration.node) ||
         std::holds_alternative<ast::EnumDecl>(declaration.node) ||
         std::holds_alternative<ast::ConstDecl>(declaration.node) ||
         std::holds_alternative<ast::ParamDecl>(declaration.node) ||
         std::holds_alternative<ast::FnDecl>(declaration.node);
}

std::string spelled(const std::string& name, printer::NamePlace place) {
  ast::Ident ident;
  ident.text = name;
  return printer::spell(ident, place);
}

// As a script writes the type, whatever its fields are called.
std::string spelled(typed::TypeRef type) {
  switch (type->kind) {
    case typed::Kind::Optional:
      return spelled(type->element) + "?";
    case typed::Kind::List:
      return "[" + spelled(type->element) + "]";
    case typed::Kind::Map:
      return "map<" + spelled(type->key()) + ", " + spelled(type->value()) + ">";
    case typed::Kind::Record: {
      std::string out;
      for (const typed::Field& field : type->fields)
        out += (out.empty() ? "{ " : ", ") + spelled(field.name, printer::NamePlace::Field) + ": " +
               spelled(field.type);
      return out.empty() ? "{ }" : out + " }";
    }
    default:
      return type->text;
  }
}

// Names that no script has.
std::string typed_function(size_t item) { return "mut_migrate_as_" + std::to_string(item); }

// Makes the script one of a single stream, which selects the items over a record with the field `old`.
void make_selection(Said& said, const change::MigrateWish& wish, source::SourceSet& sources,
                    diag::Engine& diags) {
  std::erase_if(said.tree.declarations, [](const ast::Declaration& each) { return !stays(each); });
  std::string text;
  std::string items;
  for (size_t i = 0; i < said.items.size(); ++i) {
    const ast::MigrateItem& item = said.items[i];
    if (item.type) {
      std::string type(sources.text(item.type->span));
      text += "fn " + typed_function(i) + "(x: " + type + ") -> " + type + " = x\n";
    }
    items += (i > 0 ? ", " : "") + spelled(item.name.text, printer::NamePlace::Plain) + " = " +
             (item.type ? typed_function(i) + "(0)" : "0");
  }
  text += "source mut_migrate_stored: { old: { ";
  for (size_t i = 0; i < wish.old.size(); ++i)
    text += (i > 0 ? ", " : "") + spelled(wish.old[i].name, printer::NamePlace::Field) + ": " +
            spelled(wish.old[i].type);
  text += " } } = file(\"stored.jsonl\")\nstream mut_migrate_made = mut_migrate_stored | select " + items +
          "\nemit mut_migrate_made to file(\"made.jsonl\")\n";
  ast::Program around = syntax::parse(sources, sources.add("migrate", text), diags);
  if (diags.has_errors()) return;
  for (ast::Declaration& declaration : around.declarations) {
    if (auto* stream = std::get_if<ast::StreamDecl>(&declaration.node)) {
      auto& select = std::get<ast::SelectStage>(stream->pipeline.stages[0].node);
      for (size_t i = 0; i < said.items.size(); ++i) {
        auto* call = std::get_if<ast::Call>(&select.items[i].value->node);
        ast::ExprPtr& place = call != nullptr ? call->args[0].value : select.items[i].value;
        place = std::move(said.items[i].value);
      }
    }
    said.tree.declarations.push_back(std::move(declaration));
  }
}

std::optional<change::CheckedMigrate> check_migrate(const Text& before, const Text& after,
                                                    const change::MigrateWish& wish) {
  // Most scripts have none, and need not be parsed for it.
  if (after.text.find("migrate") == std::string::npos) return std::nullopt;
  source::SourceSet sources;
  diag::Engine diags;
  std::string target = wish.stream + "." + wish.stage;
  Said said = said_of(after, target, sources, diags);
  if (said.items.empty()) return std::nullopt;
  source::SourceSet old_sources;
  diag::Engine ignored;
  Said known = said_of(before, target, old_sources, ignored);
  std::vector<std::string> done;
  for (ast::MigrateItem& item : known.items) done.push_back(identity(item));
  std::erase_if(said.items, [&](ast::MigrateItem& item) {
    return std::find(done.begin(), done.end(), identity(item)) != done.end();
  });
  if (said.items.empty()) return std::nullopt;
  change::CheckedMigrate out;
  make_selection(said, wish, sources, diags);
  modules::Reader modules(sources);
  sema::CheckOptions options;
  options.modules = &modules;
  options.tests = sema::CheckOptions::Tests::Skip;
  std::optional<typed::Program> checked;
  if (!diags.has_errors()) checked = sema::check(said.tree, diags, options);
  if (checked) {
    out.program = std::make_shared<const typed::Program>(std::move(*checked));
  } else {
    diag::Engine errors;  // warnings are of what was made around it
    for (const diag::Diagnostic& diagnostic : diags.sorted()) {
      if (diagnostic.severity == diag::Severity::Error) errors.add(diagnostic);
    }
    out.problem = "`migrate` does not fit the version before\n" +
                  diag::render_text(errors, sources, diag::Color::Never);
    while (out.problem.ends_with('\n')) out.problem.pop_back();
    const std::string made = "stream `mut_migrate_made`";
    if (size_t at = out.problem.find(made); at != std::string::npos)
      out.problem.replace(at, made.size(), "`migrate`");
  }
  return out;
}

}  // namespace

change::MigrateChecker migrate_checker(const Program& before, const Program& after) {
  return [old = Text{before.name(), before.text}, now = Text{after.name(), after.text}](
             const change::MigrateWish& wish) { return check_migrate(old, now, wish); };
}

std::function<std::shared_ptr<const typed::Program>(const std::string& stream, const std::string& stage,
                                                    const std::vector<typed::Field>& old)>
reference_migrate(change::MigrateChecker checker) {
  return [checker = std::move(checker)](const std::string& stream, const std::string& stage,
                                        const std::vector<typed::Field>& old) {
    auto checked = checker({stream, stage, old});
    return checked ? checked->program : nullptr;
  };
}

namespace {

Outcome<std::shared_ptr<const runtime::KeyConversion>> compile_rows(const change::KeyConversion& conversion,
                                                                    jit::Jit& jit, jit::Tier tier) {
  const change::KeyRule& rule = *conversion.rule;
  auto made = std::make_shared<runtime::KeyConversion>();
  made->of = runtime::KeyConversion::Of::Rows;
  made->path = conversion.path;
  for (const change::RowSide& side : rule.sides) made->sources.push_back(side.source);
  int next = 0;
  for (const change::KeyPart& part : rule.parts)
    made->parts.push_back(part.old >= 0 ? runtime::KeyConversion::Part{part.old, -1}
                                        : runtime::KeyConversion::Part{-1, next++});
  if (rule.program == nullptr) return std::shared_ptr<const runtime::KeyConversion>(std::move(made));
  auto graph = graph::build_graph(rule.program);
  auto kernels = jit.compile(graph, tier, codegen::Literals::Table, jit::Reuse::InProcess, nullptr);
  if (!kernels) return Failure{Failure::Kind::Internal, kernels.error().message};
  source::SourceSet nowhere;
  nowhere.add("rows", "");
  made->plan = make_plan(graph, nowhere);
  made->kernels = std::move(kernels).value();
  return std::shared_ptr<const runtime::KeyConversion>(std::move(made));
}

}  // namespace

Outcome<std::vector<std::shared_ptr<const runtime::KeyConversion>>> compile_conversions(
    const std::vector<change::KeyConversion>& planned, jit::Jit& jit, jit::Tier tier) {
  std::vector<std::shared_ptr<const runtime::KeyConversion>> out;
  for (const change::KeyConversion& conversion : planned) {
    const change::KeyRule& rule = *conversion.rule;
    if (rule.of == change::KeyRule::Of::Rows) {
      auto made = compile_rows(conversion, jit, tier);
      if (!made) return made.failure();
      out.push_back(std::move(made).value());
      continue;
    }
    auto graph = graph::build_graph(rule.program);
    auto kernels = jit.compile(graph, tier, codegen::Literals::Table, jit::Reuse::InProcess, nullptr);
    if (!kernels) return Failure{Failure::Kind::Internal, kernels.error().message};
    source::SourceSet nowhere;
    nowhere.add("migrate", "");
    auto made = std::make_shared<runtime::KeyConversion>();
    made->plan = make_plan(graph, nowhere);
    made->kernels = std::move(kernels).value();
    using Input = runtime::KeyConversion::Input;
    for (const change::RuleInput& input : rule.inputs) {
      bool key = input.from == change::RuleInput::From::Key;
      made->inputs.push_back({key ? Input::From::Key : Input::From::Variable, input.index});
    }
    made->read = rule.read;
    int next = 0;
    for (const change::KeyPart& part : rule.parts) {
      if (part.value) {
        made->parts.push_back({-1, next++});
      } else {
        made->parts.push_back({part.old, -1});
      }
    }
    for (const change::ValuePart& part : rule.values) made->values.push_back({part.cell, next++});
    made->merges = conversion.merges || rule.keeps_keys();
    made->apart = rule.keeps_keys() && !rule.can_fail;
    made->path = conversion.path;
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace mut::session
