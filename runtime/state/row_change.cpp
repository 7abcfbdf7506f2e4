#include "runtime/state/row_change.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/value.h"

namespace mut::state {
namespace {

using abi::TypeDesc;
using abi::TypeKind;

struct IntRange {
  int bits = 0;  // 0: no whole number
  bool is_signed = true;
};

IntRange int_range(TypeKind kind) {
  switch (kind) {
    case TypeKind::I8:
      return {8, true};
    case TypeKind::I16:
      return {16, true};
    case TypeKind::I32:
      return {32, true};
    case TypeKind::I64:
      return {64, true};
    case TypeKind::U8:
      return {8, false};
    case TypeKind::U16:
      return {16, false};
    case TypeKind::U32:
      return {32, false};
    case TypeKind::U64:
      return {64, false};
    default:
      return {};
  }
}

bool widens_int(TypeKind from, TypeKind to) {
  IntRange a = int_range(from);
  IntRange b = int_range(to);
  if (a.bits == 0 || b.bits == 0) return false;
  if (a.is_signed == b.is_signed) return a.bits <= b.bits;
  return !a.is_signed && a.bits < b.bits;
}

// Every value of `from` is one of `to`.
bool converts(const TypeDesc& from, const TypeDesc& to) {
  if (abi::same_layout(from, to)) return true;
  if (to.kind == TypeKind::Optional)
    return converts(from.kind == TypeKind::Optional ? *from.element : from, *to.element);
  if (widens_int(from.kind, to.kind)) return true;
  if (from.kind == TypeKind::F32 && to.kind == TypeKind::F64) return true;
  if (from.kind != TypeKind::Enum || to.kind != TypeKind::Enum) return false;
  return std::all_of(from.values.begin(), from.values.end(), [&](const std::string& value) {
    return std::find(to.values.begin(), to.values.end(), value) != to.values.end();
  });
}

void convert(const TypeDesc& from, const char* value, const TypeDesc& to, char* out) {
  if (abi::same_layout(from, to)) {
    memcpy(out, value, to.size);
    return;
  }
  if (to.kind == TypeKind::Optional) {
    bool optional = from.kind == TypeKind::Optional;
    if (optional && value[from.present_offset] == 0) return;
    convert(optional ? *from.element : from, value, *to.element, out);
    out[to.present_offset] = 1;
    return;
  }
  if (from.kind == TypeKind::F32) {
    float narrow;
    memcpy(&narrow, value, sizeof(narrow));
    double wide = narrow;
    memcpy(out, &wide, sizeof(wide));
    return;
  }
  if (from.kind == TypeKind::Enum) {
    int32_t index;
    memcpy(&index, value, sizeof(index));
    const std::string& name = from.values[static_cast<size_t>(index)];
    index = static_cast<int32_t>(std::find(to.values.begin(), to.values.end(), name) - to.values.begin());
    memcpy(out, &index, sizeof(index));
    return;
  }
  // Little-endian: the low bytes lie first, the others are those of the sign.
  bool negative = int_range(from.kind).is_signed && (value[from.size - 1] & 0x80) != 0;
  memset(out, negative ? 0xff : 0, to.size);
  memcpy(out, value, from.size);
}

bool is_text(TypeKind kind) {
  return kind == TypeKind::String || kind == TypeKind::Bytes || kind == TypeKind::Json;
}

}  // namespace

std::optional<RowChange> RowChange::between(const abi::TypeDescRef& from, const abi::TypeDescRef& to) {
  RowChange out(from, to);
  auto worse = [&](RowFit fit) { out.fit_ = std::max(out.fit_, fit); };
  if (!abi::same_layout(*from, *to)) worse(RowFit::Fewer);
  for (const abi::FieldDesc& field : to->fields) {
    auto known = std::find_if(from->fields.begin(), from->fields.end(), [&](const abi::FieldDesc& old) {
      return old.name == field.name || (!field.was.empty() && old.name == field.was);
    });
    Part part;
    if (known != from->fields.end()) {
      if (!converts(*known->type, *field.type)) return std::nullopt;
      if (!abi::same_layout(*known->type, *field.type)) worse(RowFit::Widened);
      part.from = static_cast<int>(known - from->fields.begin());
    } else if (field.default_value) {
      part.filler = field.default_value;
      worse(RowFit::Filled);
    } else if (field.type->kind == TypeKind::Optional) {
      worse(RowFit::Filled);
    } else {
      return std::nullopt;
    }
    out.parts_.push_back(std::move(part));
  }
  return out;
}

std::vector<char> RowChange::apply(const char* row) const {
  std::vector<char> out(to_->size);
  if (fit_ == RowFit::Alike) {
    memcpy(out.data(), row, to_->size);
    return out;
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    const abi::FieldDesc& field = to_->fields[i];
    char* target = out.data() + field.offset;
    const Part& part = parts_[i];
    if (part.from >= 0) {
      const abi::FieldDesc& known = from_->fields[static_cast<size_t>(part.from)];
      convert(*known.type, row + known.offset, *field.type, target);
      continue;
    }
    if (!part.filler) continue;
    const TypeDesc& type = field.type->kind == TypeKind::Optional ? *field.type->element : *field.type;
    if (is_text(type.kind)) {
      MutStr text = abi::make_str(*part.filler);
      memcpy(target, &text, sizeof(text));
    } else {
      memcpy(target, part.filler->data(), type.size);
    }
    if (&type != field.type.get()) target[field.type->present_offset] = 1;
  }
  return out;
}

}  // namespace mut::state
