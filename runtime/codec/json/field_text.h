// One field of a record that is JSON text already.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mut::json {

// The text of the value of that field of an object, which is valid JSON as rows are written: without blanks.
// None: it has no such field.
std::optional<std::string_view> field_text(std::string_view object, std::string_view name);

// What a value means as a key: of a string its text, of null nothing, else its JSON.
std::optional<std::string> key_text(std::string_view value);

}  // namespace mut::json
