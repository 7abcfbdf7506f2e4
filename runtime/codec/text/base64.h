// Base64, RFC 4648 section 4: standard alphabet, padded.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace mut::text {

constexpr size_t base64_size(size_t bytes) { return (bytes + 2) / 3 * 4; }
// Writes base64_size(bytes.size()) characters; returns the end.
char* format_base64(std::string_view bytes, char* to);

// Room that parse_base64 needs in `to`.
constexpr size_t base64_bytes_max(size_t text_size) { return text_size / 4 * 3; }
// The number of bytes written; empty when the text is not base64.
std::optional<size_t> parse_base64(std::string_view text, char* to);

}  // namespace mut::text
