#include "compiler/session/test/literal.h"

#include <algorithm>

#include "compiler/printer/spelling.h"
#include "runtime/codec/text/base64.h"

namespace mut::session {
namespace {

using reference::Json;
using sema::TestValue;
using typed::Kind;
using typed::TypeRef;
using Named = std::vector<const TestValue*>;

std::optional<std::string> value_of(const Json& json, TypeRef type, const Named& named);

TypeRef plain(TypeRef type) { return type->kind == Kind::Optional ? type->element : type; }

std::optional<std::string> field_name(const std::string& name) {
  if (name.empty() || name.find_first_of("`\n") != std::string::npos) return std::nullopt;
  return printer::spell(ast::Ident{name, {}}, printer::NamePlace::Field);
}

// `+` stands in no exponent of a script.
std::string number(std::string text) {
  std::erase(text, '+');
  return text;
}

std::optional<std::string> bytes(const std::string& base64) {
  std::string out(text::base64_bytes_max(base64.size()), '\0');
  auto size = text::parse_base64(base64, out.data());
  if (!size) return std::nullopt;
  out.resize(*size);
  return printer::spell_bytes(out);
}

// Values of one list have one type in a script. `?`: none, which goes with every type.
std::string shape(const Json& json) {
  switch (json.kind) {
    case Json::Kind::Null:
      return "?";
    case Json::Kind::Bool:
      return "bool";
    case Json::Kind::Number:
      return json.text.find_first_of(".eE") == std::string::npos ? "int" : "float";
    case Json::Kind::Text:
      return "string";
    case Json::Kind::List:
      return json.items.empty() ? "[]" : "[" + shape(json.items[0]) + "]";
    case Json::Kind::Record: {
      std::string out = "{";
      for (size_t i = 0; i < json.items.size(); ++i) out += json.names[i] + ":" + shape(json.items[i]) + ",";
      return out + "}";
    }
  }
  return "";
}

bool one_type(const std::vector<Json>& items) {
  std::string known;
  for (const Json& item : items) {
    std::string of = shape(item);
    if (of == "?") continue;
    if (!known.empty() && of != known) return false;
    known = of;
  }
  return true;
}

// Of any shape: a value of type `json`.
std::optional<std::string> free_value(const Json& json) {
  std::string out;
  switch (json.kind) {
    case Json::Kind::Null:
      return "none";
    case Json::Kind::Bool:
      return json.truth ? "true" : "false";
    case Json::Kind::Number:
      return number(json.text);
    case Json::Kind::Text:
      return printer::quote(json.text);
    case Json::Kind::List:
    case Json::Kind::Record: {
      bool record = json.kind == Json::Kind::Record;
      if (!record && !one_type(json.items)) return std::nullopt;
      for (size_t i = 0; i < json.items.size(); ++i) {
        auto item = free_value(json.items[i]);
        auto name = record ? field_name(json.names[i]) : std::string();
        if (!item || !name) return std::nullopt;
        out += (out.empty() ? "" : ", ") + (record ? *name + ": " : "") + *item;
      }
      return record ? "{ " + out + " }" : "[" + out + "]";
    }
  }
  return std::nullopt;
}

std::optional<std::string> list_of(const Json& json, TypeRef type, const Named& named) {
  Named elements;
  for (const TestValue* list : named) {
    for (const TestValue& part : list->parts) elements.push_back(&part);
  }
  std::string out;
  for (const Json& item : json.items) {
    auto value = value_of(item, type->element, elements);
    if (!value) return std::nullopt;
    out += (out.empty() ? "" : ", ") + *value;
  }
  return "[" + out + "]";
}

std::optional<std::string> key_of(const std::string& text, TypeRef type) {
  Json json;
  json.text = text;
  json.truth = text == "true";
  json.kind = type->kind == Kind::Bool                                       ? Json::Kind::Bool
              : typed::is_integer(type->kind) || type->kind == Kind::Decimal ? Json::Kind::Number
                                                                             : Json::Kind::Text;
  return value_of(json, type, {});
}

std::optional<std::string> map_of(const Json& json, TypeRef type) {
  std::string out;
  for (size_t i = 0; i < json.items.size(); ++i) {
    auto key = key_of(json.names[i], type->key());
    auto value = value_of(json.items[i], type->value(), {});
    if (!key || !value) return std::nullopt;
    out += (out.empty() ? " " : ", ") + *key + ": " + *value;
  }
  return "map {" + out + (out.empty() ? "}" : " }");
}

std::optional<std::string> record_of(const Json& json, TypeRef type, const Named& named) {
  std::string out;
  for (size_t i = 0; i < type->fields.size(); ++i) {
    const typed::Field& field = type->fields[i];
    if (typed::has_secret(field.type)) continue;
    Named parts;
    for (const TestValue* row : named) {
      if (row->form == TestValue::Form::Record && row->parts[i].form != TestValue::Form::Unnamed)
        parts.push_back(&row->parts[i]);
    }
    bool records = std::any_of(named.begin(), named.end(),
                               [](const TestValue* row) { return row->form == TestValue::Form::Record; });
    if (records && parts.empty()) continue;
    const Json* item = json.find(field.name);
    auto name = field_name(field.name);
    auto value = item == nullptr ? std::optional<std::string>("none") : value_of(*item, field.type, parts);
    if (!name || !value) return std::nullopt;
    out += (out.empty() ? "" : ", ") + *name + ": " + *value;
  }
  return "{ " + out + " }";
}

std::optional<std::string> value_of(const Json& json, TypeRef type, const Named& named) {
  if (json.kind == Json::Kind::Null) return "none";
  TypeRef inner = plain(type);
  switch (inner->kind) {
    case Kind::Json:
      return free_value(json);
    case Kind::Record:
      return record_of(json, inner, named);
    case Kind::List:
      return list_of(json, inner, named);
    case Kind::Map:
      return map_of(json, inner);
    case Kind::Bytes:
      return bytes(json.text);
    case Kind::Time:
      return "@" + json.text;
    case Kind::Duration:
      return json.text;
    case Kind::Bool:
      return json.truth ? "true" : "false";
    case Kind::String:
    case Kind::Enum:
      return printer::quote(json.text);
    default:
      if (json.kind != Json::Kind::Number) return std::nullopt;  // "NaN"
      return number(json.text);
  }
}

}  // namespace

std::optional<std::string> literal_of(const Json& row, TypeRef record, const Named& named) {
  if (row.kind != Json::Kind::Record) return std::nullopt;
  return record_of(row, record, named);
}

}  // namespace mut::session
