// Types as data: what the runtime needs to know of a type in order to read, write, copy, compare and
// hash its values. The compiler makes these from its own types; the runtime never sees those.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut::abi {

enum class TypeKind : uint8_t {
  Bool,
  I8,
  I16,
  I32,
  I64,
  U8,
  U16,
  U32,
  U64,
  F32,
  F64,
  String,
  Bytes,
  Json,  // MutStr; Json holds JSON text
  Time,
  Duration,  // i64 nanoseconds
  Enum,      // i32
  Optional,
  List,
  Record,
  Decimal,  // i128 units of 10^-scale
  Map,      // a list of records { key, value }, no key twice
};

struct TypeDesc;
using TypeDescRef = std::shared_ptr<const TypeDesc>;  // immutable, shared between versions

// A value in memory layout, with the texts and elements that it points to: its addresses are its own, so it
// is shared and never copied. Immutable once made.
struct OwnedValue {
  std::vector<char> bytes;
  std::vector<std::unique_ptr<const std::vector<char>>> pieces;

  OwnedValue() = default;
  OwnedValue(const OwnedValue&) = delete;
  OwnedValue& operator=(const OwnedValue&) = delete;
};

struct FieldDesc {
  std::string name;
  std::string input_name;  // name in the input; differs from `name` for `id from "Invoice No"`
  TypeDescRef type;
  uint32_t offset = 0;       // bytes from the start of the record
  bool has_default = false;  // default_value is the value of an absent field, as JSON text
  std::string default_json;
  std::shared_ptr<const OwnedValue> default_value;  // the same as rows have it; null: it has none
  std::string was;                                  // its name before an edit; empty: the same
};

// A field that the engine gives a record: it comes from no input.
inline FieldDesc made_field(std::string name, TypeDescRef type) {
  FieldDesc out;
  out.name = std::move(name);
  out.type = std::move(type);
  return out;
}

struct TypeDesc {
  TypeKind kind = TypeKind::Bool;
  uint32_t size = 1;                // bytes, a multiple of align
  uint32_t align = 1;               // bytes
  TypeDescRef element;              // Optional, List, Map
  uint32_t present_offset = 0;      // Optional
  std::vector<FieldDesc> fields;    // Record
  std::vector<std::string> values;  // Enum, in order
  uint32_t scale = 0;               // Decimal: digits behind the point
  bool secret = false;              // of a secret<T>, laid out as T: never written as text
};

TypeDescRef make_scalar(TypeKind kind);
TypeDescRef make_decimal(uint32_t scale);
TypeDescRef make_enum(std::vector<std::string> values);
TypeDescRef make_optional(TypeDescRef element);
TypeDescRef make_list(TypeDescRef element);
TypeDescRef make_map(TypeDescRef key, TypeDescRef value);
TypeDescRef make_secret(const TypeDesc& type);
// Computes offsets, size and alignment; `offset` of the given fields is ignored.
TypeDescRef make_record(std::vector<FieldDesc> fields);

bool same_layout(const TypeDesc& a, const TypeDesc& b);
// Whether values hold text, lists or maps, which live outside of the value.
bool has_references(const TypeDesc& type);

}  // namespace mut::abi
