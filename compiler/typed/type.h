// Types of the language, interned for one Program.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mut::typed {

enum class Kind : uint8_t {
  Error,  // of an expression already reported; fits everywhere
  None,   // of a bare `none`
  Bool,
  Int,
  I8,
  I16,
  I32,
  U8,
  U16,
  U32,
  U64,
  Float,
  F32,
  String,
  Bytes,
  Time,
  Duration,
  Enum,
  Optional,
  List,
  Record,
  Json,
  Decimal,
  Map,
  Secret,
};

// Of a decimal: how many of 10^-scale it is.
using Units = __int128;
constexpr int scale_max = 28;  // digits of a decimal behind the point

// A value known at compile time. u64 is kept as its bits; a list or record as its parts in order,
// a map as parts that are its entries, each of a key and a value; enum as index; time and duration as
// nanoseconds.
struct Const {
  using Parts = std::vector<Const>;
  struct Decimal {
    Units units = 0;
    friend bool operator==(const Decimal&, const Decimal&) = default;
  };
  // monostate: none
  std::variant<std::monostate, bool, int64_t, double, std::string, Parts, Decimal> value;

  bool is_none() const { return value.index() == 0; }
  bool as_bool() const { return std::get<bool>(value); }
  int64_t as_int() const { return std::get<int64_t>(value); }
  double as_float() const { return std::get<double>(value); }
  const std::string& as_text() const { return std::get<std::string>(value); }
  const Parts& parts() const { return std::get<Parts>(value); }
  Units as_decimal() const { return std::get<Decimal>(value).units; }
  friend bool operator==(const Const&, const Const&) = default;
};

struct Type;
using TypeRef = const Type*;

struct Field {
  std::string name;
  TypeRef type = nullptr;
  std::optional<Const> default_value;  // `n: int = 0`
  std::string input_name;              // `id from "Invoice No"`; empty: as `name`
  std::string was;                     // `total was amount`; empty: no rename
};

struct Type {
  Kind kind = Kind::Error;
  TypeRef element = nullptr;        // Optional, List, Secret; Map: its entries, { key, value }
  std::vector<Field> fields;        // Record
  std::string enum_name;            // Enum
  std::vector<std::string> values;  // Enum
  int scale = 0;                    // Decimal: digits behind the point
  std::string text;                 // as a script writes it; equal texts = same type, defaults aside

  // Index of the field, or -1.
  int field_index(std::string_view name) const;
  // Of a map.
  TypeRef key() const { return element->fields[0].type; }
  TypeRef value() const { return element->fields[1].type; }
};

bool same(TypeRef a, TypeRef b);
bool is_small_int(Kind kind);        // i8 … u32: arithmetic happens in int
bool is_integer(Kind kind);          // int and all sized ones
bool is_number(Kind kind);           // integers and floats, not decimals
TypeRef without_none(TypeRef type);  // `T` of `T?`, else the type itself; null stays null
bool is_scalar(TypeRef type);        // of a fixed size, or that or none: no text, list, map or record
bool is_ordered(TypeRef type);       // rule 3.9
bool has_equality(TypeRef type);
bool holds_values(TypeRef type);  // a list, record or map: of one value or of many, each of its own
// Whether a variable of the script is kept as words of a row: one value or none, of a secret too; what
// holds_values() is kept packed.
bool is_kept_as_words(TypeRef type);
bool is_key(TypeRef type);      // what events can be grouped and joined by: one value that has equality
bool is_map_key(TypeRef type);  // what a map can have as its keys
bool has_secret(TypeRef type);  // is a secret, or holds one
// The path to a field of the record that is a secret or holds one in a list or map; empty: there is none.
std::optional<std::string> secret_field(TypeRef record);
// Whether widening a value may find that it has more digits than the type holds: an event error.
bool widening_can_fail(TypeRef from, TypeRef to);

// Owns types. Pointers live as long as the table.
class TypeTable {
 public:
  TypeTable();
  TypeRef scalar(Kind kind) const { return scalars_[static_cast<size_t>(kind)]; }
  TypeRef optional(TypeRef element);  // rule 3.17: T?? is T?
  TypeRef list(TypeRef element);
  TypeRef map(TypeRef key, TypeRef value);
  TypeRef secret(TypeRef element);  // secret<T?> is secret<T>?
  TypeRef decimal(int scale);
  TypeRef record(std::vector<Field> fields);
  TypeRef enumeration(std::string name, std::vector<std::string> values);

 private:
  Type& add(Kind kind, TypeRef element, std::string text);

  std::deque<Type> types_;
  std::vector<TypeRef> scalars_;
  std::map<TypeRef, TypeRef> optionals_;
  std::map<TypeRef, TypeRef> lists_;
  std::map<std::pair<TypeRef, TypeRef>, TypeRef> maps_;
  std::map<TypeRef, TypeRef> secrets_;
  std::map<int, TypeRef> decimals_;
};

}  // namespace mut::typed
