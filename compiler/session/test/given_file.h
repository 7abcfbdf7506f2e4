// Records of a file that a test gives: `from "x.csv" first 500`, `rest`.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/abi/result.h"
#include "runtime/codec/decoder.h"

namespace mut::session {

// The text of records [from, from + count), undecodable ones included, behind the header where the format
// has one.
Result<std::string> records_of(const std::string& text, codec::Format format, uint64_t from, uint64_t count);

}  // namespace mut::session
