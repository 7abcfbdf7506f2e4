#include <cstdio>
#include <cstdlib>

#include "runtime/abi/check.h"

namespace mut::env {

void stop_for_bug(const char* why, const char* file, int line) {
  std::fprintf(stderr, "mutstream: internal error: %s (%s:%d)\n", why, file, line);
  std::abort();
}

}  // namespace mut::env
