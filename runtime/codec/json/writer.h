// Rows to JSON text.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/text/buffer.h"

namespace mut::json {

// Appends `text` between quotes, escaped.
void append_string(std::string_view text, text::Buffer& out);

// Appends the JSON of one value laid out as `type`. A secret is written as `"***"`: the compiler lets none
// reach a sink, and events of `.errors` show no more of it.
void append_value(const void* value, const abi::TypeDesc& type, text::Buffer& out);

// One record type prepared for writing. Keeps references into `record`, which must outlive it.
// Threads: append() from any, on different buffers.
class RowWriter {
 public:
  explicit RowWriter(const abi::TypeDesc& record);
  // Appends `{…}` without a line end.
  void append(const void* row, text::Buffer& out) const;

 private:
  struct Field {
    std::string key;  // `{"a":` or `,"b":`
    const abi::TypeDesc* type;
    uint32_t offset;
  };
  std::vector<Field> fields_;
};

}  // namespace mut::json
