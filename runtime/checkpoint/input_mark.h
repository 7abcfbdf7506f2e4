// What tells whether a file is still the one that was read as far as a place.
#pragma once
#include <string>

#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::checkpoint {

struct InputMark {
  uint64_t bytes = 0;  // of the file, up to where it was looked at
  uint32_t crc = 0;    // of the last of those
};

// The last bytes before the place, of what is packed the first of the file. Nothing to compare where it
// cannot be read.
InputMark mark_of(env::Env& env, const connector::SourcePlace& place);
// Fails, with the file, where it has other bytes there.
Status check_mark(env::Env& env, const connector::SourcePlace& place, const InputMark& mark);

}  // namespace mut::checkpoint
