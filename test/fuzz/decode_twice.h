// Decodes a text whole and cut in two, by two decoders, and demands the same rows.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi/value.h"
#include "runtime/codec/decoder.h"
#include "runtime/codec/json/writer.h"

namespace mut::fuzz {

inline abi::FieldDesc field(std::string name, abi::TypeDescRef type) {
  abi::FieldDesc out;
  out.input_name = name;
  out.name = std::move(name);
  out.type = std::move(type);
  return out;
}

// A field of every kind, all optional, so that any of them can come alone.
inline abi::TypeDescRef all_kinds() {
  using abi::TypeKind;
  auto scalar = [](TypeKind kind) { return abi::make_optional(abi::make_scalar(kind)); };
  auto inner =
      abi::make_record({field("x", scalar(TypeKind::I64)), field("s", abi::make_scalar(TypeKind::String))});
  return abi::make_record(
      {field("i", scalar(TypeKind::I64)), field("b", scalar(TypeKind::U8)), field("f", scalar(TypeKind::F64)),
       field("g", scalar(TypeKind::F32)), field("s", scalar(TypeKind::String)),
       field("y", scalar(TypeKind::Bytes)), field("j", scalar(TypeKind::Json)),
       field("t", scalar(TypeKind::Time)), field("d", scalar(TypeKind::Duration)),
       field("o", scalar(TypeKind::Bool)), field("e", abi::make_optional(abi::make_enum({"info", "warn"}))),
       field("l", abi::make_optional(abi::make_list(scalar(TypeKind::F64)))),
       field("m",
             abi::make_optional(abi::make_map(abi::make_scalar(TypeKind::String), scalar(TypeKind::I64)))),
       field("n", abi::make_optional(abi::make_map(
                      abi::make_decimal(1), abi::make_map(abi::make_scalar(TypeKind::Duration), inner)))),
       field("r", abi::make_optional(inner))});
}

// The rows as text. `cut`: how much of the text is there at first.
inline std::string decode(codec::Decoder& decoder, const abi::TypeDescRef& type, std::string_view text,
                          size_t cut, uint32_t rows_per_batch) {
  std::string out;
  json::RowWriter writer(*type);
  batch::Batch batch(type, batch::NeededColumns(type->fields.size(), 1), rows_per_batch);
  // Exactly as large as promised: the address sanitizer sees what reads further.
  std::vector<char> memory(text.size() + batch::ReadBuffer::slack_bytes, '"');
  memcpy(memory.data(), text.data(), text.size());
  size_t begin = 0, filled = cut;
  for (;;) {
    auto step = decoder.decode({memory.data() + begin, filled - begin}, filled == text.size(), 0, batch);
    if (!step) return out + step.error().message;
    begin += step.value().bytes_used;
    const MutBatch& view = batch.view();
    uint32_t error = 0;
    for (uint32_t row = 0; row < view.row_count; ++row) {
      if (view.bad && view.bad[row]) {
        out += "! ";
        out += abi::view(view.errors[error++].message);
      } else {
        std::vector<uint64_t> values(type->size / 8 + 1);
        char* base = reinterpret_cast<char*>(values.data());
        for (size_t i = 0; i < type->fields.size(); ++i) {
          const abi::TypeDesc& value = *type->fields[i].type;
          char* to = base + type->fields[i].offset;
          to[value.present_offset] = static_cast<char>(view.columns[i].valid[row]);
          uint32_t size = value.element->size;
          memcpy(to, static_cast<char*>(view.columns[i].values) + row * size, size);
        }
        text::Buffer line;
        writer.append(base, line);
        out += line.view();
      }
      out += " @" + std::to_string(view.origins[row].line) + "\n";
    }
    bool full = view.row_count == rows_per_batch;
    batch.clear();
    if (full) continue;
    if (filled == text.size()) break;
    filled = text.size();
  }
  if (begin != text.size()) abort();
  return out;
}

template <typename MakeDecoder>
void decode_twice(const MakeDecoder& make_decoder, std::string_view text) {
  static const abi::TypeDescRef type = all_kinds();
  std::string whole = decode(*make_decoder(type, 0), type, text, text.size(), 64);
  size_t cut = text.empty() ? 0 : static_cast<unsigned char>(text[0]) * text.size() / 256;
  std::string parts = decode(*make_decoder(type, 1), type, text, cut, 3);
  if (whole != parts) {
    fprintf(stderr, "whole:\n%s\ncut at %zu:\n%s\n", whole.c_str(), cut, parts.c_str());
    abort();
  }
}

}  // namespace mut::fuzz
