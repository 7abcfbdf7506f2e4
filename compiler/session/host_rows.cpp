#include "compiler/session/host_rows.h"

#include <cstring>

#include "runtime/codec/encoder.h"
#include "runtime/codec/text/buffer.h"
#include "runtime/decimal/decimal.h"
#include "runtime/state/cells.h"

namespace mut {

FieldValue MemoryRow::value(const abi::TypeDesc& type, const char* at) {
  if (type.secret) return std::string("***");
  switch (type.kind) {
    case abi::TypeKind::Optional:
      if (at[type.present_offset] == 0) return std::monostate{};
      return value(*type.element, at);
    case abi::TypeKind::Bool:
      return *at != 0;
    case abi::TypeKind::F64:
    case abi::TypeKind::F32: {
      uint64_t words[2];
      state::read_words(type, at, words);
      return inl::as_double(words[0]);
    }
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json: {
      MutStr text;
      memcpy(&text, at, sizeof(text));
      return std::string(abi::view(text));
    }
    case abi::TypeKind::Decimal: {
      decimal::Units units;
      memcpy(&units, at, sizeof(units));
      char text[decimal::bytes_max];
      return std::string(text, decimal::format(units, static_cast<int>(type.scale), text));
    }
    case abi::TypeKind::Enum: {
      int32_t index;
      memcpy(&index, at, 4);
      return type.values[static_cast<size_t>(index)];
    }
    case abi::TypeKind::List:
    case abi::TypeKind::Map:
    case abi::TypeKind::Record: {
      // Nested values as JSON text.
      abi::FieldDesc only;
      only.name = "v";
      only.type = std::make_shared<abi::TypeDesc>(type);
      text::Buffer out;
      codec::make_encoder(codec::Format::Json, abi::make_record({only}))->append(at, out);
      std::string_view text = out.view();
      return std::string(text.substr(5, text.size() - 7));  // within {"v":…}\n
    }
    default: {
      uint64_t words[2];
      state::read_words(type, at, words);
      return static_cast<int64_t>(words[0]);
    }
  }
}

std::optional<FieldColumn<int64_t>> MemoryRows::ints(size_t index) const {
  const abi::FieldDesc& field = record_.fields[index];
  const abi::TypeKind kind = field.type->kind;
  bool is_int = kind == abi::TypeKind::I64 || kind == abi::TypeKind::Time || kind == abi::TypeKind::Duration;
  if (!is_int || field.type->secret) return std::nullopt;
  return FieldColumn<int64_t>(rows_ + field.offset, stride_bytes_);
}

std::optional<FieldColumn<double>> MemoryRows::floats(size_t index) const {
  const abi::FieldDesc& field = record_.fields[index];
  if (field.type->kind != abi::TypeKind::F64 || field.type->secret) return std::nullopt;
  return FieldColumn<double>(rows_ + field.offset, stride_bytes_);
}

}  // namespace mut
