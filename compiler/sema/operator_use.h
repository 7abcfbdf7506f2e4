// An operator of the script where it is used: what it was passed, and where the fields are that this reads.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "compiler/sema/expr_checker.h"

namespace mut::sema {

// A typed parameter is one value. One without type stands for the expression it was passed, over the
// fields of the event that enters the operator: also where a stage inside has made others of their names.
// Fields that such expressions read and a stage would lose are carried on beside the record, under names
// that no script can write, as far as the next `aggregate`.
struct OperatorUse {
  struct Argument {
    const ast::Parameter* parameter = nullptr;
    const ast::Expr* given = nullptr;
    typed::ExprPtr value;         // of a typed parameter; null: an expression over the event
    std::set<std::string> reads;  // names in the expression
  };

  const ast::OperatorDecl* decl = nullptr;
  source::Span span;
  ExprChecker::Context caller;       // where the arguments stand
  typed::TypeRef entered = nullptr;  // the record of the caller
  std::vector<Argument> arguments;   // by parameter
  std::vector<int> places;           // by field of `entered`: its place in the record that is here; -1: gone
  std::set<std::string> copies;      // fields carried beside the record

  const Argument* find(std::string_view name) const;
  // Whether all that the argument reads is still there.
  bool is_there(const Argument& argument) const;
  // Fields of `entered` that arguments read.
  std::vector<int> kept_fields() const;
};

}  // namespace mut::sema
