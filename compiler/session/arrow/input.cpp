#include "compiler/session/arrow/input.h"

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

#include "runtime/abi/value.h"
#include "runtime/codec/utf8_window.h"
#include "runtime/decimal/decimal.h"

namespace mut::session {

using abi::TypeDesc;
using abi::TypeKind;

namespace {

// One column and the field that it fills.
struct Column {
  const ArrowArray* array = nullptr;
  std::string_view format;
  int64_t offset = 0;    // of row 0, in elements
  int64_t unit_ns = 0;   // of times and durations
  int scale = 0;         // of decimals
  const TypeDesc* type;  // of the field, without `?`
  const abi::FieldDesc* field = nullptr;
  bool optional = false;
};

template <typename T>
T element(const Column& column, int64_t at) {
  T out;
  memcpy(&out, static_cast<const char*>(column.array->buffers[1]) + static_cast<size_t>(at) * sizeof(T),
         sizeof(T));
  return out;
}

bool bit(const void* buffer, int64_t at) {
  return (static_cast<const uint8_t*>(buffer)[at / 8] >> (at % 8) & 1) != 0;
}

// A whole number of any width; u64 beyond int64 is none of these.
std::optional<int64_t> whole(const Column& column, int64_t at) {
  switch (column.format[0]) {
    case 'c':
      return element<int8_t>(column, at);
    case 'C':
      return element<uint8_t>(column, at);
    case 's':
      return element<int16_t>(column, at);
    case 'S':
      return element<uint16_t>(column, at);
    case 'i':
      return element<int32_t>(column, at);
    case 'I':
      return element<uint32_t>(column, at);
    case 'L': {
      auto value = element<uint64_t>(column, at);
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return element<int64_t>(column, at);
  }
}

std::string_view text(const Column& column, int64_t at) {
  const auto* data = static_cast<const char*>(column.array->buffers[2]);
  if (column.format[0] == 'U' || column.format[0] == 'Z') {
    const auto* offsets = static_cast<const int64_t*>(column.array->buffers[1]);
    return {data + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
  }
  const auto* offsets = static_cast<const int32_t*>(column.array->buffers[1]);
  return {data + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
}

int64_t unit_of(char letter) {
  return letter == 's'   ? 1'000'000'000
         : letter == 'm' ? 1'000'000
         : letter == 'u' ? 1000
         : letter == 'n' ? 1
                         : 0;
}

// `d:precision,scale` of 128 bits; a third number is the width. Empty when it is none, or none of ours.
std::optional<int> decimal_scale(std::string_view format) {
  if (!format.starts_with("d:")) return std::nullopt;
  int numbers[3] = {0, 0, 128};
  size_t count = 0;
  const char* at = format.data() + 2;
  const char* end = format.data() + format.size();
  for (; count < 3; ++count) {
    auto [stop, code] = std::from_chars(at, end, numbers[count]);
    if (code != std::errc()) return std::nullopt;
    at = stop;
    if (at == end) break;
    if (*at++ != ',') return std::nullopt;
  }
  bool fine =
      at == end && count >= 1 && numbers[1] >= 0 && numbers[1] <= decimal::digits_max && numbers[2] == 128;
  return fine ? std::optional(numbers[1]) : std::nullopt;
}

bool is_whole(TypeKind kind) { return kind >= TypeKind::I8 && kind <= TypeKind::U64; }

// Whether a column of that format can fill a field of that type; sets the unit.
bool fits(Column& column) {
  std::string_view format = column.format;
  constexpr std::string_view integers = "cCsSiIlL";
  bool one = format.size() == 1;
  bool integer = one && integers.find(format[0]) != std::string_view::npos;
  switch (column.type->kind) {
    case TypeKind::Bool:
      return format == "b";
    case TypeKind::F32:
    case TypeKind::F64:
      return integer || format == "f" || format == "g";
    case TypeKind::Time:
      column.unit_ns = format.starts_with("ts") && format.size() >= 4 ? unit_of(format[2])
                       : format == "l"                                ? 1
                                                                      : 0;
      return column.unit_ns != 0;
    case TypeKind::Duration:
      column.unit_ns = format.starts_with("tD") && format.size() == 3 ? unit_of(format[2])
                       : format == "l"                                ? 1
                                                                      : 0;
      return column.unit_ns != 0;
    case TypeKind::Decimal: {
      auto scale = decimal_scale(format);
      if (scale) column.scale = *scale;
      return scale || integer;
    }
    case TypeKind::String:
    case TypeKind::Enum:
      return format == "u" || format == "U";
    case TypeKind::Bytes:
      return format == "u" || format == "U" || format == "z" || format == "Z";
    default:
      return is_whole(column.type->kind) && integer;
  }
}

bool write_whole(const TypeDesc& type, int64_t value, char* out) {
  bool is_unsigned = type.kind >= TypeKind::U8 && type.kind <= TypeKind::U64;
  int bits = static_cast<int>(type.size) * 8;
  if (is_unsigned && (value < 0 || (bits < 64 && value >> bits != 0))) return false;
  if (!is_unsigned && bits < 64 && value >> (bits - 1) != (value < 0 ? -1 : 0)) return false;
  memcpy(out, &value, type.size);
  return true;
}

// False when the value does not fit.
bool write_value(const Column& column, int64_t at, char* out) {
  const TypeDesc& type = *column.type;
  switch (type.kind) {
    case TypeKind::Bool:
      *out = bit(column.array->buffers[1], at) ? 1 : 0;
      return true;
    case TypeKind::F32:
    case TypeKind::F64: {
      double value = 0;
      if (column.format == "g") {
        value = element<double>(column, at);
      } else if (column.format == "f") {
        value = element<float>(column, at);
      } else {
        auto number = whole(column, at);
        if (!number) return false;
        value = static_cast<double>(*number);
      }
      auto narrow = static_cast<float>(value);
      if (type.kind == TypeKind::F64) {
        memcpy(out, &value, 8);
      } else {
        memcpy(out, &narrow, 4);
      }
      return true;
    }
    case TypeKind::Decimal: {
      decimal::Units units = 0;
      if (column.format[0] == 'd') {
        units = element<decimal::Units>(column, at);
        if (!decimal::fits(units)) return false;
      } else {
        auto number = whole(column, at);
        if (!number) return false;
        units = *number;
      }
      auto made =
          decimal::rescale(units, column.scale, static_cast<int>(type.scale), decimal::Rounding::Exact);
      if (made) memcpy(out, &*made, sizeof(*made));
      return made.has_value();
    }
    case TypeKind::Time:
    case TypeKind::Duration: {
      int64_t value = 0;
      if (__builtin_mul_overflow(element<int64_t>(column, at), column.unit_ns, &value)) return false;
      memcpy(out, &value, 8);
      return true;
    }
    case TypeKind::Enum: {
      std::string_view name = text(column, at);
      for (size_t i = 0; i < type.values.size(); ++i) {
        if (type.values[i] != name) continue;
        auto index = static_cast<int32_t>(i);
        memcpy(out, &index, 4);
        return true;
      }
      return false;
    }
    case TypeKind::String:
    case TypeKind::Bytes: {
      std::string_view value = text(column, at);
      if (value.size() > std::numeric_limits<uint32_t>::max()) return false;
      if (type.kind == TypeKind::String && !codec::is_utf8(value)) return false;
      MutStr view = abi::make_str(value);
      memcpy(out, &view, sizeof(view));
      return true;
    }
    case TypeKind::U64:
      if (column.format == "L") {
        auto value = element<uint64_t>(column, at);
        memcpy(out, &value, 8);
        return true;
      }
      [[fallthrough]];
    default: {
      auto value = whole(column, at);
      return value && write_whole(type, *value, out);
    }
  }
}

}  // namespace

Result<ArrowRows> read_arrow(const ArrowArray& array, const ArrowSchema& schema, const TypeDesc& record) {
  if (schema.format == nullptr || std::string_view(schema.format) != "+s" ||
      array.n_children != schema.n_children) {
    return Error{"a struct array is needed"};
  }
  std::vector<Column> columns;
  for (const abi::FieldDesc& field : record.fields) {
    Column column;
    column.field = &field;
    column.optional = field.type->kind == TypeKind::Optional;
    column.type = column.optional ? field.type->element.get() : field.type.get();
    for (int64_t i = 0; i < schema.n_children; ++i) {
      const ArrowSchema& child = *schema.children[i];
      if (child.name == nullptr || field.name != child.name) continue;
      column.array = array.children[i];
      column.format = child.format;
      if (child.dictionary != nullptr)
        return Error{"column `" + field.name + "`: dictionaries are not taken"};
    }
    if (column.array == nullptr) return Error{"column `" + field.name + "` is missing"};
    if (!fits(column))
      return Error{"column `" + field.name + "`: format `" + std::string(column.format) + "` is not taken"};
    // Rows of a struct begin at its own offset in each of its columns.
    column.offset = array.offset + column.array->offset;
    if (column.array->length < array.offset + array.length)
      return Error{"column `" + field.name + "` is too short"};
    columns.push_back(column);
  }
  ArrowRows out;
  out.row_count = static_cast<size_t>(array.length);
  out.rows.assign(out.row_count * record.size, 0);
  for (int64_t row = 0; row < array.length; ++row) {
    char* to = out.rows.data() + static_cast<size_t>(row) * record.size;
    if (array.null_count != 0 && array.n_buffers > 0 && array.buffers[0] != nullptr &&
        !bit(array.buffers[0], row + array.offset)) {
      return Error{"row " + std::to_string(row) + " is null"};
    }
    for (const Column& column : columns) {
      int64_t at = row + column.offset;
      auto wrong = [&](const char* what) {
        return Error{"row " + std::to_string(row) + ", column `" + column.field->name + "`: " + what};
      };
      const void* valid = column.array->buffers[0];
      if (valid != nullptr && !bit(valid, at)) {
        if (!column.optional) return wrong("null, and the field is not optional");
        continue;
      }
      if (!write_value(column, at, to + column.field->offset)) return wrong("the value does not fit");
      if (column.optional) to[column.field->offset + column.field->type->present_offset] = 1;
    }
  }
  return out;
}

}  // namespace mut::session
