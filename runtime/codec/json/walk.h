// Into a JSON value without reading all of it: `.name` and `[i]`.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace mut::json {

// The value of a member, as a part of `json`; of several of one name the last. Empty when `json` is no
// object, has no such member, or that is null.
std::optional<std::string_view> member_of(std::string_view json, std::string_view name);
// The same for an element, from 0.
std::optional<std::string_view> element_of(std::string_view json, int64_t index);

}  // namespace mut::json
