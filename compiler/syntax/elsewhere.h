// Words of SQL, Python, C and their kin, and how the same is said here.
#pragma once
#include <optional>
#include <string_view>

namespace mut::syntax {

// A note for a word or sign at which the parser stopped, or which stands for a stage that there is not.
std::optional<std::string_view> said_here(std::string_view word);

}  // namespace mut::syntax
