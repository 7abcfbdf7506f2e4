// Functions over text, and `hash`.
#pragma once
#include <vector>

#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

// What approx_distinct() counts: `hash`, its bits spread once more (the last steps of MurmurHash3, Austin
// Appleby, public domain). Never 0.
uint64_t spread_hash(const Value& value);

int64_t code_points(std::string_view text);
Value text_function(typed::Builtin builtin, const std::vector<Value>& args, typed::TypeRef first);

}  // namespace mut::reference
