// What this process holds, as Linux tells it.
#pragma once
#include <cstdint>

namespace mut::swap_test {

struct ProcessMemory {
  uint64_t resident_bytes = 0;
  uint64_t used_bytes = 0;  // of the heap: what the allocator holds back is in `resident_bytes` alone
  // Executable mappings without a file: code made at run time.
  uint64_t code_mappings = 0;
  uint64_t code_bytes = 0;
};

ProcessMemory process_memory();

}  // namespace mut::swap_test
