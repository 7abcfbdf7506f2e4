#include "compiler/session/test/given_file.h"

#include <algorithm>
#include <vector>

namespace mut::session {
namespace {

// End of the record that begins at `at`: behind its line end; a quoted cell may hold line ends.
size_t record_end(const std::string& text, size_t at, codec::Format format) {
  bool cells = format == codec::Format::Csv || format == codec::Format::Tsv;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    if (cells && text[at] == '"') quoted = !quoted;
    if (text[at] == '\n' && !quoted) return at + 1;
  }
  return at;
}

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

Result<std::string> records_of(const std::string& text, codec::Format format, uint64_t from, uint64_t count) {
  bool header = format == codec::Format::Csv || format == codec::Format::Tsv;
  if (format == codec::Format::Json && text.find_first_not_of(" \t\r\n") < text.size() &&
      text[text.find_first_not_of(" \t\r\n")] == '[') {
    return Error{"`first` and `rest` need one record a line, not an array"};
  }
  std::string out;
  uint64_t record = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = record_end(text, at, format);
    std::string_view line(text.data() + at, end - at);
    at = end;
    if (header) {
      out += line;
      header = false;
      continue;
    }
    if (record >= from && record - from < count) out += line;
    if (format == codec::Format::Lines || !blank(line)) ++record;
  }
  return out;
}

}  // namespace mut::session
