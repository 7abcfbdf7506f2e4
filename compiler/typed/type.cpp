#include "compiler/typed/type.h"

#include <array>

namespace mut::typed {
namespace {

constexpr std::array scalar_names = {"?",   "none",   "bool",  "int",  "i8",      "i16",
                                     "i32", "u8",     "u16",   "u32",  "u64",     "float",
                                     "f32", "string", "bytes", "time", "duration"};

}  // namespace

int Type::field_index(std::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

bool same(TypeRef a, TypeRef b) {
  return a == b || a->kind == Kind::Error || b->kind == Kind::Error || a->text == b->text;
}

bool is_small_int(Kind kind) { return kind >= Kind::I8 && kind <= Kind::U32; }
bool is_integer(Kind kind) { return kind >= Kind::Int && kind <= Kind::U64; }
bool is_number(Kind kind) { return kind >= Kind::Int && kind <= Kind::F32; }

TypeRef without_none(TypeRef type) {
  return type != nullptr && type->kind == Kind::Optional ? type->element : type;
}

bool is_scalar(TypeRef type) {
  switch (without_none(type)->kind) {
    case Kind::Bool:
    case Kind::Time:
    case Kind::Duration:
    case Kind::Enum:
    case Kind::Decimal:
      return true;
    default:
      return is_number(without_none(type)->kind);
  }
}

bool is_ordered(TypeRef type) {
  return (type->kind >= Kind::Bool && type->kind <= Kind::Enum) || type->kind == Kind::Decimal ||
         type->kind == Kind::Error;
}

bool has_equality(TypeRef type) {
  switch (type->kind) {
    case Kind::Json:
    case Kind::Secret:
      return false;
    case Kind::Optional:
    case Kind::List:
    case Kind::Map:
      return has_equality(type->element);
    case Kind::Record:
      for (const Field& field : type->fields) {
        if (!has_equality(field.type)) return false;
      }
      return true;
    default:
      return true;
  }
}

bool holds_values(TypeRef type) {
  return type->kind == Kind::List || type->kind == Kind::Record || type->kind == Kind::Map;
}

bool is_kept_as_words(TypeRef type) {
  while (type->kind == Kind::Optional || type->kind == Kind::Secret) type = type->element;
  return !holds_values(type);
}

bool is_key(TypeRef type) {
  TypeRef inner = without_none(type);
  return has_equality(inner) && !holds_values(inner) && inner->kind != Kind::None;
}

bool is_map_key(TypeRef type) {
  switch (type->kind) {
    case Kind::Bool:
    case Kind::String:
    case Kind::Time:
    case Kind::Duration:
    case Kind::Enum:
    case Kind::Decimal:
      return true;
    default:
      return is_integer(type->kind);
  }
}

bool has_secret(TypeRef type) {
  switch (type->kind) {
    case Kind::Secret:
      return true;
    case Kind::Optional:
    case Kind::List:
    case Kind::Map:
      return has_secret(type->element);
    case Kind::Record:
      for (const Field& field : type->fields) {
        if (has_secret(field.type)) return true;
      }
      return false;
    default:
      return false;
  }
}

std::optional<std::string> secret_field(TypeRef record) {
  for (const Field& field : record->fields) {
    if (!has_secret(field.type)) continue;
    TypeRef inner = without_none(field.type);
    auto part = inner->kind == Kind::Record ? secret_field(inner) : std::nullopt;
    return part ? field.name + "." + *part : field.name;
  }
  return std::nullopt;
}

bool widening_can_fail(TypeRef from, TypeRef to) {
  if (same(from, to)) return false;
  if (to->kind == Kind::Optional)
    return widening_can_fail(from->kind == Kind::Optional ? from->element : from, to->element);
  switch (to->kind) {
    case Kind::Decimal: {
      constexpr int int_scale_max = 19;  // 2^63 × 10^19 has 38 digits
      return from->kind == Kind::Decimal || (from->kind == Kind::Int && to->scale > int_scale_max);
    }
    case Kind::List:
    case Kind::Map:
      return from->kind == to->kind && widening_can_fail(from->element, to->element);
    case Kind::Secret:
      return widening_can_fail(from->kind == Kind::Secret ? from->element : from, to->element);
    case Kind::Record:
      for (const Field& field : to->fields) {
        int index = from->field_index(field.name);
        if (index >= 0 && widening_can_fail(from->fields[static_cast<size_t>(index)].type, field.type))
          return true;
      }
      return false;
    default:
      return false;
  }
}

TypeTable::TypeTable() {
  for (const char* name : scalar_names) {
    Type& scalar = add(static_cast<Kind>(scalars_.size()), nullptr, name);
    scalars_.push_back(&scalar);
  }
  scalars_.resize(static_cast<size_t>(Kind::Json) + 1, nullptr);
  scalars_[static_cast<size_t>(Kind::Json)] = &add(Kind::Json, nullptr, "json");
}

Type& TypeTable::add(Kind kind, TypeRef element, std::string text) {
  Type& type = types_.emplace_back();
  type.kind = kind;
  type.element = element;
  type.text = std::move(text);
  return type;
}

TypeRef TypeTable::optional(TypeRef element) {
  if (element->kind == Kind::Optional || element->kind == Kind::Error || element->kind == Kind::None)
    return element;
  TypeRef& slot = optionals_[element];
  if (slot == nullptr) slot = &add(Kind::Optional, element, element->text + "?");
  return slot;
}

TypeRef TypeTable::list(TypeRef element) {
  TypeRef& slot = lists_[element];
  if (slot == nullptr) slot = &add(Kind::List, element, "[" + element->text + "]");
  return slot;
}

TypeRef TypeTable::map(TypeRef key, TypeRef value) {
  TypeRef& slot = maps_[{key, value}];
  if (slot == nullptr) {
    std::vector<Field> entry(2);
    entry[0].name = "key";
    entry[0].type = key;
    entry[1].name = "value";
    entry[1].type = value;
    TypeRef entries = record(std::move(entry));
    slot = &add(Kind::Map, entries, "map<" + key->text + ", " + value->text + ">");
  }
  return slot;
}

TypeRef TypeTable::secret(TypeRef element) {
  if (element->kind == Kind::Error || element->kind == Kind::Secret) return element;
  if (element->kind == Kind::Optional) return optional(secret(element->element));
  TypeRef& slot = secrets_[element];
  if (slot == nullptr) slot = &add(Kind::Secret, element, "secret<" + element->text + ">");
  return slot;
}

TypeRef TypeTable::decimal(int scale) {
  TypeRef& slot = decimals_[scale];
  if (slot == nullptr) {
    Type& type = add(Kind::Decimal, nullptr, "decimal(" + std::to_string(scale) + ")");
    type.scale = scale;
    slot = &type;
  }
  return slot;
}

TypeRef TypeTable::record(std::vector<Field> fields) {
  types_.push_back({});
  Type& type = types_.back();
  type.kind = Kind::Record;
  type.text = "{ ";
  for (const Field& field : fields) {
    if (&field != fields.data()) type.text += ", ";
    type.text += field.name + ": " + field.type->text;
  }
  type.text += fields.empty() ? "}" : " }";
  type.fields = std::move(fields);
  return &type;
}

TypeRef TypeTable::enumeration(std::string name, std::vector<std::string> values) {
  Type& type = add(Kind::Enum, nullptr, name);
  type.enum_name = std::move(name);
  type.values = std::move(values);
  return &type;
}

}  // namespace mut::typed
