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

using Values = std::vector<std::string>;

bool begins_with(const Values& to, const Values& from) {
  return from.size() <= to.size() && std::equal(from.begin(), from.end(), to.begin());
}

// Whether they differ in nothing but enums, at any depth, and `enums` holds of the values of each. Names of
// enums do not count: values are kept by number.
template <typename Enums>
bool are_alike(typed::TypeRef a, typed::TypeRef b, const Enums& enums) {
  if (a->kind != b->kind) return false;
  switch (a->kind) {
    case Kind::Enum:
      return enums(a->values, b->values);
    case Kind::Optional:
    case Kind::List:
    case Kind::Map:
    case Kind::Secret:
      return are_alike(a->element, b->element, enums);
    case Kind::Record:
      return std::equal(a->fields.begin(), a->fields.end(), b->fields.begin(), b->fields.end(),
                        [&](const typed::Field& x, const typed::Field& y) {
                          return x.name == y.name && are_alike(x.type, y.type, enums);
                        });
    default:
      return a->text == b->text;
  }
}

}  // namespace

bool same_type(typed::TypeRef a, typed::TypeRef b) {
  return are_alike(a, b, [](const Values& x, const Values& y) { return x == y; });
}

bool widens(typed::TypeRef from, typed::TypeRef to) {
  if (are_alike(from, to, [](const Values& x, const Values& y) { return begins_with(y, x); })) return true;
  if (from->kind == Kind::F32 && to->kind == Kind::Float) return true;
  auto narrow = int_range(from->kind);
  auto wide = int_range(to->kind);
  if (!narrow || !wide) return false;
  if (narrow->has_sign == wide->has_sign) return narrow->bits <= wide->bits;
  return !narrow->has_sign && narrow->bits < wide->bits;
}

}  // namespace mut::change
