// Copies of what a state holds lie in the arena until the rows that may point at them are taken.
#pragma once
#include "runtime/graph/instance.h"

namespace mut::runtime {

// Asks for rows to be taken before the next event, where the arena of the instance has come to hold much.
// With several shards rows can be taken only where all of them stand: there nothing is asked. Thread of the
// instance.
inline void take_rows_if_full(MutContext& context, const batch::Arena& arena) {
  if (arena.used_bytes() > arena_bytes_usual && context.output_rows_max == output_rows_usual)
    context.output_rows_max = 0;
}

}  // namespace mut::runtime
