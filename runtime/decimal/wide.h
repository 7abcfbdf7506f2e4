// Products of 256 bits and what is left of them: for quotients whose dividend must be raised first.
#pragma once
#include <cstdint>
#include <optional>

namespace mut::decimal {

struct Wide {
  unsigned __int128 high = 0;
  unsigned __int128 low = 0;
};

inline Wide multiply_wide(unsigned __int128 a, unsigned __int128 b) {
  using Half = unsigned __int128;
  constexpr int bits = 64;
  auto a_low = static_cast<uint64_t>(a);
  auto a_high = static_cast<uint64_t>(a >> bits);
  auto b_low = static_cast<uint64_t>(b);
  auto b_high = static_cast<uint64_t>(b >> bits);
  Half low = Half{a_low} * b_low;
  Half first = Half{a_high} * b_low + (low >> bits);  // below 2^128: (2^64-1)^2 + 2^64 - 1
  Half second = Half{a_low} * b_high + static_cast<uint64_t>(first);
  return {Half{a_high} * b_high + (first >> bits) + (second >> bits),
          second << bits | static_cast<uint64_t>(low)};
}

// Empty when the quotient is beyond 128 bits. `divisor` is not 0.
inline std::optional<unsigned __int128> divide_wide(Wide dividend, unsigned __int128 divisor,
                                                    unsigned __int128& rest) {
  if (dividend.high == 0) {
    rest = dividend.low % divisor;
    return dividend.low / divisor;
  }
  if (dividend.high >= divisor) return std::nullopt;
  // Bit by bit, as on paper.
  unsigned __int128 quotient = 0;
  rest = dividend.high;
  for (int bit = 127; bit >= 0; --bit) {
    bool carry = rest >> 127 != 0;
    rest = rest << 1 | (dividend.low >> bit & 1U);
    quotient <<= 1;
    if (carry || rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

}  // namespace mut::decimal
