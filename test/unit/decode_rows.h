// Feeds text to a decoder in pieces and shows the rows as text, one line each, for comparison.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "runtime/codec/decoder.h"
#include "runtime/codec/json/writer.h"

namespace mut::test {

inline abi::TypeDescRef scalar(abi::TypeKind kind) { return abi::make_scalar(kind); }
inline abi::TypeDescRef optional(abi::TypeDescRef type) { return abi::make_optional(std::move(type)); }
inline abi::FieldDesc field(std::string name, abi::TypeDescRef type) {
  abi::FieldDesc out;
  out.input_name = name;
  out.name = std::move(name);
  out.type = std::move(type);
  return out;
}
inline abi::FieldDesc field_or(std::string name, abi::TypeDescRef type, std::string json) {
  abi::FieldDesc out = field(std::move(name), std::move(type));
  out.has_default = true;
  out.default_json = std::move(json);
  return out;
}
inline abi::TypeDescRef record(std::vector<abi::FieldDesc> fields) {
  return abi::make_record(std::move(fields));
}

struct Decoded {
  std::vector<std::string> rows;  // JSON of good rows, `! message` of bad ones
  std::vector<std::string> raw;
  std::vector<uint32_t> lines;
  std::vector<int64_t> times;
  std::string error;
};

inline void show_rows(batch::Batch& batch, Decoded& out) {
  const MutBatch& view = batch.view();
  const abi::TypeDesc& type = batch.record();
  json::RowWriter writer(type);
  uint32_t error = 0;
  for (uint32_t row = 0; row < view.row_count; ++row) {
    out.raw.emplace_back(view.origins[row].raw, view.origins[row].raw_size);
    out.lines.push_back(view.origins[row].line);
    out.times.push_back(view.times[row]);
    if (view.bad && view.bad[row]) {
      EXPECT_EQ(view.errors[error].row, row);
      EXPECT_EQ(abi::view(view.errors[error].code), "decode");
      out.rows.push_back("! " + std::string(abi::view(view.errors[error++].message)));
      continue;
    }
    std::vector<uint64_t> memory(type.size / 8 + 1);
    char* base = reinterpret_cast<char*>(memory.data());
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const abi::TypeDesc* value = type.fields[i].type.get();
      if (value->kind == abi::TypeKind::Optional) {
        base[type.fields[i].offset + value->present_offset] = static_cast<char>(view.columns[i].valid[row]);
        value = value->element.get();
      }
      if (!view.columns[i].values) continue;
      memcpy(base + type.fields[i].offset, static_cast<char*>(view.columns[i].values) + row * value->size,
             value->size);
    }
    text::Buffer text;
    writer.append(base, text);
    out.rows.emplace_back(text.view());
  }
  EXPECT_EQ(error, view.error_count);
}

// The text arrives `piece` bytes at a time.
inline Decoded decode(codec::Decoder& decoder, abi::TypeDescRef type, std::string_view text,
                      size_t piece = SIZE_MAX, uint32_t rows_per_batch = 64) {
  Decoded out;
  batch::Batch batch(type, batch::NeededColumns(type->fields.size(), 1), rows_per_batch);
  // Exactly as large as promised, so that the address sanitizer sees reads past the slack.
  std::vector<char> memory(text.size() + batch::ReadBuffer::slack_bytes, '#');
  memcpy(memory.data(), text.data(), text.size());
  size_t begin = 0, filled = 0;
  for (;;) {
    bool at_end = filled == text.size();
    auto step = decoder.decode({memory.data() + begin, filled - begin}, at_end, 77, batch);
    if (!step) {
      out.error = step.error().message;
      return out;
    }
    bool full = batch.row_count() == batch.row_capacity();
    begin += step.value().bytes_used;
    show_rows(batch, out);
    batch.clear();
    if (full) continue;
    if (at_end) break;
    filled += std::min(piece, text.size() - filled);
  }
  EXPECT_EQ(begin, text.size());
  return out;
}

}  // namespace mut::test
