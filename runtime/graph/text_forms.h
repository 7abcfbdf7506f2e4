// Values as text and back: interpolation, `string(x)`, `as` (rules 3.7, 3.11, 3.21).
#pragma once
#include <string>
#include <string_view>

#include "runtime/abi/type_desc.h"
#include "runtime/batch/batch.h"

namespace mut::runtime {

int64_t code_points(std::string_view text);
// Code points [from, to), both cut to the text.
std::string_view slice_text(std::string_view text, int64_t from, int64_t to);
// Unicode simple case mapping of Latin, Greek and Cyrillic; other code points stay.
void map_case(std::string_view text, bool upper, std::string& out);

// Appends a value by a format: `[<|>|^][width][,][.digits][d|x|e|%]` for numbers, `[<|>|^][width]` for
// text, `%Y-%m-%d…` for times. An empty format prints as the language does.
void format_value(const abi::TypeDesc& type, const void* value, std::string_view spec, std::string& out);

// `as`: false when it would lose something or the text is no such value.
bool cast_value(const abi::TypeDesc& from, const void* value, const abi::TypeDesc& to, void* out,
                batch::Arena& arena);

}  // namespace mut::runtime
