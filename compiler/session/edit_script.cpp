// One declaration for another in the text of a script, the rest as it was.
#include <algorithm>
#include <string>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/parse.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

std::string text_of(const ast::Path& path) {
  std::string out;
  for (const ast::Ident& part : path.parts) out += (out.empty() ? "" : ".") + part.text;
  return out;
}

// What makes two declarations the same one. Those without a name of their own go by what they are about.
struct Key {
  std::string operator()(const ast::ImportDecl& import) const {
    return "import " + text_of(import.module) + import.file;
  }
  std::string operator()(const ast::SetDecl& set) const { return "set " + set.param.text; }
  std::string operator()(const ast::RouteDecl& route) const { return "route " + text_of(route.input); }
  std::string operator()(const ast::EmitDecl& emit) const {
    return "emit " + (emit.as ? emit.as->text : text_of(emit.stream));
  }
  std::string operator()(const ast::MigrateDecl& migrate) const {
    return "migrate " + text_of(migrate.target);
  }
  std::string operator()(const ast::GuardDecl& guard) const {
    return "guard " + guard.what.text + (guard.stream ? " of " + text_of(*guard.stream) : "");
  }
  std::string operator()(const ast::TestDecl& test) const { return "test " + test.name; }
  std::string operator()(const auto& named) const { return named.name.text; }
};

std::string key_of(const ast::Declaration& declaration) { return std::visit(Key{}, declaration.node); }

struct Parsed {
  source::SourceSet sources;
  source::FileId file;
  ast::Program tree;
  Failure failure;
};

bool parse(std::string_view text, const char* name, const CheckOptions& options, Parsed& out) {
  diag::Engine diags;
  out.file = out.sources.add(name, std::string(text));
  out.tree = syntax::parse(out.sources, out.file, diags);
  if (!diags.has_errors()) return true;
  out.failure.kind = Failure::Kind::Script;
  out.failure.text = options.diagnostics == EngineOptions::Diagnostics::Json
                         ? diag::render_json(diags, out.sources)
                         : diag::render_text(diags, out.sources,
                                             options.color == EngineOptions::Color::Yes ? diag::Color::Always
                                                                                        : diag::Color::Never);
  return false;
}

struct Change {
  source::Span span;
  std::string_view by;
};

}  // namespace

Outcome<EditedScript> edit_script(std::string_view text, std::string_view declarations,
                                  const std::vector<std::string>& remove, const CheckOptions& options) {
  Parsed before;
  Parsed typed;
  if (!parse(declarations, "input", options, typed)) return typed.failure;
  if (!parse(text, "script", options, before)) return before.failure;
  EditedScript out;
  std::vector<Change> changes;
  std::string added;
  auto find = [&](const std::string& name) -> const ast::Declaration* {
    for (const ast::Declaration& old : before.tree.declarations) {
      if (key_of(old) == name) return &old;
    }
    return nullptr;
  };
  for (const std::string& name : remove) {
    const ast::Declaration* old = find(name);
    if (old == nullptr) return Failure{Failure::Kind::Usage, "nothing is called `" + name + "`"};
    changes.push_back({old->span, ""});
    out.removed.push_back(name);
  }
  for (const ast::Declaration& made : typed.tree.declarations) {
    std::string key = key_of(made);
    std::string_view by = typed.sources.text(made.span);
    const ast::Declaration* old = find(key);
    auto twice = [&](const Change& change) { return old != nullptr && change.span.begin == old->span.begin; };
    if (old != nullptr && std::none_of(changes.begin(), changes.end(), twice)) {
      changes.push_back({old->span, by});
      out.replaced.push_back(key);
    } else {
      for (const std::string& doc : made.doc) added += "/// " + doc + "\n";
      added += std::string(by) + "\n";
      out.added.push_back(key);
    }
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.span.begin < b.span.begin; });
  size_t at = 0;
  for (const Change& change : changes) {
    out.text += text.substr(at, change.span.begin - at);
    out.text += change.by;
    at = change.span.end;
  }
  out.text += text.substr(at);
  if (!added.empty() && !out.text.empty() && out.text.back() != '\n') out.text += '\n';
  out.text += added;
  return out;
}

}  // namespace mut
