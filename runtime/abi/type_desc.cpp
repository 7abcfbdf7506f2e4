#include "runtime/abi/type_desc.h"

#include "runtime/abi/value.h"

namespace mut::abi {
namespace {

uint32_t align_up(uint32_t offset, uint32_t align) { return (offset + align - 1) / align * align; }

uint32_t scalar_size(TypeKind kind) {
  switch (kind) {
    case TypeKind::Bool:
    case TypeKind::I8:
    case TypeKind::U8:
      return 1;
    case TypeKind::I16:
    case TypeKind::U16:
      return 2;
    case TypeKind::I32:
    case TypeKind::U32:
    case TypeKind::F32:
    case TypeKind::Enum:
      return 4;
    case TypeKind::I64:
    case TypeKind::U64:
    case TypeKind::F64:
    case TypeKind::Time:
    case TypeKind::Duration:
      return 8;
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
    case TypeKind::List:
    case TypeKind::Map:
    case TypeKind::Decimal:
      return 16;
    case TypeKind::Optional:
    case TypeKind::Record:
      break;
  }
  return 0;
}

TypeDesc scalar(TypeKind kind) {
  TypeDesc type;
  type.kind = kind;
  type.size = scalar_size(kind);
  type.align = type.size > 8 ? 8 : type.size;
  return type;
}

}  // namespace

TypeDescRef make_scalar(TypeKind kind) { return std::make_shared<const TypeDesc>(scalar(kind)); }

TypeDescRef make_decimal(uint32_t scale) {
  TypeDesc type = scalar(TypeKind::Decimal);
  type.scale = scale;
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_enum(std::vector<std::string> values) {
  TypeDesc type = scalar(TypeKind::Enum);
  type.values = std::move(values);
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_optional(TypeDescRef element) {
  TypeDesc type;
  type.kind = TypeKind::Optional;
  type.align = element->align;
  type.present_offset = element->size;
  type.size = align_up(element->size + 1, element->align);
  type.element = std::move(element);
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_list(TypeDescRef element) {
  TypeDesc type = scalar(TypeKind::List);
  type.element = std::move(element);
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_record(std::vector<FieldDesc> fields) {
  TypeDesc type;
  type.kind = TypeKind::Record;
  uint32_t offset = 0;
  for (FieldDesc& field : fields) {
    offset = align_up(offset, field.type->align);
    field.offset = offset;
    offset += field.type->size;
    if (field.type->align > type.align) type.align = field.type->align;
  }
  type.size = align_up(offset, type.align);
  type.fields = std::move(fields);
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_map(TypeDescRef key, TypeDescRef value) {
  TypeDesc type = scalar(TypeKind::Map);
  type.element = make_record({made_field("key", std::move(key)), made_field("value", std::move(value))});
  return std::make_shared<const TypeDesc>(std::move(type));
}

TypeDescRef make_secret(const TypeDesc& type) {
  TypeDesc out = type;
  out.secret = true;
  return std::make_shared<const TypeDesc>(std::move(out));
}

bool same_layout(const TypeDesc& a, const TypeDesc& b) {
  if (a.kind != b.kind || a.size != b.size || a.secret != b.secret) return false;
  if (a.kind == TypeKind::Enum) return a.values == b.values;
  if (a.scale != b.scale) return false;
  if (a.element && !same_layout(*a.element, *b.element)) return false;
  if (a.fields.size() != b.fields.size()) return false;
  for (size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || !same_layout(*a.fields[i].type, *b.fields[i].type))
      return false;
  }
  return true;
}

bool has_references(const TypeDesc& type) {
  switch (type.kind) {
    case TypeKind::String:
    case TypeKind::Bytes:
    case TypeKind::Json:
    case TypeKind::List:
    case TypeKind::Map:
      return true;
    case TypeKind::Optional:
      return has_references(*type.element);
    case TypeKind::Record:
      for (const FieldDesc& field : type.fields) {
        if (has_references(*field.type)) return true;
      }
      return false;
    default:
      return false;
  }
}

}  // namespace mut::abi
