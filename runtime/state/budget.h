// Bytes of state of one engine. Stores count what they allocate; past the limit an insert fails with
// event error `memory`. One thread at a time.
#pragma once
#include <cstddef>

namespace mut::state {

class Budget {
 public:
  explicit Budget(size_t limit_bytes) : limit_(limit_bytes) {}
  void add(size_t bytes) { used_ += bytes; }
  void remove(size_t bytes) { used_ -= bytes; }
  bool fits(size_t bytes) const { return used_ + bytes <= limit_; }
  size_t used() const { return used_; }
  size_t limit() const { return limit_; }

 private:
  size_t limit_;
  size_t used_ = 0;
};

}  // namespace mut::state
