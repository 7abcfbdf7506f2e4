#include "compiler/reference/decode.h"

#include <cmath>

#include "runtime/codec/text/base64.h"
#include "runtime/codec/text/number.h"

namespace mut::reference {

using typed::Kind;
using typed::TypeRef;

namespace {

template <typename T>
std::optional<Value> maybe(const std::optional<T>& value) {
  if (!value) return std::nullopt;
  return Value(*value);
}

std::optional<Value> in_range(std::optional<int64_t> value, Kind kind) {
  if (!value) return std::nullopt;
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;
  if (kind == Kind::I8 || kind == Kind::I16 || kind == Kind::I32) {
    int bits = kind == Kind::I8 ? 7 : kind == Kind::I16 ? 15 : 31;
    high = (int64_t{1} << bits) - 1;
    low = -high - 1;
  } else if (kind != Kind::Int) {
    low = 0;
    high = (int64_t{1} << (kind == Kind::U8 ? 8 : kind == Kind::U16 ? 16 : 32)) - 1;
  }
  if (*value < low || *value > high) return std::nullopt;
  return Value(*value);
}

std::optional<Value> name_of(const std::string& text, TypeRef type) {
  for (size_t i = 0; i < type->values.size(); ++i) {
    if (type->values[i] == text) return Value(static_cast<int64_t>(i));
  }
  return std::nullopt;
}

std::optional<Value> bytes_of(const std::string& text) {
  std::string out(text::base64_bytes_max(text.size()) + 4, '\0');
  auto size = text::parse_base64(text, out.data());
  if (!size) return std::nullopt;
  out.resize(*size);
  return Value(out);
}

std::optional<Value> float_of(const std::string& text, Kind kind) {
  if (kind == Kind::Float) return maybe(text::parse_float(text));
  auto narrow = text::parse_float32(text);
  if (!narrow) return std::nullopt;
  return Value(static_cast<double>(*narrow));
}

std::optional<Value> number_value(const Json& json, TypeRef type, text::TimeUnit unit) {
  switch (type->kind) {
    case Kind::Float:
    case Kind::F32:
      return float_of(json.text, type->kind);
    case Kind::Decimal:
      return maybe(parse_decimal(json.text, type->scale));
    case Kind::U64:
      return maybe(text::whole_number_unsigned(json.text));
    case Kind::Time:
    case Kind::Duration:
      return maybe(text::scaled_number(json.text, static_cast<int64_t>(unit)));
    default:
      if (!typed::is_integer(type->kind)) return std::nullopt;
      return in_range(text::whole_number(json.text), type->kind);
  }
}

std::optional<Value> text_value(const std::string& text, TypeRef type, text::TimeUnit unit) {
  switch (type->kind) {
    case Kind::String:
      return Value(text);
    case Kind::Float:
    case Kind::F32:
      if (text != "NaN" && text != "Infinity" && text != "-Infinity") return std::nullopt;
      return float_of(text, type->kind);
    case Kind::Decimal:
      return maybe(parse_decimal(text, type->scale));
    case Kind::Bytes:
      return bytes_of(text);
    case Kind::Time:
      return maybe(text::parse_input_time(text, unit));
    case Kind::Duration:
      return maybe(text::parse_input_duration(text, unit));
    case Kind::Enum:
      return name_of(text, type);
    default:
      return std::nullopt;
  }
}

std::optional<Value> record_value(const Json& json, TypeRef type, text::TimeUnit unit) {
  Value::Parts parts;
  for (const typed::Field& field : type->fields) {
    const Json* member = json.find(field.input_name.empty() ? field.name : field.input_name);
    bool absent = member == nullptr || (member->kind == Json::Kind::Null && field.type->kind != Kind::Json);
    auto value = absent ? value_of_nothing(field) : value_of(*member, field.type, unit);
    if (!value) return std::nullopt;
    parts.push_back(std::move(*value));
  }
  return Value(std::move(parts));
}

// Every key is text, and read as a cell of CSV is.
std::optional<Value> map_value(const Json& json, TypeRef type, text::TimeUnit unit) {
  Value::Parts entries;
  for (size_t i = 0; i < json.items.size(); ++i) {
    auto key = value_of_cell(json.names[i], type->key(), unit);
    auto value = value_of(json.items[i], type->value(), unit);
    if (!key || !value) return std::nullopt;
    entries.emplace_back(Value::Parts{std::move(*key), std::move(*value)});
  }
  return map_of(entries);
}

}  // namespace

std::optional<Value> value_of_nothing(const typed::Field& field) {
  if (field.default_value) return from_const(*field.default_value, field.type);
  if (field.type->kind == Kind::Optional) return Value();
  return std::nullopt;
}

std::optional<Value> value_of(const Json& json, TypeRef type, text::TimeUnit unit) {
  if (type->kind == Kind::Json) return Value(json.raw);
  if (type->kind == Kind::Secret) return value_of(json, type->element, unit);
  if (type->kind == Kind::Optional) {
    if (json.kind == Json::Kind::Null) return Value();
    return value_of(json, type->element, unit);
  }
  switch (json.kind) {
    case Json::Kind::Null:
      return std::nullopt;
    case Json::Kind::Bool:
      return type->kind == Kind::Bool ? std::optional<Value>(json.truth) : std::nullopt;
    case Json::Kind::Number:
      return number_value(json, type, unit);
    case Json::Kind::Text:
      return text_value(json.text, type, unit);
    case Json::Kind::List: {
      if (type->kind != Kind::List) return std::nullopt;
      Value::Parts parts;
      for (const Json& item : json.items) {
        auto value = value_of(item, type->element, unit);
        if (!value) return std::nullopt;
        parts.push_back(std::move(*value));
      }
      return Value(std::move(parts));
    }
    case Json::Kind::Record:
      if (type->kind == Kind::Map) return map_value(json, type, unit);
      return type->kind == Kind::Record ? record_value(json, type, unit) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Value> value_of_cell(const std::string& text, TypeRef type, text::TimeUnit unit) {
  if (type->kind == Kind::Optional) type = type->element;
  if (type->kind == Kind::Secret) return value_of_cell(text, type->element, unit);
  switch (type->kind) {
    case Kind::Bool:
      if (text != "true" && text != "false") return std::nullopt;
      return Value(text == "true");
    case Kind::Float:
    case Kind::F32:
      return float_of(text, type->kind);
    case Kind::U64:
      return maybe(text::parse_uint(text));
    case Kind::List:
    case Kind::Map:
    case Kind::Record:
    case Kind::Json: {
      auto json = parse_json(text);
      return json ? value_of(*json, type, unit) : std::nullopt;
    }
    default:
      if (typed::is_integer(type->kind)) return in_range(text::parse_int(text), type->kind);
      return text_value(text, type, unit);
  }
}

}  // namespace mut::reference
