// The texts of one version of a program: its script and what that imports.
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/span.h"

namespace mut::source {

struct LineColumn {
  uint32_t line = 1;    // from 1
  uint32_t column = 1;  // from 1, in code points
};

class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  LineColumn locate(uint32_t offset) const;
  // Text of a line (from 1) without its line end.
  std::string_view line(uint32_t number) const;
  // Byte offset at which a line (from 1) begins.
  uint32_t line_begin(uint32_t number) const;
  uint32_t line_count() const { return static_cast<uint32_t>(line_begins_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> line_begins_;
};

// Owns the files; references stay valid as more are added. One thread at a time.
class SourceSet {
 public:
  FileId add(std::string name, std::string text);
  const SourceFile& file(FileId id) const { return files_[id.index]; }
  size_t file_count() const { return files_.size(); }
  std::string_view text(Span span) const;
  LineColumn locate(Span span) const { return file(span.file).locate(span.begin); }

 private:
  std::deque<SourceFile> files_;
};

}  // namespace mut::source
