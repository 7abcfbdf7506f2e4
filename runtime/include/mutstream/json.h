// A JSON document in memory: what the control protocol is read with. Bounded in depth, strict (RFC 8259), no
// name twice.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut {

struct JsonMember;

class JsonValue {
 public:
  enum class Kind : uint8_t { Null, Bool, Number, Text, List, Object };
  Kind kind = Kind::Null;
  std::string text;  // Text; Number as written; Bool: "true", "false"
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;  // in order

  const JsonValue* find(std::string_view name) const;  // null: absent, or no object
  // Empty where it is of another kind, or no such number.
  std::optional<std::string> as_text() const;
  std::optional<int64_t> as_int() const;
  std::optional<uint64_t> as_count() const;
  std::optional<double> as_number() const;
  bool is_true() const { return kind == Kind::Bool && text == "true"; }
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

constexpr size_t json_depth_max = 64;

// Empty after an error, which `problem` tells with its place.
std::optional<JsonValue> parse_json(std::string_view text, std::string& problem);

std::string json_quoted(std::string_view text);
// What `write` makes of each, between brackets.
template <typename Items, typename Write>
std::string json_list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}
// Without blanks and line ends.
std::string to_json(const JsonValue& value);

}  // namespace mut
