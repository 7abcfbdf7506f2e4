// JSON text to a tree and back, written for clarity; numbers keep their text.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/value.h"

namespace mut::reference {

struct Json {
  enum class Kind : uint8_t { Null, Bool, Number, Text, List, Record };
  Kind kind = Kind::Null;
  bool truth = false;
  std::string text;                // of a number: as written; of a text: decoded
  std::string raw;                 // as it stands in the input
  std::vector<Json> items;         // of a list; of a record: its values
  std::vector<std::string> names;  // of a record, one per item
  // The last member of that name, or null.
  const Json* find(std::string_view name) const;
};

// Empty when the text is not exactly one JSON value in good UTF-8.
std::optional<Json> parse_json(std::string_view text);
bool is_utf8(std::string_view text);

// Rule 6.14.
std::string to_json(const Value& value, typed::TypeRef type);
std::string quote_json(std::string_view text);
// Rule 6.16: a line without its end.
std::string to_csv(const Value::Parts& row, typed::TypeRef record, char separator);
std::string csv_header(typed::TypeRef record, char separator);

}  // namespace mut::reference
