// What must hold by construction. A violation is our bug: say why and stop, before wrong data spreads.
#pragma once
#include <cstdio>
#include <cstdlib>

#define MUT_CHECK(condition, why)                                                               \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      std::fprintf(stderr, "mutstream: internal error: %s (%s:%d)\n", why, __FILE__, __LINE__); \
      std::abort();                                                                             \
    }                                                                                           \
  } while (false)
