// Memory that lies in a file without a name: what the process does not look at need not be in its memory.
#pragma once
#include <cstddef>

#include "runtime/abi/result.h"

namespace mut::env {

// Addresses of it never change. A place may be used once it was reserved, and has any bytes then. Threads:
// any; what happens to one place, one at a time. The file goes with this object, or with the process. A disk
// that cannot give back what it took ends the process (SIGBUS).
class PagedFile {
 public:
  virtual ~PagedFile() = default;
  virtual char* begin() const = 0;
  virtual size_t bytes_max() const = 0;
  // Room on the disk for [from, from + bytes). Fails where the disk is full: Error::Cause::NoSpace.
  virtual Status reserve(size_t from, size_t bytes) = 0;
  // Takes it out of the memory of the process: what is touched comes back, a page at a time. Multiples of
  // page_bytes().
  virtual void page_out(size_t from, size_t bytes) = 0;
  // How much of it is in the memory of the process.
  virtual size_t resident_bytes(size_t from, size_t bytes) = 0;
  virtual size_t page_bytes() const = 0;
};

}  // namespace mut::env
