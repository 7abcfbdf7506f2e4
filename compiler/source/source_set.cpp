#include "compiler/source/source_set.h"

#include <algorithm>

namespace mut::source {

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  line_begins_.push_back(0);
  for (uint32_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_begins_.push_back(i + 1);
  }
}

LineColumn SourceFile::locate(uint32_t offset) const {
  offset = std::min<uint32_t>(offset, static_cast<uint32_t>(text_.size()));
  auto after = std::upper_bound(line_begins_.begin(), line_begins_.end(), offset);
  uint32_t line = static_cast<uint32_t>(after - line_begins_.begin());
  uint32_t column = 1;
  uint32_t begin = line_begins_[line - 1];
  if (begin == 0 && text_.starts_with("\xEF\xBB\xBF")) begin = 3;  // a byte order mark is no column
  for (uint32_t i = begin; i < offset; ++i) {
    // Continuation bytes of UTF-8 begin with the bits 10.
    if ((static_cast<unsigned char>(text_[i]) & 0xC0U) != 0x80U) ++column;
  }
  return {line, column};
}

uint32_t SourceFile::line_begin(uint32_t number) const { return line_begins_[number - 1]; }

std::string_view SourceFile::line(uint32_t number) const {
  uint32_t begin = line_begins_[number - 1];
  uint32_t end =
      number < line_begins_.size() ? line_begins_[number] - 1 : static_cast<uint32_t>(text_.size());
  std::string_view text = std::string_view(text_).substr(begin, end - begin);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

FileId SourceSet::add(std::string name, std::string text) {
  files_.emplace_back(std::move(name), std::move(text));
  return {static_cast<uint32_t>(files_.size() - 1)};
}

std::string_view SourceSet::text(Span span) const {
  return std::string_view(file(span.file).text()).substr(span.begin, span.end - span.begin);
}

}  // namespace mut::source
