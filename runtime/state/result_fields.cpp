#include "runtime/state/result_fields.h"

#include "runtime/state/results.h"

namespace mut::state {
namespace {

using How = ResultField::How;

// Whether words of that kind hold a value as the memory layout of the type does, or its low bytes do.
bool lies_as_words(const abi::TypeDesc& type, WordKind kind) {
  switch (kind) {
    case WordKind::Signed:
    case WordKind::Unsigned:
      return type.kind != abi::TypeKind::F32 && type.size <= sizeof(uint64_t);
    case WordKind::Float:
      return type.kind == abi::TypeKind::F64;
    case WordKind::Decimal:
      return type.kind == abi::TypeKind::Decimal;
    case WordKind::Text:
      return false;
  }
  return false;
}

How how_of(const CellDesc& cell) {
  switch (cell.fn) {
    case CellFn::Count:
    case CellFn::Distinct:
      return How::Number;
    case CellFn::IntSum:
      return How::IntSum;
    case CellFn::Min:
    case CellFn::Max:
      return word_count(cell.kind) == 1 ? How::Extreme : How::Value;
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous:
      return How::Value;
    default:
      return How::Other;
  }
}

ResultField place_of(const abi::FieldDesc& field) {
  ResultField out;
  out.to = field.offset;
  out.optional = field.type->kind == abi::TypeKind::Optional;
  out.bytes = out.optional ? field.type->element->size : field.type->size;
  if (out.optional) out.present = field.offset + field.type->present_offset;
  return out;
}

const abi::TypeDesc& inner(const abi::TypeDesc& type) {
  return type.kind == abi::TypeKind::Optional ? *type.element : type;
}

}  // namespace

ResultFields lay_out_result(const StoreDesc& desc, const abi::TypeDesc& record) {
  ResultFields out;
  if (desc.kind == StoreKind::Held || desc.kind == StoreKind::Join) return out;
  size_t field = 1;
  for (const KeyDesc& key : desc.keys) {
    ResultField& made = out.keys.emplace_back(place_of(record.fields[field++]));
    made.from = key.word * uint32_t{sizeof(uint64_t)};
    if (!key.optional && lies_as_words(*key.type, key.kind)) made.how = How::Number;
  }
  if (desc.kind == StoreKind::Process) return out;
  const std::vector<CellDesc>& cells = results_of(desc);
  size_t flag = field + cells.size() + 2;
  for (const CellDesc& cell : cells) {
    ResultField& made = out.cells.emplace_back(place_of(record.fields[field++]));
    made.from = cell.offset;
    How how = how_of(cell);
    WordKind kind = how == How::Number || how == How::IntSum ? WordKind::Signed : cell.kind;
    if (lies_as_words(inner(*cell.result), kind)) made.how = how;
    if (may_overflow(cell)) made.overflow = record.fields[flag++].offset;
  }
  out.start = record.fields[field].offset;
  out.end = record.fields[field + 1].offset;
  return out;
}

}  // namespace mut::state
