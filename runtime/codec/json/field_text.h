// One field of a record that is JSON text already.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace mut::json {

// The text of the value of that field of an object, which is valid JSON as rows are written: without blanks.
// None: it has no such field.
std::optional<std::string_view> field_text(std::string_view object, std::string_view name);

// A field of an object, and where it stands in it, without commas.
struct Member {
  std::string name;
  std::string_view value;
  size_t begin = 0;
  size_t end = 0;
};
// The field that begins at `at`, which then is where the next one does; 1 is where the first does. None:
// there is none there.
std::optional<Member> next_member(std::string_view object, size_t& at);

// The object without that field, where it has it.
std::string without_field(std::string_view object, std::string_view name);

// What a value means as a key: of a string its text, of null nothing, else its JSON.
std::optional<std::string> key_text(std::string_view value);

}  // namespace mut::json
