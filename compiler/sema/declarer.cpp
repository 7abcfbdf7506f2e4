#include "compiler/sema/declarer.h"

#include <algorithm>

#include "compiler/sema/call_checker.h"
#include "compiler/syntax/words.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;
using typed::TypeRef;

bool Declarer::take(Taken& taken, const ast::Ident& name) {
  auto [entry, fresh] = taken.emplace(name.text, name.span);
  if (!fresh)
    diags_.report(Code::DeclaredTwice, name.span, name.text).note(entry->second, "first declared here");
  return fresh;
}

// Parameters, and behind them the state of an aggregate, are names of one place.
void Declarer::take_inner(const std::vector<ast::Parameter>& parameters,
                          const std::vector<ast::Ident>& states) {
  Taken taken;
  for (const ast::Parameter& parameter : parameters) take(taken, parameter.name);
  for (const ast::Ident& state : states) take(taken, state);
}

void Declarer::declare(const Declarations& declarations) {
  ExprChecker::Context outer = exprs_.context();
  exprs_.set_context({&names_, nullptr});
  for (const ast::Declaration* declaration : declarations) {
    if (const auto* made = std::get_if<ast::ImportDecl>(&declaration->node)) import(*made, declaration->span);
  }
  exprs_.set_context({&names_, nullptr});
  declare_types(declarations);
  for (const ast::Declaration* declaration : declarations) {
    const auto& node = declaration->node;
    if (const auto* constant = std::get_if<ast::ConstDecl>(&node)) {
      if (take(values_, constant->name)) declare_constant(*constant);
    } else if (const auto* fn = std::get_if<ast::FnDecl>(&node)) {
      take_inner(fn->params, {});
      warn_of_builtin(fn->name);
      if (take(functions_, fn->name)) names_.functions[fn->name.text] = {fn, &names_};
    } else if (const auto* made = std::get_if<ast::OperatorDecl>(&node)) {
      take_inner(made->params, {});
      if (syntax::begins_stage(made->name.text)) {
        diags_.report(diag::Code::StageHidesOperator, made->name.span, made->name.text)
            .note("`| " + made->name.text + "` is the stage; give the operator another name");
      }
      if (take(functions_, made->name)) names_.operators[made->name.text] = {made, &names_};
    } else if (const auto* own = std::get_if<ast::AggregateDecl>(&node)) {
      std::vector<ast::Ident> states;
      for (const ast::StateVariable& state : own->state) states.push_back(state.name);
      take_inner(own->params, states);
      warn_of_builtin(own->name);
      if (take(functions_, own->name)) names_.aggregates[own->name.text] = {own, &names_};
    }
  }
  exprs_.set_context(outer);
}

void Declarer::warn_of_builtin(const ast::Ident& name) {
  if (is_known_call(name.text)) diags_.report(diag::Code::HidesBuiltin, name.span, name.text);
}

// ---- modules

void Declarer::import(const ast::ImportDecl& decl, source::Span span) {
  const Names* from = module(decl, span);
  if (from == nullptr && !decl.names.empty()) return;
  if (from == nullptr) from = &modules_.broken;
  if (!decl.names.empty()) {
    std::string shown = decl.file;
    for (const ast::Ident& part : decl.module.parts) shown += (shown.empty() ? "" : ".") + part.text;
    for (const ast::Ident& name : decl.names) take_single(name, *from, shown);
    return;
  }
  ast::Ident name;
  if (decl.as) {
    name = *decl.as;
  } else if (!decl.module.parts.empty()) {
    name = decl.module.parts.back();
  } else {
    size_t begin = decl.file.rfind('/') == std::string::npos ? 0 : decl.file.rfind('/') + 1;
    name = {decl.file.substr(begin, decl.file.rfind('.') - begin), span};
  }
  if (take(module_names_, name)) names_.modules[name.text] = from;
}

namespace {

// What a module cannot hold; null: it can.
struct RefusedInModule {
  const char* operator()(const ast::SourceDecl&) const { return "a source"; }
  const char* operator()(const ast::StreamDecl&) const { return "a stream"; }
  const char* operator()(const ast::RouteDecl&) const { return "a route"; }
  const char* operator()(const ast::EmitDecl&) const { return "an `emit`"; }
  const char* operator()(const ast::ParamDecl&) const { return "a param"; }
  const char* operator()(const ast::SetDecl&) const { return "a `set`"; }
  const char* operator()(const ast::TableDecl&) const { return "a table"; }
  const char* operator()(const ast::ModelDecl&) const { return "a model"; }
  const char* operator()(const ast::MigrateDecl&) const { return "a `migrate`"; }
  const char* operator()(const ast::GuardDecl&) const { return "a guard"; }
  template <typename Other>
  const char* operator()(const Other&) const {
    return nullptr;
  }
};

}  // namespace

// The names of a module; null after a report.
Names* Declarer::module(const ast::ImportDecl& decl, source::Span span) {
  if (modules_.reader == nullptr) {
    diags_.report(Code::NotExecutable, span, "`import` here");
    return nullptr;
  }
  auto found = modules_.reader->read(decl, span, diags_);
  if (!found) return nullptr;
  auto open = std::find(modules_.open.begin(), modules_.open.end(), found->key);
  if (open != modules_.open.end()) {
    std::string cycle;
    for (; open != modules_.open.end(); ++open) cycle += *open + " → ";
    diags_.report(Code::ImportCycle, span, cycle + found->key);
    return nullptr;
  }
  if (auto known = modules_.known.find(found->key); known != modules_.known.end()) return known->second.get();
  size_t errors = diags_.error_count();
  auto names = std::make_unique<Names>();
  diag::Engine::Within within(diags_, span, "imported here");
  modules_.open.push_back(found->key);
  Declarations declarations = declarations_of(*found->program);
  for (const ast::Declaration* declaration : declarations) {
    if (const char* what = std::visit(RefusedInModule{}, declaration->node))
      diags_.report(Code::NotInModule, declaration->span, what);
  }
  Declarer inner(*names, modules_, types_, exprs_, diags_);
  inner.declare(declarations);
  ExprChecker::Context outer = exprs_.context();
  exprs_.set_context({names.get(), nullptr});
  inner.check_functions(exprs_.local_count());
  exprs_.set_context(outer);
  modules_.open.pop_back();
  // What is wrong with it is said; uses of it would only say so again.
  if (diags_.error_count() != errors) names.reset();
  return modules_.known.emplace(found->key, std::move(names)).first->second.get();
}

// `import std.stats (ewma)`: one name, whatever it stands for.
void Declarer::take_single(const ast::Ident& name, const Names& from, const std::string& module) {
  bool found = false;
  auto copy = [&](const auto& source, auto& target, Taken& taken) {
    auto known = source.find(name.text);
    if (known == source.end()) return;
    found = true;
    if (take(taken, name)) target[name.text] = known->second;
  };
  copy(from.types, names_.types, type_names_);
  copy(from.consts, names_.consts, values_);
  copy(from.regexes, names_.regexes, values_);
  copy(from.functions, names_.functions, functions_);
  copy(from.aggregates, names_.aggregates, functions_);
  copy(from.operators, names_.operators, functions_);
  if (found) return;
  std::vector<std::string> candidates;
  auto add = [&](const auto& map) {
    for (const std::string& each : keys_of(map)) candidates.push_back(each);
  };
  add(from.types);
  add(from.consts);
  add(from.functions);
  add(from.aggregates);
  add(from.operators);
  auto report = diags_.report(Code::NotInThatModule, name.span, module, name.text);
  if (auto near = diag::did_you_mean(name.text, candidates))
    report.note("did you mean `" + *near + "`?").fix(name.span, *near);
}

// ---- types

void Declarer::declare_types(const Declarations& declarations) {
  Pending pending;
  for (const ast::Declaration* declaration : declarations) {
    if (const auto* enumeration = std::get_if<ast::EnumDecl>(&declaration->node)) {
      if (!take(type_names_, enumeration->name)) continue;
      std::vector<std::string> values;
      for (const ast::EnumValue& value : enumeration->values) {
        if (std::find(values.begin(), values.end(), value.name.text) != values.end()) {
          diags_.report(Code::DeclaredTwice, value.name.span, value.name.text);
          continue;
        }
        values.push_back(value.name.text);
      }
      names_.types[enumeration->name.text] = types_.enumeration(enumeration->name.text, std::move(values));
    } else if (const auto* type = std::get_if<ast::TypeDecl>(&declaration->node)) {
      if (!take(type_names_, type->name)) continue;
      pending.emplace(type->name.text, type);
      names_.types[type->name.text] = nullptr;
    }
  }
  // A type may name one declared later: resolve in order of need.
  std::vector<std::string> stack;
  for (const auto& [name, type] : pending) resolve_type(name, pending, stack);
}

void Declarer::resolve_type(const std::string& name, const Pending& pending,
                            std::vector<std::string>& stack) {
  auto found = pending.find(name);
  if (found == pending.end() || names_.types[name] != nullptr) return;
  if (std::find(stack.begin(), stack.end(), name) != stack.end()) {
    diags_.report(Code::RecursiveType, found->second->name.span, name);
    names_.types[name] = types_.scalar(Kind::Error);
    return;
  }
  stack.push_back(name);
  if (found->second->type) {
    resolve_needed(*found->second->type, pending, stack);
    if (names_.types[name] == nullptr) {
      names_.types[name] = TypeResolver(names_, types_, diags_).resolve(*found->second->type);
    }
  } else {
    names_.types[name] = types_.scalar(Kind::Error);
  }
  stack.pop_back();
}

void Declarer::resolve_needed(const ast::TypeExpr& type, const Pending& pending,
                              std::vector<std::string>& stack) {
  if (const auto* named = std::get_if<ast::NamedType>(&type.node)) {
    if (named->name.parts.size() == 1) resolve_type(named->name.parts[0].text, pending, stack);
    for (const ast::TypePtr& arg : named->args) resolve_needed(*arg, pending, stack);
  } else if (const auto* optional = std::get_if<ast::OptionalType>(&type.node)) {
    resolve_needed(*optional->inner, pending, stack);
  } else if (const auto* list = std::get_if<ast::ListType>(&type.node)) {
    resolve_needed(*list->element, pending, stack);
  } else if (const auto* record = std::get_if<ast::RecordType>(&type.node)) {
    for (const ast::FieldDecl& field : record->fields) {
      if (field.type) resolve_needed(*field.type, pending, stack);
    }
  }
}

// ---- values and functions

void Declarer::declare_constant(const ast::ConstDecl& decl) {
  const auto* regex = decl.value ? std::get_if<ast::RegexLit>(&decl.value->node) : nullptr;
  if (regex != nullptr && !decl.type) {
    names_.regexes[decl.name.text] = regex;
    exprs_.check_regex(*decl.value);
    return;
  }
  names_.consts[decl.name.text] = {};  // known, in case its value is wrong
  TypeRef type = decl.type ? TypeResolver(names_, types_, diags_).resolve(*decl.type) : nullptr;
  if (type != nullptr && typed::has_secret(type)) {
    diags_.report(Code::SecretShown, decl.type->span, quoted(type), "no `const` can be");
    return;
  }
  if (auto value = decl.value ? exprs_.check_constant(*decl.value, type) : std::nullopt)
    names_.consts[decl.name.text] = std::move(*value);
}

void Declarer::check_functions(int& local_count) {
  for (const auto& [name, declared] : names_.functions) {
    if (declared.home != &names_) continue;
    const ast::FnDecl* fn = declared.decl;
    Scope scope;
    scope.place = Place::Event;
    TypeResolver resolver(names_, types_, diags_);
    bool typed_fully = fn->result != nullptr;
    for (const ast::Parameter& param : fn->params) {
      if (!param.type) {
        typed_fully = false;
        continue;
      }
      scope.locals.push_back({param.name.text, local_count++, resolver.resolve(*param.type)});
    }
    if (!typed_fully || !fn->body) continue;  // checked where it is called
    exprs_.check_as(*fn->body, scope, resolver.resolve(*fn->result));
  }
  for (const auto& [name, declared] : names_.aggregates) {
    if (declared.home == &names_) exprs_.check_own_alone(*declared.decl);
  }
}

}  // namespace mut::sema
