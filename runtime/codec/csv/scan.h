// Finds the bytes of CSV text that mean something: separator, quote, newline.
#pragma once
#include <cstdint>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

namespace mut::csv {

// Walks over them in order, 64 bytes of text at a time. May read 63 bytes behind `end`.
class Marks {
 public:
  Marks(const char* at, const char* end, char separator) : base_(at), end_(end), separator_(separator) {
    load();
  }

  // The next one; `end` when there is none. Each is given once.
  const char* next() {
    while (mask_ == 0) {
      if (end_ - base_ <= 64) return end_;
      base_ += 64;
      load();
    }
    const char* at = base_ + __builtin_ctzll(mask_);
    mask_ &= mask_ - 1;
    return at;
  }

 private:
  void load() {
    mask_ = 0;
    if (base_ == end_) return;
#ifdef __x86_64__
    const __m128i separator = _mm_set1_epi8(separator_), quote = _mm_set1_epi8('"'),
                  newline = _mm_set1_epi8('\n');
    for (int i = 0; i < 4; ++i) {
      __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(base_ + 16 * i));
      __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(text, separator), _mm_cmpeq_epi8(text, quote)),
                                 _mm_cmpeq_epi8(text, newline));
      mask_ |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(hit))) << (16 * i);
    }
#else
    for (int i = 0; i < 64 && base_ + i != end_; ++i) {
      char c = base_[i];
      if (c == separator_ || c == '"' || c == '\n') mask_ |= uint64_t{1} << i;
    }
#endif
    if (end_ - base_ < 64) mask_ &= (uint64_t{1} << (end_ - base_)) - 1;
  }

  const char* base_;
  const char* end_;
  uint64_t mask_ = 0;
  char separator_;
};

}  // namespace mut::csv
