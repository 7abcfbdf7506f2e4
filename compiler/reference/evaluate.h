// Expressions, by recursion over the checked tree.
#pragma once
#include <functional>
#include <map>
#include <vector>

#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

// Thrown when an event fails a stage; caught by `try` and where the stage is run.
struct EventFailure {
  typed::EventError error;
};
[[noreturn]] void fail(typed::EventError error);

// Draws of `generate`: where they come from.
struct Draws {
  uint64_t seed = 1;
  uint64_t number = 0;                              // n of the row
  std::map<const typed::Expr*, uint64_t> places{};  // running number of each call in the source
};
// Numbers the draw calls of a source's expressions, in order of their text.
std::map<const typed::Expr*, uint64_t> number_draws(const std::vector<typed::Output>& outputs);

// What an expression can see. Members that a place does not have stay empty.
struct Scope {
  const Value::Parts* fields = nullptr;
  int64_t time = 0;
  int64_t arrival = 0;
  uint64_t position = 0;  // of the record that is the cause, in its source
  const std::vector<Value>* params = nullptr;
  std::function<Value(size_t)> history{};    // result of Stage::histories[i]
  std::function<Value(size_t)> aggregate{};  // result of Stage::aggregates[i]
  const Key* keys = nullptr;
  int64_t window_start = 0;
  int64_t window_end = 0;
  const Draws* draws = nullptr;
  std::map<int, Value> locals{};
};

// Throws EventFailure.
Value evaluate(const typed::Expr& expr, Scope& scope);

// Pieces of it, in files of their own.
Value call_builtin(const typed::Expr& expr, const std::vector<Value>& args, const Scope& scope);
Value draw(const typed::Expr& expr, const std::vector<Value>& args, const Draws& draws);
Value binary(typed::Op op, const Value& a, typed::TypeRef a_type, const Value& b, typed::TypeRef b_type,
             typed::TypeRef result);
// Widening: only that to a decimal can fail.
// A decimal of the language; throws when it has too many digits.
Value fitting(Decimal value);
Value convert(const Value& value, typed::TypeRef from, typed::TypeRef to);
// `as`: throws when something would be lost (rule 3.7).
Value cast(const Value& value, typed::TypeRef from, typed::TypeRef to);
// A value as interpolation and `string(x)` print it.
std::string plain_text(const Value& value, typed::TypeRef type);
std::string format(const Value& value, typed::TypeRef type, const std::string& spec);

}  // namespace mut::reference
