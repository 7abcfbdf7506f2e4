// Steps over text that depend on the instruction set; see row_parser.inl. Each stops at a control
// character at the latest, and reads up to 63 bytes behind the place where it stops.

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

uint32_t low_bits(uint32_t count) { return count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1; }

// The portable parser learns no layouts: what the other one reads by them is compared with it.
#ifdef MUT_JSON_AVX2
constexpr bool learns = true;

bool key_matches(const Key& key, const char* at) {
  __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  __m256i expected = _mm256_load_si256(reinterpret_cast<const __m256i*>(key.text));
  auto equal = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, expected)));
  return (~equal & key.mask) == 0;
}

#ifdef MUT_JSON_AVX512
__m512i load64(const char* at) { return _mm512_loadu_si512(at); }

bool layout_matches(const LayoutStep& step, const char* at) {
  return _mm512_mask_cmpneq_epu8_mask(step.mask, load64(at), _mm512_load_si512(step.text)) == 0;
}

// The first quote, backslash or control character.
const char* find_string_stop(const char* at) {
  const __m512i quote = _mm512_set1_epi8('"'), backslash = _mm512_set1_epi8('\\'), blank = _mm512_set1_epi8(0x20);
  for (;; at += 64) {
    __m512i text = load64(at);
    uint64_t hit = _mm512_cmpeq_epi8_mask(text, quote) | _mm512_cmpeq_epi8_mask(text, backslash) |
                   _mm512_cmplt_epu8_mask(text, blank);
    if (hit != 0) return at + __builtin_ctzll(hit);
  }
}

// The first quote, bracket of either kind and direction, or newline.
const char* find_bracket(const char* at) {
  const __m512i quote = _mm512_set1_epi8('"'), open = _mm512_set1_epi8('{'), close = _mm512_set1_epi8('}');
  const __m512i newline = _mm512_set1_epi8('\n'), fold = _mm512_set1_epi8(0x20);
  for (;; at += 64) {
    __m512i text = load64(at);
    __m512i folded = _mm512_or_si512(text, fold);  // `[` and `]` become `{` and `}`
    uint64_t hit = _mm512_cmpeq_epi8_mask(text, quote) | _mm512_cmpeq_epi8_mask(text, newline) |
                   _mm512_cmpeq_epi8_mask(folded, open) | _mm512_cmpeq_epi8_mask(folded, close);
    if (hit != 0) return at + __builtin_ctzll(hit);
  }
}
#else
bool layout_matches(const LayoutStep& step, const char* at) {
  auto equal = [&](size_t from) {
    __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + from));
    __m256i expected = _mm256_load_si256(reinterpret_cast<const __m256i*>(step.text + from));
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, expected)));
  };
  if ((~equal(0) & static_cast<uint32_t>(step.mask)) != 0) return false;
  auto high = static_cast<uint32_t>(step.mask >> 32);
  return high == 0 || (~equal(32) & high) == 0;
}

// The first quote, backslash or control character.
const char* find_string_stop(const char* at) {
  const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'),
                control = _mm256_set1_epi8(0x1f);
  for (;; at += 32) {
    __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    __m256i hit =
        _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(text, quote), _mm256_cmpeq_epi8(text, backslash)),
                        _mm256_cmpeq_epi8(_mm256_min_epu8(text, control), text));
    if (auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(hit))) return at + __builtin_ctz(mask);
  }
}

// The first quote, bracket of either kind and direction, or newline.
const char* find_bracket(const char* at) {
  const __m256i quote = _mm256_set1_epi8('"'), open = _mm256_set1_epi8('{'), close = _mm256_set1_epi8('}');
  const __m256i newline = _mm256_set1_epi8('\n'), fold = _mm256_set1_epi8(0x20);
  for (;; at += 32) {
    __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    __m256i folded = _mm256_or_si256(text, fold);  // `[` and `]` become `{` and `}`
    __m256i hit =
        _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(text, quote), _mm256_cmpeq_epi8(text, newline)),
                        _mm256_or_si256(_mm256_cmpeq_epi8(folded, open), _mm256_cmpeq_epi8(folded, close)));
    if (auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(hit))) return at + __builtin_ctz(mask);
  }
}
#endif

alignas(32) constexpr uint8_t shift_right[32] = {128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
                                                 128, 128, 128, 128, 128, 0,   1,   2,   3,   4,   5,
                                                 6,   7,   8,   9,   10,  11,  12,  13,  14,  15};

// The digits at `at`: their number (16 stands for 16 or more) and, below 16, their value.
uint32_t read_digits(const char* at, uint64_t& value) {
  __m128i digits = _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), _mm_set1_epi8('0'));
  __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
  auto count =
      static_cast<uint32_t>(__builtin_ctz(~static_cast<uint32_t>(_mm_movemask_epi8(is_digit)) | 0x10000u));
  __m128i place = _mm_loadu_si128(reinterpret_cast<const __m128i*>(shift_right + count));
  digits = _mm_shuffle_epi8(digits, place);
  const __m128i tens = _mm_set1_epi16(10 + (1 << 8));
  const __m128i hundreds = _mm_set1_epi32(100 + (1 << 16));
  const __m128i ten_thousands = _mm_set1_epi32(10000 + (1 << 16));
  __m128i pairs = _mm_madd_epi16(_mm_maddubs_epi16(digits, tens), hundreds);
  auto halves =
      static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_madd_epi16(_mm_packus_epi32(pairs, pairs), ten_thousands)));
  value = (halves & 0xffffffff) * 100'000'000 + (halves >> 32);
  return count;
}
#else
constexpr bool learns = false;

bool key_matches(const Key& key, const char* at) {
  return memcmp(at, key.text, key.size) == 0 && key.size != 0;
}

bool layout_matches(const LayoutStep& step, const char* at) { return memcmp(at, step.text, step.size) == 0; }

const char* find_string_stop(const char* at) {
  while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

const char* find_bracket(const char* at) {
  for (;; ++at) {
    char folded = static_cast<char>(*at | 0x20);
    if (*at == '"' || *at == '\n' || folded == '{' || folded == '}') return at;
  }
}

uint32_t read_digits(const char* at, uint64_t& value) {
  uint32_t count = 0;
  value = 0;
  for (; count < 16 && static_cast<unsigned char>(at[count] - '0') < 10; ++count) {
    value = value * 10 + static_cast<uint64_t>(at[count] - '0');
  }
  return count;
}
#endif
