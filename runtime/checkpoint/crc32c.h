// CRC-32C (Castagnoli), as of iSCSI and ext4: any flipped bit of what a checkpoint has on disk is found by
// it.
#pragma once
#include <cstdint>
#include <string_view>

namespace mut::checkpoint {

// Of `bytes` behind what has given `before`; 0: behind nothing.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);
// Of what has given `first` and, behind it, so many bytes that have given `second`.
uint32_t crc32c_of_both(uint32_t first, uint32_t second, uint64_t second_bytes);
// crc32c() without instructions of the processor, for a test of either.
uint32_t crc32c_portable(std::string_view bytes, uint32_t before = 0);

}  // namespace mut::checkpoint
