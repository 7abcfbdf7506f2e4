// JSON sources: one value per line, or the elements of one array.
#pragma once
#include <memory>

#include "runtime/codec/decoder.h"

namespace mut::json {

// Fastest: of this processor. Avx2: as of one without AVX-512, where this one has AVX2.
enum class InstructionSet : uint8_t { Fastest, Avx2, Portable };

std::unique_ptr<codec::Decoder> make_reader(abi::TypeDescRef record, const codec::DecodeOptions& options,
                                            InstructionSet instructions = InstructionSet::Fastest);

}  // namespace mut::json
