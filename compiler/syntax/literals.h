// What number, duration and time literals mean. Also used to read such values from text.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mut::syntax {

enum class NumberKind : uint8_t { Int, Float, Duration };
enum class NumberFault : uint8_t { None, Malformed, OutOfRange };

struct Number {
  NumberKind kind = NumberKind::Int;
  NumberFault fault = NumberFault::None;
  uint64_t whole = 0;       // Int
  double real = 0;          // Float
  int64_t nanoseconds = 0;  // Duration
  std::string suggestion;   // for Malformed, what was probably meant; may be empty
};

// `42 1_000 0xff 2.5e-3 250ms 1h30m 1.5h`. Anything else is Malformed.
Number read_number(std::string_view text);

struct TimeText {
  bool valid = false;
  int64_t nanoseconds = 0;  // since the epoch, UTC
};
// `2026-11-20`, `2026-11-20T10:00[:00[.fraction]][Z|+hh:mm]`, without the `@`.
TimeText read_time(std::string_view text);

}  // namespace mut::syntax
