// CSV and TSV sources (RFC 4180; rule 6.15). Columns are found by the header; without one they are the
// declared fields in order.
#pragma once
#include <memory>

#include "runtime/codec/decoder.h"

namespace mut::csv {

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options);

}  // namespace mut::csv
