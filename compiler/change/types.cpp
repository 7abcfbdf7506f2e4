#include "compiler/change/types.h"

#include <algorithm>
#include <optional>

namespace mut::change {

using typed::Kind;

namespace {

struct IntRange {
  int bits;
  bool has_sign;
};
std::optional<IntRange> int_range(Kind kind) {
  switch (kind) {
    case Kind::I8:
      return IntRange{8, true};
    case Kind::I16:
      return IntRange{16, true};
    case Kind::I32:
      return IntRange{32, true};
    case Kind::Int:
      return IntRange{64, true};
    case Kind::U8:
      return IntRange{8, false};
    case Kind::U16:
      return IntRange{16, false};
    case Kind::U32:
      return IntRange{32, false};
    case Kind::U64:
      return IntRange{64, false};
    default:
      return std::nullopt;
  }
}

}  // namespace

bool same_type(typed::TypeRef a, typed::TypeRef b) {
  if (a->kind == Kind::Enum && b->kind == Kind::Enum) return a->values == b->values;
  return a->text == b->text;
}

bool widens(typed::TypeRef from, typed::TypeRef to) {
  if (from->kind == Kind::Enum && to->kind == Kind::Enum) {
    return from->values.size() <= to->values.size() &&
           std::equal(from->values.begin(), from->values.end(), to->values.begin());
  }
  if (from->kind == Kind::F32 && to->kind == Kind::Float) return true;
  auto narrow = int_range(from->kind);
  auto wide = int_range(to->kind);
  if (!narrow || !wide) return false;
  if (narrow->has_sign == wide->has_sign) return narrow->bits <= wide->bits;
  return !narrow->has_sign && narrow->bits < wide->bits;
}

}  // namespace mut::change
