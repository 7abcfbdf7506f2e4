// What tells whether a file is still the one that was read as far as a place.
#pragma once
#include <optional>
#include <string>

#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::checkpoint {

struct InputMark {
  uint64_t bytes = 0;  // of the file, up to where it was looked at
  uint32_t crc = 0;    // of the last of those
};

// What another run goes on from.
struct InputPlace {
  connector::SourcePlace place;
  // Needed: without its mark there is no checkpoint. Spare: of what is not read at the moment, or never
  // again.
  enum class Use : uint8_t { Needed, Spare } use = Use::Needed;
  std::optional<InputMark> known{};  // an earlier run has made it, and nobody has read on
};

// The last bytes before the place, of what is packed the first of the file. Fails where that file cannot be
// read any more, or another has its name.
Result<InputMark> mark_of(env::Env& env, const connector::SourcePlace& place);
// Fails, with the file, where it has other bytes there.
Status check_mark(env::Env& env, const connector::SourcePlace& place, const InputMark& mark);

}  // namespace mut::checkpoint
