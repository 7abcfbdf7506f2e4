#include "runtime/codec/csv/writer.h"

#include <cstring>

#include "runtime/abi/value.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"

namespace mut::csv {
namespace {

template <typename T>
T load(const char* from) {
  T value;
  memcpy(&value, from, sizeof value);
  return value;
}

bool blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

void RowWriter::append_cell(std::string_view text, text::Buffer& out) const {
  bool quote = text.empty() || blank(text.front()) || blank(text.back());
  size_t quotes = 0;
  for (char c : text) {
    quotes += c == '"';
    quote |= c == separator_ || c == '"' || c == '\r' || c == '\n';
  }
  if (!quote) return out.append(text);
  char* to = out.room(text.size() + quotes + 2);
  *to++ = '"';
  for (char c : text) {
    if (c == '"') *to++ = '"';
    *to++ = c;
  }
  *to++ = '"';
  out.advance_to(to);
}

void RowWriter::append_header(text::Buffer& out) const {
  for (size_t i = 0; i < record_->fields.size(); ++i) {
    if (i > 0) out.append(separator_);
    append_cell(record_->fields[i].name, out);
  }
  out.append('\n');
}

void RowWriter::append_value(const char* value, const abi::TypeDesc& type, text::Buffer& out) const {
  using abi::TypeKind;
  switch (type.kind) {
    case TypeKind::Optional:
      if (value[type.present_offset]) append_value(value, *type.element, out);
      return;
    case TypeKind::String:
      return append_cell(abi::view(load<MutStr>(value)), out);
    case TypeKind::Enum:
      return append_cell(type.values[static_cast<size_t>(load<int32_t>(value))], out);
    case TypeKind::F64:
      return out.advance_to(text::format_float(load<double>(value), out.room(text::float_bytes_max)));
    case TypeKind::F32:
      return out.advance_to(text::format_float32(load<float>(value), out.room(text::float_bytes_max)));
    case TypeKind::Time:
      return out.advance_to(text::format_time(load<int64_t>(value), out.room(text::time_bytes_max)));
    case TypeKind::Duration:
      return out.advance_to(text::format_duration(load<int64_t>(value), out.room(text::duration_bytes_max)));
    case TypeKind::Json:
    case TypeKind::List:
    case TypeKind::Map:
    case TypeKind::Record: {
      text::Buffer json;
      json::append_value(value, type, json);
      return append_cell(json.view(), out);
    }
    case TypeKind::Bytes: {
      text::Buffer json;
      json::append_value(value, type, json);
      return append_cell(json.view().substr(1, json.size() - 2), out);
    }
    default:
      return json::append_value(value, type, out);
  }
}

void RowWriter::append(const void* row, text::Buffer& out) const {
  for (size_t i = 0; i < record_->fields.size(); ++i) {
    if (i > 0) out.append(separator_);
    append_value(static_cast<const char*>(row) + record_->fields[i].offset, *record_->fields[i].type, out);
  }
  out.append('\n');
}

}  // namespace mut::csv
