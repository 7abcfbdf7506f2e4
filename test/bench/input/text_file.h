// The NEXMark text as a file that is made once and then read by every program.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "test/bench/input/huge_array.h"

namespace mut::bench {

// DIR/nexmark-EVENTS.ndjson, written first when it is not there (under another name until whole).
// Nothing, with a line on stderr, when that fails.
std::optional<std::filesystem::path> nexmark_file(const std::filesystem::path& dir, uint64_t event_count);

// The file's bytes followed by `padding_bytes` zeros, so that a parser may read past the end.
std::optional<HugeArray<char>> read_padded(const std::filesystem::path& path, size_t padding_bytes);

}  // namespace mut::bench
