// Strict checks of JSON text (RFC 8259), used where a value is kept as it is, and to say what is wrong.
#pragma once
#include <string_view>

namespace mut::json {

// Each returns the place after what it read, or null when it is not that. They never pass `end`.
const char* validate_value(const char* at, const char* end, int depth);
const char* validate_number(const char* at, const char* end);
// After the opening quote; the closing one is read too. Lone surrogates are refused.
const char* validate_string(const char* at, const char* end);
const char* skip_space(const char* at, const char* end);

// Whether `text` is one JSON value with nothing but blanks around it, in UTF-8.
bool is_json(std::string_view text);

}  // namespace mut::json
