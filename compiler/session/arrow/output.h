// Rows in memory as column batches of the Arrow C data interface.
#pragma once
#include <cstdint>

#include "mutstream/arrow.h"
#include "runtime/abi/type_desc.h"

namespace mut::session {

// A struct array of the record's fields, and its schema. Everything is copied; both are released by whoever
// has them, by their own release function, as the interface says. Enums and json are UTF-8, records are
// structs, lists are lists with 64-bit offsets, as texts are.
void write_arrow(const abi::TypeDesc& record, const char* rows, uint64_t row_count, uint64_t stride,
                 ArrowArray& array, ArrowSchema& schema);

}  // namespace mut::session
