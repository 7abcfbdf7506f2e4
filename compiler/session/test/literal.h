// Rows that came, as a test writes rows.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/json.h"
#include "compiler/sema/test_checker.h"

namespace mut::session {

// `row`: as a sink prints it. `named`: rows of the same expectation; fields that none of them names are left
// out, but without such rows all fields are written. Empty where the language has no literal: NaN, an
// infinity, some names in JSON.
std::optional<std::string> literal_of(const reference::Json& row, typed::TypeRef record,
                                      const std::vector<const sema::TestValue*>& named);

}  // namespace mut::session
