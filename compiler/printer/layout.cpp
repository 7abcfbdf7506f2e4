#include "compiler/printer/layout.h"

namespace mut::printer {
namespace {

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  for (char c : text) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  return columns;
}

size_t deeper(size_t indent, int by) {
  return by < 0 && indent < static_cast<size_t>(-by) ? 0 : indent + static_cast<size_t>(by);
}

}  // namespace

void Layout::text(std::string_view piece) {
  if (piece.empty()) return;
  items_.push_back({Kind::Text, std::string(piece), 0, false});
}
void Layout::comment(std::string_view piece) {
  items_.push_back({Kind::Comment, std::string(piece), 0, false});
}
void Layout::line() { add(Kind::Line); }
void Layout::soft_line() { add(Kind::SoftLine); }
void Layout::hard_line() {
  for (size_t index : open_) items_[index].broken = true;
  add(Kind::HardLine);
}
void Layout::comma_if_broken() { add(Kind::CommaIfBroken); }
void Layout::begin(int indent) {
  open_.push_back(items_.size());
  add(Kind::Begin, indent);
}
void Layout::end() {
  open_.pop_back();
  add(Kind::End);
}
void Layout::begin_indent(int indent) { add(Kind::Indent, indent); }
void Layout::end_indent() { add(Kind::Outdent); }

// Whether the group at `begin`, and what follows it up to the next break, ends before the margin.
bool Layout::fits(size_t begin, size_t columns, size_t margin) const {
  size_t depth = 0;
  bool behind = false;  // the group has ended: the next break of any group will do
  for (size_t i = begin; i < items_.size(); ++i) {
    const Item& item = items_[i];
    switch (item.kind) {
      case Kind::Begin:
        ++depth;
        break;
      case Kind::End:
        if (depth > 0) --depth;
        behind |= depth == 0;
        break;
      case Kind::Line:
      case Kind::SoftLine:
        if (behind) return true;
        columns += item.kind == Kind::Line ? 1 : 0;
        break;
      case Kind::Comment:
      case Kind::HardLine:
        return true;
      case Kind::Text: {
        size_t newline = item.text.find('\n');
        columns += columns_of(std::string_view(item.text).substr(0, newline));
        if (newline != std::string::npos) return columns <= margin;
        break;
      }
      default:
        break;
    }
    if (columns > margin) return false;
  }
  return true;
}

std::string Layout::render(size_t columns) const {
  struct Level {
    size_t indent;
    bool broken;
  };
  std::string out;
  std::vector<Level> levels = {{0, true}};
  size_t column = 0;
  size_t line_indent = 0;  // of the line that is being written, as it was where the line broke
  bool at_start = true;    // nothing but the line end was written yet
  auto new_line = [&] {
    out += '\n';
    line_indent = levels.back().indent;
    column = line_indent;
    at_start = true;
  };
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    switch (item.kind) {
      case Kind::Begin:
        levels.push_back(
            {deeper(levels.back().indent, item.indent), item.broken || !fits(i, column, columns)});
        break;
      case Kind::Indent:
        levels.push_back({deeper(levels.back().indent, item.indent), levels.back().broken});
        break;
      case Kind::End:
      case Kind::Outdent:
        levels.pop_back();
        break;
      case Kind::HardLine:
        new_line();
        break;
      case Kind::Line:
      case Kind::SoftLine:
        if (levels.back().broken) {
          new_line();
        } else if (item.kind == Kind::Line) {
          out += ' ';
          ++column;
        }
        break;
      case Kind::CommaIfBroken:
        if (levels.back().broken) out += ',';
        break;
      case Kind::Comment:
        out += item.text;
        break;
      case Kind::Text: {
        if (at_start) {
          out.append(line_indent, ' ');
          at_start = false;
        }
        out += item.text;
        size_t newline = item.text.rfind('\n');
        column = newline == std::string::npos ? column + columns_of(item.text)
                                              : columns_of(std::string_view(item.text).substr(newline + 1));
        break;
      }
    }
  }
  return out;
}

}  // namespace mut::printer
