#include "runtime/codec/csv/cells.h"

#include <algorithm>
#include <cstring>

namespace mut::csv {
namespace {

Cell make_cell(const char* begin, const char* end, bool quoted, bool doubled) {
  return {begin, static_cast<uint32_t>(end - begin), quoted, doubled};
}

// Runs on to the end of the line of a malformed record, quotes or not.
Cut malformed(CutResult result, const char* from, const char* end, bool at_end, Marks& marks) {
  const char* mark = from;
  while (mark != end && *mark != '\n') mark = marks.next();
  if (mark == end && !at_end) return {};
  return {result, mark, mark == end ? end : mark + 1};
}

}  // namespace

Cut cut_record(const char* at, const char* end, bool at_end, char separator, Marks& marks,
               std::vector<Cell>& cells) {
  cells.clear();
  for (;;) {
    const char* begin = at;
    const char* mark;
    if (at != end && *at == '"') {
      marks.next();  // the opening quote
      bool doubled = false;
      const char* close;
      for (;;) {
        close = marks.next();
        if (close == end) return at_end ? Cut{CutResult::OpenQuote, end, end} : Cut{};
        if (*close != '"') continue;
        if (close + 1 == end && !at_end) return {};
        if (close + 1 == end || close[1] != '"') break;
        marks.next();
        doubled = true;
      }
      cells.push_back(make_cell(begin + 1, close, true, doubled));
      const char* after = close + 1;
      bool line_end = after != end && *after == '\r' && (after + 1 == end || after[1] == '\n');
      if (line_end && after + 1 == end && !at_end) return {};
      mark = marks.next();
      if (mark != after + (line_end ? 1 : 0))
        return malformed(CutResult::AfterQuote, mark, end, at_end, marks);
    } else {
      do {
        mark = marks.next();
      } while (mark != end && *mark == '"');
      const char* cell_end = mark;
      if ((mark == end || *mark == '\n') && cell_end != begin && cell_end[-1] == '\r') --cell_end;
      cells.push_back(make_cell(begin, cell_end, false, false));
    }
    if (mark == end) return at_end ? Cut{CutResult::Record, end, end} : Cut{};
    if (*mark == '\n') return {CutResult::Record, mark, mark + 1};
    if (*mark != separator) return malformed(CutResult::AfterQuote, mark, end, at_end, marks);
    at = mark + 1;
  }
}

bool is_whole_record(std::string_view line, char separator) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (memchr(line.data(), '"', line.size()) == nullptr) return true;
  for (size_t at = 0;; ++at) {
    if (at < line.size() && line[at] == '"') {
      do {  // from an opening quote or the first of two to the next
        at = line.find('"', at + 1);
        if (at == std::string_view::npos) return false;
        ++at;
      } while (at < line.size() && line[at] == '"');
      if (at < line.size() && line[at] != separator) return false;
    } else {
      at = std::min(line.find(separator, at), line.size());
    }
    if (at == line.size()) return true;
  }
}

}  // namespace mut::csv
