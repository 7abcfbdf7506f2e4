// Functions over text, and `hash`.
#pragma once
#include <vector>

#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

int64_t code_points(std::string_view text);
Value text_function(typed::Builtin builtin, const std::vector<Value>& args, typed::TypeRef first);

}  // namespace mut::reference
