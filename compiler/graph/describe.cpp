#include <algorithm>
#include <cstring>

#include "compiler/graph/graph.h"
#include "runtime/abi/value.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"

namespace mut::graph {

using abi::TypeKind;
using typed::Kind;

namespace {

std::string json_text(const typed::Const& value, typed::TypeRef type);

// Keys are text.
std::string map_text(const typed::Const& map, typed::TypeRef type) {
  std::string out = "{";
  for (const typed::Const& entry : map.parts()) {
    if (out.size() > 1) out += ",";
    std::string key = json_text(entry.parts()[0], type->key());
    out += (key.starts_with('"') ? key : "\"" + key + "\"") + ":";
    out += json_text(entry.parts()[1], type->value());
  }
  return out + "}";
}

// A default as the JSON text that the readers decode like any value.
std::string json_text(const typed::Const& value, typed::TypeRef type) {
  if (value.is_none()) return "null";
  if (type->kind == Kind::Secret) return json_text(value, type->element);
  typed::TypeRef scalar = type->kind == Kind::Optional ? type->element : type;
  if (scalar->kind == Kind::Secret) return json_text(value, scalar->element);
  switch (value.value.index()) {
    case 1:
      return value.as_bool() ? "true" : "false";
    case 2:
      if (scalar->kind == Kind::Enum)
        return "\"" + scalar->values[static_cast<size_t>(value.as_int())] + "\"";
      if (scalar->kind == Kind::Time) {
        char buffer[text::time_bytes_max];
        return "\"" + std::string(buffer, text::format_time(value.as_int(), buffer)) + "\"";
      }
      if (scalar->kind == Kind::Duration) {
        char buffer[text::duration_bytes_max];
        return "\"" + std::string(buffer, text::format_duration(value.as_int(), buffer)) + "\"";
      }
      return std::to_string(value.as_int());
    case 3: {
      char buffer[text::float_bytes_max];
      return std::string(buffer, text::format_float(value.as_float(), buffer));
    }
    case 4: {
      std::string out = "\"";
      for (char c : value.as_text()) {
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr char hex[] = "0123456789abcdef";
          out += {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
          continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      return out + "\"";
    }
    case 6: {
      char buffer[decimal::bytes_max];
      return std::string(buffer, decimal::format(value.as_decimal(), scalar->scale, buffer));
    }
    default: {
      if (scalar->kind == Kind::Map) return map_text(value, scalar);
      bool record = scalar->kind == Kind::Record;
      std::string out = record ? "{" : "[";
      for (size_t i = 0; i < value.parts().size(); ++i) {
        if (i > 0) out += ",";
        if (record) out += "\"" + scalar->fields[i].name + "\":";
        out += json_text(value.parts()[i], record ? scalar->fields[i].type : scalar->element);
      }
      return out + (record ? "}" : "]");
    }
  }
}

TypeKind scalar_kind(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return TypeKind::Bool;
    case Kind::I8:
      return TypeKind::I8;
    case Kind::I16:
      return TypeKind::I16;
    case Kind::I32:
      return TypeKind::I32;
    case Kind::U8:
      return TypeKind::U8;
    case Kind::U16:
      return TypeKind::U16;
    case Kind::U32:
      return TypeKind::U32;
    case Kind::U64:
      return TypeKind::U64;
    case Kind::Float:
      return TypeKind::F64;
    case Kind::F32:
      return TypeKind::F32;
    case Kind::String:
      return TypeKind::String;
    case Kind::Bytes:
      return TypeKind::Bytes;
    case Kind::Time:
      return TypeKind::Time;
    case Kind::Duration:
      return TypeKind::Duration;
    case Kind::Json:
      return TypeKind::Json;
    default:
      return TypeKind::I64;
  }
}

// Room for what a value points to.
char* add_piece(size_t bytes, abi::OwnedValue& owner) {
  auto piece = std::make_unique<std::vector<char>>(bytes);
  char* out = piece->data();
  owner.pieces.push_back(std::move(piece));
  return out;
}

// At `to`, which is zero.
void write(const typed::Const& value, const abi::TypeDesc& type, char* to, abi::OwnedValue& owner) {
  if (type.kind == TypeKind::Optional) {
    if (value.value.index() == 0) return;
    to[type.present_offset] = 1;
    return write(value, *type.element, to, owner);
  }
  auto put = [&](const auto& number) { memcpy(to, &number, std::min<size_t>(sizeof(number), type.size)); };
  switch (value.value.index()) {
    case 1:
      return put(value.as_bool());
    case 2:
      if (type.kind == TypeKind::F64) return put(static_cast<double>(value.as_int()));
      if (type.kind == TypeKind::F32) return put(static_cast<float>(value.as_int()));
      return put(value.as_int());  // little-endian: the low bytes are those of a narrower number
    case 3:
      return type.kind == TypeKind::F32 ? put(static_cast<float>(value.as_float())) : put(value.as_float());
    case 4: {
      const std::string& text = value.as_text();
      char* bytes = add_piece(text.size(), owner);
      memcpy(bytes, text.data(), text.size());
      return put(abi::make_str({bytes, text.size()}));
    }
    case 6:
      return put(value.as_decimal());
    default:
      break;
  }
  const typed::Const::Parts& parts = value.parts();
  if (type.kind == TypeKind::Record) {
    for (size_t i = 0; i < parts.size(); ++i)
      write(parts[i], *type.fields[i].type, to + type.fields[i].offset, owner);
    return;
  }
  char* elements = add_piece(parts.size() * type.element->size, owner);
  for (size_t i = 0; i < parts.size(); ++i)
    write(parts[i], *type.element, elements + i * type.element->size, owner);
  put(MutList{parts.size(), elements});
}

// A default as rows have it; null where it is of another type than its field.
std::shared_ptr<const abi::OwnedValue> kept_value(const typed::Const& value, const abi::TypeDesc& type) {
  const abi::TypeDesc& inner = type.kind == TypeKind::Optional ? *type.element : type;
  bool of_parts =
      inner.kind == TypeKind::List || inner.kind == TypeKind::Map || inner.kind == TypeKind::Record;
  bool has_parts = std::holds_alternative<typed::Const::Parts>(value.value);
  if (of_parts != has_parts && value.value.index() != 0) return nullptr;
  auto out = std::make_shared<abi::OwnedValue>();
  out->bytes.resize(type.size);
  write(value, type, out->bytes.data(), *out);
  return out;
}

}  // namespace

abi::TypeDescRef describe(typed::TypeRef type) {
  switch (type->kind) {
    case Kind::Optional:
      return abi::make_optional(describe(type->element));
    case Kind::List:
      return abi::make_list(describe(type->element));
    case Kind::Map:
      return abi::make_map(describe(type->key()), describe(type->value()));
    case Kind::Secret:
      return abi::make_secret(*describe(type->element));
    case Kind::Enum:
      return abi::make_enum(type->values);
    case Kind::Record: {
      std::vector<abi::FieldDesc> fields;
      for (const typed::Field& field : type->fields) {
        abi::FieldDesc out;
        out.name = field.name;
        out.input_name = field.input_name.empty() ? field.name : field.input_name;
        out.type = describe(field.type);
        out.has_default = field.default_value.has_value();
        out.was = field.was;
        if (field.default_value) {
          out.default_json = json_text(*field.default_value, field.type);
          out.default_value = kept_value(*field.default_value, *out.type);
        }
        fields.push_back(std::move(out));
      }
      return abi::make_record(std::move(fields));
    }
    case Kind::Decimal:
      return abi::make_decimal(static_cast<uint32_t>(type->scale));
    default:
      return abi::make_scalar(scalar_kind(type->kind));
  }
}

}  // namespace mut::graph
