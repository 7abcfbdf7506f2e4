// Rows as JSON lines and CSV: rules 6.14 and 6.16.
#include <cmath>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/json.h"
#include "runtime/codec/text/base64.h"

namespace mut::reference {

using typed::Kind;
using typed::TypeRef;

namespace {

std::string base64(const std::string& bytes) {
  std::string out(text::base64_size(bytes.size()), '\0');
  text::format_base64(bytes, out.data());
  return out;
}

std::string parts_to_json(const Value& value, TypeRef type) {
  bool record = type->kind == Kind::Record;
  std::string out = record ? "{" : "[";
  for (size_t i = 0; i < value.parts().size(); ++i) {
    if (i > 0) out += ",";
    if (record) out += quote_json(type->fields[i].name) + ":";
    out += to_json(value.parts()[i], record ? type->fields[i].type : type->element);
  }
  return out + (record ? "}" : "]");
}

// Keys are text, whatever they are.
std::string map_to_json(const Value& value, TypeRef type) {
  std::string out = "{";
  for (const Value& entry : value.entries()) {
    if (out.size() > 1) out += ",";
    out += quote_json(plain_text(entry.parts()[0], type->key())) + ":";
    out += to_json(entry.parts()[1], type->value());
  }
  return out + "}";
}

std::string csv_cell(const std::string& text, char separator) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  bool quote = text.empty() || blank(text.front()) || blank(text.back()) ||
               text.find_first_of(std::string("\"\r\n") + separator) != std::string::npos;
  if (!quote) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string quote_json(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    constexpr std::string_view plain = "\"\\\n\r\t";
    constexpr std::string_view codes = "\"\\nrt";
    if (size_t index = plain.find(c); index != std::string_view::npos) {
      out += {'\\', codes[index]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char hex[] = "0123456789abcdef";
      out += {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string to_json(const Value& value, TypeRef type) {
  if (value.is_none()) return "null";
  if (type->kind == Kind::Optional) type = type->element;
  switch (type->kind) {
    case Kind::Secret:
      return "\"***\"";
    case Kind::Map:
      return map_to_json(value, type);
    case Kind::List:
    case Kind::Record:
      return parts_to_json(value, type);
    case Kind::Json:
      return value.as_text();
    case Kind::Bytes:
      return "\"" + base64(value.as_text()) + "\"";
    case Kind::Float:
    case Kind::F32:
      if (!std::isfinite(value.as_float())) return "\"" + plain_text(value, type) + "\"";
      return plain_text(value, type);
    case Kind::String:
    case Kind::Time:
    case Kind::Duration:
    case Kind::Enum:
      return quote_json(plain_text(value, type));
    default:
      return plain_text(value, type);
  }
}

std::string to_csv(const Value::Parts& row, TypeRef record, char separator) {
  std::string out;
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += separator;
    if (row[i].is_none()) continue;
    TypeRef type = record->fields[i].type;
    if (type->kind == Kind::Optional) type = type->element;
    bool nested = typed::holds_values(type);
    std::string text = nested                      ? to_json(row[i], type)
                       : type->kind == Kind::Bytes ? base64(row[i].as_text())
                                                   : plain_text(row[i], type);
    out += csv_cell(text, separator);
  }
  return out;
}

std::string csv_header(TypeRef record, char separator) {
  std::string out;
  for (const typed::Field& field : record->fields) {
    if (&field != record->fields.data()) out += separator;
    out += csv_cell(field.name, separator);
  }
  return out;
}

}  // namespace mut::reference
