// What the names of a script stand for.
#pragma once
#include <map>
#include <string>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/syntax/ast.h"
#include "compiler/typed/program.h"

namespace mut::sema {

struct ConstValue {
  typed::TypeRef type = nullptr;
  typed::Const value;
};

struct Names;

// A declaration whose body is checked where it is used, with the names of the file it stands in.
template <typename Decl>
struct Homed {
  const Decl* decl = nullptr;
  const Names* home = nullptr;
};

struct Names {
  bool broken = false;  // of a module that could not be read: what is looked up in it is no error of its own
  std::map<std::string, typed::TypeRef, std::less<>> types;  // `type` and `enum`
  std::map<std::string, ConstValue, std::less<>> consts;
  std::map<std::string, const ast::RegexLit*, std::less<>> regexes;  // consts
  std::map<std::string, const Names*, std::less<>> modules;          // imported ones
  std::map<std::string, int, std::less<>> params;                    // index into Program::params
  std::map<std::string, Homed<ast::FnDecl>, std::less<>> functions;
  std::map<std::string, Homed<ast::OperatorDecl>, std::less<>> operators;
  std::map<std::string, Homed<ast::AggregateDecl>, std::less<>> aggregates;
};

// A type as written. Reports and returns the error type when a name is unknown.
class TypeResolver {
 public:
  TypeResolver(const Names& names, typed::TypeTable& types, diag::Engine& diags)
      : names_(names), types_(types), diags_(diags) {}
  typed::TypeRef resolve(const ast::TypeExpr& type);

 private:
  typed::TypeRef resolve_named(const ast::NamedType& named, source::Span span);
  typed::TypeRef resolve_map(const ast::NamedType& named, source::Span span);
  typed::TypeRef resolve_secret(const ast::NamedType& named, source::Span span);
  typed::TypeRef resolve_record(const ast::RecordType& record);
  typed::TypeRef resolve_decimal(const ast::DecimalType& decimal, source::Span span);
  const Names& names_;
  typed::TypeTable& types_;
  diag::Engine& diags_;
};

template <typename Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> out;
  for (const auto& entry : map) out.push_back(entry.first);
  return out;
}

}  // namespace mut::sema
