// Names of one file: types, constants, functions, aggregates and operators, its own and those it imports.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/sema/check.h"
#include "compiler/sema/expr_checker.h"
#include "compiler/sema/test_version.h"

namespace mut::sema {

// Modules that a version imports, each declared once. Owns their names.
struct ModuleTable {
  ModuleReader* reader = nullptr;                       // null: nothing can be imported
  std::map<std::string, std::unique_ptr<Names>> known;  // by key; null after an error
  Names broken{.broken = true};                         // stands for those that could not be read
  std::vector<std::string> open;                        // modules that are being declared, outermost first
};

class Declarer {
 public:
  Declarer(Names& names, ModuleTable& modules, typed::TypeTable& types, ExprChecker& exprs,
           diag::Engine& diags)
      : names_(names), modules_(modules), types_(types), exprs_(exprs), diags_(diags) {}

  void declare(const Declarations& declarations);
  // False after a report: the name of a param is taken.
  bool take_value(const ast::Ident& name) { return take(values_, name); }
  // Each function once by itself, so that a wrong one is told about also when nobody calls it.
  void check_functions(int& local_count);

 private:
  using Taken = std::map<std::string, source::Span>;
  bool take(Taken& taken, const ast::Ident& name);
  void warn_of_builtin(const ast::Ident& name);
  void take_inner(const std::vector<ast::Parameter>& parameters, const std::vector<ast::Ident>& states);
  void import(const ast::ImportDecl& decl, source::Span span);
  Names* module(const ast::ImportDecl& decl, source::Span span);
  void take_single(const ast::Ident& name, const Names& from, const std::string& module);
  void declare_types(const Declarations& declarations);
  using Pending = std::map<std::string, const ast::TypeDecl*>;
  void resolve_type(const std::string& name, const Pending& pending, std::vector<std::string>& stack);
  void resolve_needed(const ast::TypeExpr& type, const Pending& pending, std::vector<std::string>& stack);
  void declare_constant(const ast::ConstDecl& decl);

  Names& names_;
  ModuleTable& modules_;
  typed::TypeTable& types_;
  ExprChecker& exprs_;
  diag::Engine& diags_;
  Taken type_names_;
  Taken values_;
  Taken functions_;  // functions, aggregates, operators
  Taken module_names_;
};

}  // namespace mut::sema
