// The newest of many times.
#pragma once
#include <cstdint>
#include <span>

namespace mut::batch {

// The least that a time can be where there are none. Reads as fast as the memory gives them, where the
// processor has vector instructions for it: what counts for each record is done without.
int64_t newest_of(std::span<const int64_t> times);

}  // namespace mut::batch
