// Whole numbers of an old version as those of a type that holds fewer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/abi/type_desc.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

// Whether some value of `from` is none of `to`, both whole numbers.
bool is_narrower(const abi::TypeDesc& from, const abi::TypeDesc& to);
// Of a value of `from`, widened to a word.
bool fits(const abi::TypeDesc& from, uint64_t word, const abi::TypeDesc& to);
// "70000".
std::string number_text(const abi::TypeDesc& type, uint64_t word);
// The type of the value that a cell keeps, without none; null: it keeps no single value of a type.
const abi::TypeDesc* kept_type(const CellDesc& cell);

}  // namespace mut::state
