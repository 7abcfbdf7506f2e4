// Numbers as text, both ways. The forms of the language: an optional sign, digits, and for floats a
// fraction and an exponent; the whole text, no blanks.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace mut::text {

// Leading zeros and `+` allowed. Empty when it is no number or does not fit.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_uint(std::string_view text);

// `NaN`, `Infinity`, `-Infinity` too. Empty when it is no number or beyond the largest double; the
// nearest double otherwise.
std::optional<double> parse_float(std::string_view text);
// Rounds once, from the text.
std::optional<float> parse_float32(std::string_view text);

// The value of a JSON number (already known to be one) when it is a whole number in range: `3`, `3.0`,
// `3e0`, `30e-1`.
std::optional<int64_t> whole_number(std::string_view json_number);
std::optional<uint64_t> whole_number_unsigned(std::string_view json_number);

// `text` × `unit`, exact: sign, digits, fraction, exponent. Empty when it is no number, not a whole
// result, or out of range. For numbers in a time unit.
std::optional<int64_t> scaled_number(std::string_view text, int64_t unit);

// Bytes a formatted value needs at most.
constexpr size_t int_bytes_max = 20;
constexpr size_t float_bytes_max = 32;

// Write to `to` and return the end.
char* format_int(int64_t value, char* to);
char* format_uint(uint64_t value, char* to);
// Shortest text that reads back, always with `.` or `e`: `1.0`, `0.1`, `1e+20`; `NaN`, `Infinity`,
// `-Infinity`.
char* format_float(double value, char* to);
char* format_float32(float value, char* to);

}  // namespace mut::text
