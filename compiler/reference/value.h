// Values of the reference interpreter: plain, copied freely, compared by the rules of the language.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "compiler/reference/decimal.h"
#include "compiler/typed/type.h"

namespace mut::reference {

// A list or record shares its parts, which never change. Which types a kind of value stands for:
//   bool; int64: integers, time, duration, enum (index); uint64: u64; double: float and f32;
//   string: text, bytes, json (as its text); parts: list, record; map: map; nothing: none.
//   A secret is what it holds.
class Value {
 public:
  using Parts = std::vector<Value>;
  Value() = default;
  Value(bool value) : value_(value) {}                    // NOLINT: a value is what it holds
  Value(int64_t value) : value_(value) {}                 // NOLINT
  Value(uint64_t value) : value_(value) {}                // NOLINT
  Value(double value) : value_(value) {}                  // NOLINT
  Value(std::string value) : value_(std::move(value)) {}  // NOLINT
  Value(Decimal value) : value_(std::move(value)) {}      // NOLINT
  // Entries in the order in which their keys came first; each is the parts { key, value }.
  struct Entries {
    Parts entries;
  };
  Value(Entries map) : value_(std::make_shared<const Entries>(std::move(map))) {}  // NOLINT
  Value(Parts parts) : value_(std::make_shared<const Parts>(std::move(parts))) {}  // NOLINT

  bool is_none() const { return value_.index() == 0; }
  bool is_map() const { return value_.index() == 8; }
  bool is_decimal() const { return value_.index() == 7; }
  bool is_text() const { return value_.index() == 5; }
  bool is_float() const { return value_.index() == 4; }
  bool is_unsigned() const { return value_.index() == 3; }
  bool is_int() const { return value_.index() == 2; }
  bool is_bool() const { return value_.index() == 1; }
  bool as_bool() const { return std::get<bool>(value_); }
  int64_t as_int() const { return std::get<int64_t>(value_); }
  uint64_t as_uint() const { return std::get<uint64_t>(value_); }
  double as_float() const { return std::get<double>(value_); }
  const std::string& as_text() const { return std::get<std::string>(value_); }
  const Decimal& as_decimal() const { return std::get<Decimal>(value_); }
  const Parts& parts() const { return *std::get<std::shared_ptr<const Parts>>(value_); }
  const Parts& entries() const { return std::get<std::shared_ptr<const Entries>>(value_)->entries; }
  size_t kind() const { return value_.index(); }

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, std::shared_ptr<const Parts>,
               Decimal, std::shared_ptr<const Entries>>
      value_;
};

Value from_const(const typed::Const& value, typed::TypeRef type);

// The one total order of rule 3.10: below, at or above zero. Both of one type, or none.
int total_order(const Value& a, const Value& b);
// A map of entries in which keys may come again: the last value counts, at the place of the first.
Value map_of(const Value::Parts& entries);
// The value of `key`, or null.
const Value* find_in_map(const Value& map, const Value& key);
// `==`: floats by IEEE 754, none equals none; maps in any order.
bool equal(const Value& a, const Value& b);
// An int against a float without rounding the int (rule 3.5). Unordered when the float is NaN.
std::partial_ordering compare_exact(int64_t a, double b);

// Values as keys of a map: by the total order, so -0.0 finds 0.0 and all NaN are one.
struct KeyLess {
  bool operator()(const std::vector<Value>& a, const std::vector<Value>& b) const;
};
using Key = std::vector<Value>;

}  // namespace mut::reference
