// Places in source text. A span is a half-open range of bytes in one file of a SourceSet.
#pragma once
#include <cstdint>

namespace mut::source {

struct FileId {
  uint32_t index = 0;
  friend bool operator==(FileId, FileId) = default;
};

struct Span {
  FileId file;
  uint32_t begin = 0;  // byte offset
  uint32_t end = 0;    // byte offset, one past the last byte
  friend bool operator==(Span, Span) = default;
};

// The smallest span that covers both; they must lie in one file.
inline Span cover(Span a, Span b) {
  return {a.file, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

}  // namespace mut::source
