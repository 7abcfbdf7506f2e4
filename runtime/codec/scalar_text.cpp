#include "runtime/codec/scalar_text.h"

#include <cstring>
#include <limits>

#include "runtime/codec/text/number.h"
#include "runtime/decimal/decimal.h"

namespace mut::codec {
namespace {

template <typename T>
std::string_view store(T value, char* to) {
  memcpy(to, &value, sizeof value);
  return {};
}

template <typename Int>
std::string_view read_int(std::string_view text, char* to) {
  auto value = text::parse_int(text);
  if (!value) return "expected an integer in range";
  if (*value < static_cast<int64_t>(std::numeric_limits<Int>::min()) ||
      (sizeof(Int) < 8 && *value > static_cast<int64_t>(std::numeric_limits<Int>::max()))) {
    return "number out of range";
  }
  return store(static_cast<Int>(*value), to);
}

std::string_view read_name(const json::Node& node, std::string_view text, char* to) {
  MutStr name = abi::make_str(text);
  for (size_t i = 0; i < node.names.size(); ++i) {
    if (abi::equal(node.names[i], name)) return store(static_cast<int32_t>(i), to);
  }
  return "expected one of its names";
}

}  // namespace

std::string_view read_scalar(const json::Node& node, std::string_view text, text::TimeUnit unit, char* to) {
  using abi::TypeKind;
  switch (node.kind) {
    case TypeKind::I64:
      return read_int<int64_t>(text, to);
    case TypeKind::F64: {
      auto value = text::parse_float(text);
      return value ? store(*value, to) : "expected a number in range";
    }
    case TypeKind::F32: {
      auto value = text::parse_float32(text);
      return value ? store(*value, to) : "expected a number in range";
    }
    case TypeKind::Bool:
      if (text == "true") return store(uint8_t{1}, to);
      if (text == "false") return store(uint8_t{0}, to);
      return "expected true or false";
    case TypeKind::Time: {
      auto value = text::parse_input_time(text, unit);
      return value ? store(*value, to) : "expected a time in range";
    }
    case TypeKind::Duration: {
      auto value = text::parse_input_duration(text, unit);
      return value ? store(*value, to) : "expected a duration in range";
    }
    case TypeKind::Enum:
      return read_name(node, text, to);
    case TypeKind::I8:
      return read_int<int8_t>(text, to);
    case TypeKind::I16:
      return read_int<int16_t>(text, to);
    case TypeKind::I32:
      return read_int<int32_t>(text, to);
    case TypeKind::U8:
      return read_int<uint8_t>(text, to);
    case TypeKind::U16:
      return read_int<uint16_t>(text, to);
    case TypeKind::U32:
      return read_int<uint32_t>(text, to);
    case TypeKind::U64: {
      auto value = text::parse_uint(text);
      return value ? store(*value, to) : "expected an integer in range";
    }
    case TypeKind::Decimal: {
      auto value = decimal::parse(text, node.scale);
      return value ? store(*value, to) : "expected a number that fits exactly";
    }
    default:
      return "a value of this type cannot be read";
  }
}

}  // namespace mut::codec
