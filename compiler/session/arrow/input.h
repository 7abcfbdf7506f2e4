// Column batches of the Arrow C data interface as rows in memory.
#pragma once
#include <string>
#include <vector>

#include "mutstream/arrow.h"
#include "runtime/abi/result.h"
#include "runtime/abi/type_desc.h"

namespace mut::session {

// Fields are found by name among the columns, which may be in any order, and more. Integers and floats of any
// width, booleans, UTF-8, bytes, times and durations of any unit; texts also for enums. A null is `none`.
// Texts in `rows` point into the array.
struct ArrowRows {
  std::vector<char> rows;  // in the layout of the record
  size_t row_count = 0;
};
Result<ArrowRows> read_arrow(const ArrowArray& array, const ArrowSchema& schema, const abi::TypeDesc& record);

}  // namespace mut::session
