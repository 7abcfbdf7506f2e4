#include "test/swap/process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace mut::swap_test {

ProcessMemory process_memory() {
  ProcessMemory out;
  uint64_t size_pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> size_pages >> resident_pages;
  out.resident_bytes = resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  struct mallinfo2 heap = mallinfo2();
  out.used_bytes = heap.uordblks + heap.hblkhd;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::string range, rights, offset, device, inode, path;
    fields >> range >> rights >> offset >> device >> inode >> path;
    if (rights.size() <= 2 || rights[2] != 'x' || inode != "0" || !path.empty()) continue;
    size_t dash = range.find('-');
    ++out.code_mappings;
    out.code_bytes +=
        std::stoull(range.substr(dash + 1), nullptr, 16) - std::stoull(range.substr(0, dash), nullptr, 16);
  }
  return out;
}

}  // namespace mut::swap_test
