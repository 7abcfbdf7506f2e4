// What the calling thread does, in a word of its own that a sample reads: a kind of work, and where known a
// place of the script.
//
// Why a word and not the name of a function: code of the C library is part of whatever called it, and a
// binary may have no names. The runtime says what it does once a batch; compiled code that a profile asked
// for says it before each call of the runtime.
#pragma once
#include <cstdint>

namespace mut::env {

// Low 8 bits: the kind, which this folder gives no meaning but one: 0 is nothing in particular. Above: a
// place and 1, or 0. Written by its own thread; a signal handler of that thread reads it.
using Where = uint32_t;
constexpr Where where_of(uint8_t kind, uint32_t place_and_1 = 0) { return kind | place_and_1 << 8U; }

// Always at the same distance from the thread pointer, which compiled code relies on.
extern thread_local volatile Where thread_where __attribute__((tls_model("initial-exec")));

// Bytes from the thread pointer to that word; empty on machines where that is not known here.
struct WhereOffset {
  bool known = false;
  int64_t bytes = 0;
};
WhereOffset where_offset();

}  // namespace mut::env
