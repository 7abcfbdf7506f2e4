// Lines that differ.
#pragma once
#include <string>
#include <string_view>

namespace mut::tools {

// `- ` of the first, `+ ` of the second text, in order; empty when they are the same.
std::string text_diff(std::string_view from, std::string_view to);

}  // namespace mut::tools
