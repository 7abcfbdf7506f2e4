// The text of one cell as a value of a declared type.
#pragma once
#include <string>
#include <string_view>

#include "runtime/abi/type_desc.h"
#include "runtime/batch/batch.h"
#include "runtime/codec/json/plan.h"
#include "runtime/codec/text/time.h"

namespace mut::csv {

// Writes the value of `text` to `to`, laid out as the node's T. `text` must live as long as the row.
// Returns an empty text, or what was expected instead.
std::string_view read_cell(const json::Node& node, const abi::TypeDesc& type, std::string_view text,
                           text::TimeUnit unit, batch::Arena& arena, char* to);

}  // namespace mut::csv
