// What a thread does, for a profile: see where.h.
#pragma once
#include "mutstream/profile.h"
#include "runtime/env/where.h"

namespace mut::env {

constexpr uint8_t where_kind(Work work) { return static_cast<uint8_t>(static_cast<uint8_t>(work) + 1); }

// While it lives the calling thread does that, unless somebody below says otherwise.
class Does {
 public:
  // `place`: of the script, as code with notes has it; -1: none.
  explicit Does(Work work, int place = -1) : before_(thread_where) {
    thread_where = where_of(where_kind(work), static_cast<uint32_t>(place + 1));
  }
  // What another thread did when it handed this on.
  explicit Does(Where where) : before_(thread_where) { thread_where = where; }
  ~Does() { thread_where = before_; }
  Does(const Does&) = delete;
  Does& operator=(const Does&) = delete;

 private:
  Where before_;
};

}  // namespace mut::env
