// Text lines: each line is a record with one field of type string (rule 6.24).
#pragma once
#include <memory>

#include "runtime/codec/decoder.h"

namespace mut::lines {

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options);

}  // namespace mut::lines
