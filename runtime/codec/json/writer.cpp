#include "runtime/codec/json/writer.h"

#include <cmath>
#include <cstring>

#include "runtime/abi/deliberate.h"
#include "runtime/abi/map_value.h"
#include "runtime/abi/value.h"
#include "runtime/codec/json/map_key.h"
#include "runtime/codec/text/base64.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"

namespace mut::json {
namespace {

template <typename T>
T load(const char* from) {
  T value;
  memcpy(&value, from, sizeof value);
  return value;
}

template <typename Value, typename Format>
void put(Format format, Value value, text::Buffer& out) {
  out.advance_to(format(value, out.room(64)));
}

template <typename Value, typename Format>
void put_quoted(Format format, Value value, text::Buffer& out) {
  char* to = out.room(66);
  *to++ = '"';
  to = format(value, to);
  *to++ = '"';
  out.advance_to(to);
}

void put_float(double value, text::Buffer& out) {
  std::isfinite(value) ? put(text::format_float, value, out) : put_quoted(text::format_float, value, out);
}

void put_float32(float value, text::Buffer& out) {
  std::isfinite(value) ? put(text::format_float32, value, out) : put_quoted(text::format_float32, value, out);
}

void put_list(const MutList& list, const abi::TypeDesc& element, text::Buffer& out) {
  const char* at = static_cast<const char*>(list.data);
  out.append('[');
  for (uint64_t i = 0; i < list.count; ++i, at += element.size) {
    if (i > 0) out.append(',');
    append_value(at, element, out);
  }
  out.append(']');
}

void put_map(const MutList& entries, const abi::TypeDesc& map, text::Buffer& out) {
  const abi::FieldDesc& value = abi::value_field(map);
  out.append('{');
  for (uint64_t i = 0; i < entries.count; ++i) {
    if (i > 0) out.append(',');
    const char* entry = abi::entry_at(map, entries, i);
    append_key(entry, abi::key_type(map), out);
    out.append(':');
    append_value(entry + value.offset, *value.type, out);
  }
  out.append('}');
}

void put_bytes(MutStr bytes, text::Buffer& out) {
  char* to = out.room(text::base64_size(bytes.size) + 2);
  *to++ = '"';
  to = text::format_base64(abi::view(bytes), to);
  *to++ = '"';
  out.advance_to(to);
}

// JSON kept as it came may hold newlines where it was read from an array; a line is one record.
void put_json(std::string_view json, text::Buffer& out) {
  if (json.empty()) return out.append("null");
  if (!memchr(json.data(), '\n', json.size())) return out.append(json);
  for (char c : json) {
    if (c != '\n' && c != '\r') out.append(c);
  }
}

bool plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

char* put_escaped(char c, char* to) {
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *to++ = c;
      return to;
    case '\n':
      *to++ = 'n';
      return to;
    case '\r':
      *to++ = 'r';
      return to;
    case '\t':
      *to++ = 't';
      return to;
    default:
      memcpy(to, "u00", 3);
      to[3] = static_cast<char>('0' + (static_cast<unsigned char>(c) >> 4));
      to[4] = "0123456789abcdef"[c & 15];
      return to + 5;
  }
}

}  // namespace

void append_string(std::string_view text, text::Buffer& out) {
  char* to = out.room(text.size() * 6 + 2);  // every byte could become \u00xx
  *to++ = '"';
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    const char* begin = at;
    while (at != end && plain(*at)) ++at;
    memcpy(to, begin, static_cast<size_t>(at - begin));
    to += at - begin;
    if (at != end) to = put_escaped(*at++, to);
  }
  *to++ = '"';
  out.advance_to(to);
}

void append_value(const void* value, const abi::TypeDesc& type, text::Buffer& out) {
  using abi::TypeKind;
  const char* from = static_cast<const char*>(value);
  if (type.secret) [[unlikely]]
    return out.append(std::string_view("\"***\""));
  switch (type.kind) {
    case TypeKind::Bool:
      return out.append(*from ? std::string_view("true") : std::string_view("false"));
    case TypeKind::I8:
      return put(text::format_int, load<int8_t>(from), out);
    case TypeKind::I16:
      return put(text::format_int, load<int16_t>(from), out);
    case TypeKind::I32:
      return put(text::format_int, load<int32_t>(from), out);
    case TypeKind::I64:
      return put(text::format_int, load<int64_t>(from), out);
    case TypeKind::U8:
      return put(text::format_uint, load<uint8_t>(from), out);
    case TypeKind::U16:
      return put(text::format_uint, load<uint16_t>(from), out);
    case TypeKind::U32:
      return put(text::format_uint, load<uint32_t>(from), out);
    case TypeKind::U64:
      return put(text::format_uint, load<uint64_t>(from), out);
    case TypeKind::F32:
      return put_float32(load<float>(from), out);
    case TypeKind::F64:
      return put_float(load<double>(from), out);
    case TypeKind::String:
      return append_string(abi::view(load<MutStr>(from)), out);
    case TypeKind::Bytes:
      return put_bytes(load<MutStr>(from), out);
    case TypeKind::Json:
      return put_json(abi::view(load<MutStr>(from)), out);
    case TypeKind::Time:
      return put_quoted(text::format_time, load<int64_t>(from), out);
    case TypeKind::Duration:
      return put_quoted(text::format_duration, load<int64_t>(from), out);
    case TypeKind::Enum:
      return append_string(type.values[static_cast<size_t>(load<int32_t>(from))], out);
    case TypeKind::Decimal:
      return out.advance_to(decimal::format(load<decimal::Units>(from), static_cast<int>(type.scale),
                                            out.room(decimal::bytes_max)));
    case TypeKind::Optional:
      if (from[type.present_offset] || MUT_DELIBERATE_FAULT(json_none_as_zero))
        return append_value(from, *type.element, out);
      return out.append("null");
    case TypeKind::List:
      return put_list(load<MutList>(from), *type.element, out);
    case TypeKind::Map:
      return put_map(load<MutList>(from), type, out);
    case TypeKind::Record: {
      char before = '{';
      for (const abi::FieldDesc& field : type.fields) {
        out.append(before);
        before = ',';
        append_string(field.name, out);
        out.append(':');
        append_value(from + field.offset, *field.type, out);
      }
      if (type.fields.empty()) out.append('{');
      return out.append('}');
    }
  }
}

RowWriter::RowWriter(const abi::TypeDesc& record) {
  for (const abi::FieldDesc& field : record.fields) {
    text::Buffer key;
    key.append(fields_.empty() ? '{' : ',');
    append_string(field.name, key);
    key.append(':');
    fields_.push_back({std::string(key.view()), field.type.get(), field.offset});
  }
}

void RowWriter::append(const void* row, text::Buffer& out) const {
  const char* base = static_cast<const char*>(row);
  for (const Field& field : fields_) {
    out.append(field.key);
    append_value(base + field.offset, *field.type, out);
  }
  out.append(fields_.empty() ? std::string_view("{}") : std::string_view("}"));
}

}  // namespace mut::json
