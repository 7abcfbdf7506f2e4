#include "compiler/printer/formatter.h"

namespace mut::printer {

bool Formatter::comment_waits(uint32_t before) const {
  return comments_ != nullptr && next_comment_ < comments_->size() &&
         (*comments_)[next_comment_].span.begin < before;
}

// Comments that stand before an item, each on its own line.
void Formatter::leading(uint32_t before, bool keep_blank_lines) {
  while (comment_waits(before)) {
    const ast::Comment& comment = (*comments_)[next_comment_++];
    if (keep_blank_lines && blank_line_before(comment.span.begin)) out_.hard_line();
    out_.text(comment.text);
    out_.hard_line();
  }
}

// Comments on the line on which an item ends. True when there was one: the line ends here.
bool Formatter::trailing(uint32_t item_end) {
  bool any = false;
  while (comments_ != nullptr && next_comment_ < comments_->size()) {
    const ast::Comment& comment = (*comments_)[next_comment_];
    if (comment.span.begin < item_end) break;
    std::string_view between = text_.substr(item_end, comment.span.begin - item_end);
    // Behind a bracket it belongs to what the bracket ends.
    if (between.find_first_not_of(" \t\r,;") != std::string_view::npos) break;
    out_.comment("  " + comment.text);
    ++next_comment_;
    any = true;
  }
  return any;
}

// Comments between the last item and the bracket that ends the list.
void Formatter::dangling(uint32_t before) {
  while (comment_waits(before)) {
    out_.hard_line();
    out_.text((*comments_)[next_comment_++].text);
  }
}

bool Formatter::blank_line_before(uint32_t offset) const {
  size_t line_ends = 0;
  bool any_text = false;
  for (uint32_t i = offset; i > 0 && !any_text; --i) {
    char c = text_[i - 1];
    if (c == '\n') ++line_ends;
    any_text = c != ' ' && c != '\t' && c != '\r' && c != '\n';
  }
  return any_text && line_ends >= 2;
}

// Offset of the first `///` line above a declaration.
uint32_t Formatter::docs_begin(uint32_t declaration_begin) const {
  auto line_begin = [&](size_t offset) { return offset == 0 ? 0 : text_.rfind('\n', offset - 1) + 1; };
  size_t begin = declaration_begin;
  size_t line = line_begin(declaration_begin);
  while (line > 0) {
    size_t above = line_begin(line - 1);
    std::string_view content = text_.substr(above, line - above);
    size_t first = content.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && !content.substr(first).starts_with("///")) break;
    if (first != std::string_view::npos) begin = above + first;
    line = above;
  }
  return static_cast<uint32_t>(begin);
}

void Formatter::docs(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    std::string_view content = line;
    while (!content.empty() && (content.back() == ' ' || content.back() == '\r')) content.remove_suffix(1);
    out_.text(content.empty() ? "///" : "/// " + std::string(content));
    out_.hard_line();
  }
}

void Formatter::list(const ListStyle& style, size_t count, const std::function<Span(size_t)>& span,
                     const std::function<void(size_t)>& print) {
  bool inner_comment = style.end != UINT32_MAX && comment_waits(style.end);
  if (count == 0 && !inner_comment) {
    out_.text(std::string(style.open) + std::string(style.close));
    return;
  }
  auto edge = [&](bool hard) {
    if (hard || style.one_each) {
      out_.hard_line();
    } else if (style.spaced) {
      out_.line();
    } else {
      out_.soft_line();
    }
  };
  out_.begin(0);
  out_.text(style.open);
  out_.begin_indent(2);
  bool line_ended = false;
  if (count > 0) edge(comment_waits(span(0).begin));
  for (size_t i = 0; i < count; ++i) {
    leading(span(i).begin);
    print(i);
    bool last = i + 1 == count;
    if (last) {
      out_.comma_if_broken();
    } else {
      out_.text(",");
    }
    line_ended = trailing(span(i).end);
    if (last) break;
    if (line_ended || style.one_each || comment_waits(span(i + 1).begin)) {
      out_.hard_line();
    } else {
      out_.line();
    }
  }
  if (style.end != UINT32_MAX && comment_waits(style.end)) {
    dangling(style.end);
    line_ended = true;
  }
  out_.end_indent();
  edge(line_ended);
  out_.text(style.close);
  out_.end();
}

void Formatter::series(size_t count, const std::function<Span(size_t)>& span,
                       const std::function<void(size_t)>& print) {
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) leading(span(i).begin);
    print(i);
    if (i + 1 == count) break;
    out_.text(",");
    if (trailing(span(i).end) || comment_waits(span(i + 1).begin)) {
      out_.hard_line();
    } else {
      out_.line();
    }
  }
}

}  // namespace mut::printer
