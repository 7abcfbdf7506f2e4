// Rows that were decoded for a version that does not run them any more.
#pragma once
#include <memory>

#include "runtime/batch/batch.h"
#include "runtime/codec/decoder.h"

namespace mut::runtime {

// The rows of `batch` from `first_row` on, decoded from their text as another record; all columns are stored.
// With the numbers, input and times of arrival that they had; `decoder` was told of the record.
std::unique_ptr<batch::Batch> decode_again(codec::Decoder& decoder, batch::Batch& batch, uint32_t first_row,
                                           const abi::TypeDescRef& record);

}  // namespace mut::runtime
