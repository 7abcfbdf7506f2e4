// What must hold by construction. A violation is our bug: say why and stop, before wrong data spreads.
#pragma once

namespace mut::env {
// Prints and aborts; stands behind runtime/env like every other way to the world.
[[noreturn]] void stop_for_bug(const char* why, const char* file, int line);
}  // namespace mut::env

#define MUT_CHECK(condition, why)                                        \
  do {                                                                   \
    if (!(condition)) ::mut::env::stop_for_bug(why, __FILE__, __LINE__); \
  } while (false)
