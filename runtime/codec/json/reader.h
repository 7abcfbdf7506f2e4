// JSON sources: one value per line, or the elements of one array.
#pragma once
#include <memory>

#include "runtime/codec/decoder.h"

namespace mut::json {

enum class InstructionSet : uint8_t { Fastest, Portable };

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options,
                                            InstructionSet instructions = InstructionSet::Fastest);

}  // namespace mut::json
