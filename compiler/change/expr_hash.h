// What an expression computes, as a hash over the source fields, params and literals it is made from.
//
// Names of locals, the order of commutative operands, the direction of a comparison and arithmetic
// between literals do not enter: what enters is the value, not how it is written.
#pragma once
#include <map>
#include <memory>
#include <optional>

#include "compiler/change/hash.h"
#include "compiler/typed/program.h"

namespace mut::change {

enum class Detail : uint8_t {
  Params,       // params by name; widening conversions do not enter: the lineage of stored values
  ParamValues,  // the same with the declared values of params
  Exact,        // params by name, and the type of every step: equal hashes, equal machine code
};

struct Value {
  Hash hash;
  std::optional<typed::Const> literal{};  // known at compile time: bool, int or float
  // Of a joined record: what its fields are.
  std::shared_ptr<const std::vector<Value>> members{};
};

// What an expression of a stage can name.
struct Scope {
  const std::vector<Value>* fields = nullptr;  // of the record that enters the stage
  std::vector<Hash> histories;
  std::vector<Hash> keys;
  std::vector<Hash> aggregates;
  Hash window;
  std::map<int, Value> locals;
};

class ExprHasher {
 public:
  ExprHasher(const typed::Program& program, Detail detail) : program_(program), detail_(detail) {}

  Value value(const typed::Expr& expr, Scope& scope) const;
  Hash hash(const typed::Expr& expr, Scope& scope) const { return value(expr, scope).hash; }
  // Appends one hash per conjunct of a condition; `negated`: of its opposite.
  void conjuncts(const typed::Expr& condition, Scope& scope, bool negated, std::vector<Hash>& out) const;
  // Function, argument and order of an aggregate; not its filter.
  Hash call(const typed::AggregateCall& call, Scope& scope) const;
  Hash history(const typed::History& history, Scope& scope) const;
  Detail detail() const { return detail_; }

 private:
  Hash binary(const typed::Expr& expr, const Hash& left, const Hash& right) const;
  Hash plain(const typed::Expr& expr, Scope& scope) const;

  const typed::Program& program_;
  Detail detail_;
};

Hash constant_hash(const typed::Const& value, typed::TypeRef type);

}  // namespace mut::change
