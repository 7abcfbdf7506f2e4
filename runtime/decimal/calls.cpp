// What kernels call: decimals in two halves, the scales of both sides in one word (`a` in its low byte).
#include "runtime/decimal/decimal.h"

using mut::decimal::Units;

namespace {

// By typed::EventError.
constexpr int32_t fine = 0;
constexpr int32_t overflow = 1;
constexpr int32_t division_by_zero = 2;

Units whole(uint64_t low, uint64_t high) {
  return static_cast<Units>(static_cast<unsigned __int128>(high) << 64 | low);
}
int first(uint32_t scales) { return static_cast<int>(scales & 0xFFU); }
int second(uint32_t scales) { return static_cast<int>(scales >> 8 & 0xFFU); }

int32_t give(std::optional<Units> units, uint64_t* out) {
  Units value = units.value_or(0);
  out[0] = static_cast<uint64_t>(value);
  out[1] = static_cast<uint64_t>(static_cast<unsigned __int128>(value) >> 64);
  return units ? fine : overflow;
}

}  // namespace

extern "C" {

int32_t mut_decimal_add(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high, uint32_t scales,
                        uint64_t* out) {
  return give(mut::decimal::add(whole(a_low, a_high), first(scales), whole(b_low, b_high), second(scales)),
              out);
}

int32_t mut_decimal_subtract(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
                             uint32_t scales, uint64_t* out) {
  return give(
      mut::decimal::subtract(whole(a_low, a_high), first(scales), whole(b_low, b_high), second(scales)), out);
}

int32_t mut_decimal_multiply(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high, uint32_t,
                             uint64_t* out) {
  return give(mut::decimal::multiply(whole(a_low, a_high), whole(b_low, b_high)), out);
}

int32_t mut_decimal_divide(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high, uint32_t scales,
                           uint64_t* out) {
  Units divisor = whole(b_low, b_high);
  if (divisor == 0) return division_by_zero;
  return give(mut::decimal::divide(whole(a_low, a_high), first(scales), divisor, second(scales)), out);
}

int32_t mut_decimal_remainder(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
                              uint32_t scales, uint64_t* out) {
  Units divisor = whole(b_low, b_high);
  if (divisor == 0) return division_by_zero;
  return give(mut::decimal::remainder(whole(a_low, a_high), first(scales), divisor, second(scales)), out);
}

int32_t mut_decimal_compare(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
                            uint32_t scales) {
  return mut::decimal::compare(whole(a_low, a_high), first(scales), whole(b_low, b_high), second(scales));
}

int32_t mut_decimal_rescale(uint64_t low, uint64_t high, uint32_t scales, uint32_t rounding, uint64_t* out) {
  return give(mut::decimal::rescale(whole(low, high), first(scales), second(scales),
                                    static_cast<mut::decimal::Rounding>(rounding)),
              out);
}

double mut_decimal_to_float(uint64_t low, uint64_t high, uint32_t scale) {
  return mut::decimal::to_double(whole(low, high), first(scale));
}

}  // extern "C"
