// How the keys and cells of a row become the fields of a result record: laid out once, then followed for each
// row. Most are numbers, which lie in the row as the record has them.
#pragma once
#include <cstring>
#include <vector>

#include "runtime/inline/cells.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

struct ResultField {
  enum class How : uint8_t {
    Number,   // copied
    IntSum,   // copied; a flag says that it does not fit
    Extreme,  // copied out of an ExtremeCell that has a value
    Value,    // the same of a ValueCell
    Other,    // made by the description of the key or the cell
  };
  How how = How::Other;
  bool optional = false;
  uint32_t from = 0;      // bytes from the start of the key, or of the row
  uint32_t to = 0;        // and of the record
  uint32_t bytes = 0;     // Number to Value
  uint32_t present = 0;   // of the record, where it is optional: whether there is a value
  uint32_t overflow = 0;  // of the record, where it may: whether the result does not fit
};

// Empty where records are not made of keys and cells.
struct ResultFields {
  std::vector<ResultField> keys;
  std::vector<ResultField> cells;
  uint32_t start = 0;  // of the record: window_start
  uint32_t end = 0;
};

// `record`: result_record() of the description.
ResultFields lay_out_result(const StoreDesc& desc, const abi::TypeDesc& record);

inline void copy_number(char* to, const char* from, uint32_t bytes) {
  switch (bytes) {
    case 8:
      memcpy(to, from, 8);
      return;
    case 16:
      memcpy(to, from, 16);
      return;
    default:  // little endian: the low bytes of a widened integer
      memcpy(to, from, bytes);
  }
}

enum class Filled : uint8_t { Yes, NoValue, ByDescription };

// A cell of a row into a record of zeros. NoValue: there is none, and the field is not optional.
inline Filled fill_cell(const ResultField& field, const char* row, char* record) {
  const char* cell = row + field.from;
  bool present = true;
  switch (field.how) {
    case ResultField::How::Number:
      break;
    case ResultField::How::IntSum:
      record[field.overflow] = static_cast<char>(!inl::fits(*reinterpret_cast<const inl::IntSumCell*>(cell)));
      break;
    case ResultField::How::Extreme:
      present = reinterpret_cast<const inl::ExtremeCell*>(cell)->count > 0;
      break;
    case ResultField::How::Value:
      present = reinterpret_cast<const inl::ValueCell*>(cell)->state == 1;
      break;
    case ResultField::How::Other:
      return Filled::ByDescription;
  }
  if (!present) return field.optional ? Filled::Yes : Filled::NoValue;
  copy_number(record + field.to, cell, field.bytes);
  if (field.optional) record[field.present] = 1;
  return Filled::Yes;
}

}  // namespace mut::state
