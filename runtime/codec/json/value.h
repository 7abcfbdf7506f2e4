// A single JSON value into memory: defaults of fields, nested values in CSV columns, values of params.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "runtime/abi/type_desc.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/text/time.h"

namespace mut::json {

// Reads `json` into `to`, laid out as `type`; texts live in `arena`. Returns why it could not, and then
// `to` holds anything.
std::optional<std::string> read_value(std::string_view json, const abi::TypeDesc& type, text::TimeUnit unit,
                                      batch::Arena& arena, void* to);

}  // namespace mut::json
