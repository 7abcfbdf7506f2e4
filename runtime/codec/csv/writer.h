// Rows to CSV text (rule 6.16).
#pragma once
#include "runtime/abi/type_desc.h"
#include "runtime/codec/text/buffer.h"

namespace mut::csv {

// Keeps references into `record`, which must outlive it.
// Threads: append() from any, on different buffers.
class RowWriter {
 public:
  explicit RowWriter(const abi::TypeDesc& record, char separator = ',')
      : record_(&record), separator_(separator) {}
  // Both append one line with its line end.
  void append_header(text::Buffer& out) const;
  void append(const void* row, text::Buffer& out) const;

 private:
  void append_cell(std::string_view text, text::Buffer& out) const;
  void append_value(const char* value, const abi::TypeDesc& type, text::Buffer& out) const;

  const abi::TypeDesc* record_;
  char separator_;
};

}  // namespace mut::csv
