#include "runtime/state/narrowing.h"

namespace mut::state {
namespace {

using abi::TypeKind;

struct Range {
  bool is_signed = true;
  int bits = 0;  // 0: no whole number
};

Range range_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::I8:
      return {true, 8};
    case TypeKind::I16:
      return {true, 16};
    case TypeKind::I32:
      return {true, 32};
    case TypeKind::I64:
      return {true, 64};
    case TypeKind::U8:
      return {false, 8};
    case TypeKind::U16:
      return {false, 16};
    case TypeKind::U32:
      return {false, 32};
    case TypeKind::U64:
      return {false, 64};
    default:
      return {};
  }
}

}  // namespace

bool is_narrower(const abi::TypeDesc& from, const abi::TypeDesc& to) {
  if (from.kind == to.kind) return false;
  Range a = range_of(from.kind);
  Range b = range_of(to.kind);
  if (a.bits == 0 || b.bits == 0) return false;
  if (a.is_signed == b.is_signed) return a.bits > b.bits;
  return a.is_signed || a.bits >= b.bits;
}

bool fits(const abi::TypeDesc& from, uint64_t word, const abi::TypeDesc& to) {
  Range b = range_of(to.kind);
  bool negative = range_of(from.kind).is_signed && static_cast<int64_t>(word) < 0;
  if (!b.is_signed) return !negative && (b.bits == 64 || word >> b.bits == 0);
  if (!negative) return word >> (b.bits - 1) == 0;
  return static_cast<int64_t>(word) >> (b.bits - 1) == -1;
}

std::string number_text(const abi::TypeDesc& type, uint64_t word) {
  if (type.secret) return "a secret";
  return range_of(type.kind).is_signed ? std::to_string(static_cast<int64_t>(word)) : std::to_string(word);
}

const abi::TypeDesc* kept_type(const CellDesc& cell) {
  const abi::TypeDesc* type = cell.result.get();
  switch (cell.fn) {
    case CellFn::Min:
    case CellFn::Max:
    case CellFn::First:
    case CellFn::Last:
    case CellFn::ArgMin:
    case CellFn::ArgMax:
    case CellFn::Previous:
      break;
    case CellFn::Own:  // a variable of a process
      if (type->fields.size() != 2 || type->fields[0].name != "set") return nullptr;
      type = type->fields[1].type.get();
      break;
    default:
      return nullptr;
  }
  return type->kind == TypeKind::Optional ? type->element.get() : type;
}

}  // namespace mut::state
