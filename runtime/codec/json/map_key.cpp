#include "runtime/codec/json/map_key.h"

#include "runtime/codec/json/writer.h"

namespace mut::json {

void append_key(const void* key, const abi::TypeDesc& type, text::Buffer& out) {
  using abi::TypeKind;
  bool quoted = type.kind == TypeKind::String || type.kind == TypeKind::Time ||
                type.kind == TypeKind::Duration || type.kind == TypeKind::Enum;
  if (!quoted) out.append('"');
  append_value(key, type, out);
  if (!quoted) out.append('"');
}

}  // namespace mut::json
