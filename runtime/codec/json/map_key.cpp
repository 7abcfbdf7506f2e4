#include "runtime/codec/json/map_key.h"

#include <cstring>

#include "runtime/codec/json/place_value.h"
#include "runtime/codec/json/writer.h"
#include "runtime/codec/text/number.h"
#include "runtime/codec/text/time.h"
#include "runtime/decimal/decimal.h"

namespace mut::json {
namespace {

template <typename T>
bool store(const std::optional<T>& value, char* to) {
  if (value) memcpy(to, &*value, sizeof(*value));
  return value.has_value();
}

template <typename Int>
bool read_int(std::string_view text, char* to) {
  auto value = text::parse_int(text);
  return value && store_int<Int>(*value, to);
}

bool read_bool(std::string_view text, char* to) {
  *to = text == "true" ? 1 : 0;
  return *to == 1 || text == "false";
}

bool read_name(const Node& key, std::string_view text, char* to) {
  MutStr name = abi::make_str(text);
  for (size_t i = 0; i < key.names.size(); ++i) {
    if (abi::equal(key.names[i], name)) return store(std::optional(static_cast<int32_t>(i)), to);
  }
  return false;
}

}  // namespace

bool read_key(const Node& key, std::string_view text, text::TimeUnit unit, char* to) {
  using abi::TypeKind;
  switch (key.kind) {
    case TypeKind::Bool:
      return read_bool(text, to);
    case TypeKind::I8:
      return read_int<int8_t>(text, to);
    case TypeKind::I16:
      return read_int<int16_t>(text, to);
    case TypeKind::I32:
      return read_int<int32_t>(text, to);
    case TypeKind::I64:
      return read_int<int64_t>(text, to);
    case TypeKind::U8:
      return read_int<uint8_t>(text, to);
    case TypeKind::U16:
      return read_int<uint16_t>(text, to);
    case TypeKind::U32:
      return read_int<uint32_t>(text, to);
    case TypeKind::U64:
      return store(text::parse_uint(text), to);
    case TypeKind::Decimal:
      return store(decimal::parse(text, key.scale), to);
    case TypeKind::Time:
      return store(text::parse_input_time(text, unit), to);
    case TypeKind::Duration:
      return store(text::parse_input_duration(text, unit), to);
    case TypeKind::Enum:
      return read_name(key, text, to);
    default:
      return false;
  }
}

void append_key(const void* key, const abi::TypeDesc& type, text::Buffer& out) {
  using abi::TypeKind;
  bool quoted = type.kind == TypeKind::String || type.kind == TypeKind::Time ||
                type.kind == TypeKind::Duration || type.kind == TypeKind::Enum;
  if (!quoted) out.append('"');
  append_value(key, type, out);
  if (!quoted) out.append('"');
}

}  // namespace mut::json
