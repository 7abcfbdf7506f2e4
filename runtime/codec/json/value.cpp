#include "runtime/codec/json/value.h"

#include <cstring>

#include "runtime/codec/json/row_parser.h"
#include "runtime/codec/json/validate.h"
#include "runtime/codec/utf8_window.h"

namespace mut::json {

std::optional<std::string> read_value(std::string_view json, const abi::TypeDesc& type, text::TimeUnit unit,
                                      batch::Arena& arena, void* to) {
  if (!codec::is_utf8(json)) return "not UTF-8";
  // Where the text ends is told by a newline, so newlines within become blanks; in texts they are an
  // error anyway, which a blank would hide.
  char* copy = static_cast<char*>(arena.allocate(json.size() + 1 + batch::ReadBuffer::slack_bytes));
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    copy[i] = json[i] == '\n' && !in_text ? ' ' : json[i];
    if (json[i] == '\\' && in_text && i + 1 < json.size()) {
      ++i;
      copy[i] = json[i];
    } else if (json[i] == '"') {
      in_text = !in_text;
    }
  }
  memset(copy + json.size(), '\n', 1 + batch::ReadBuffer::slack_bytes);
  std::unique_ptr<RowParser> parser = make_portable_row_parser();
  parser->time_unit = unit;
  Node node = make_node(type, true);
  const char* after = parser->parse_value(node, copy, static_cast<char*>(to), arena);
  if (!after) return parser->failure().message();
  const char* end = copy + json.size();
  if (skip_space(after, end) != end) return "text after the value";
  return std::nullopt;
}

}  // namespace mut::json
