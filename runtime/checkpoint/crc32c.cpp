#include "runtime/checkpoint/crc32c.h"

#include <array>
#include <cstring>

namespace mut::checkpoint {
namespace {

constexpr uint32_t polynomial = 0x82f63b78;  // reflected
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables out{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    out[0][byte] = crc;
  }
  for (size_t table = 1; table < out.size(); ++table) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t before = out[table - 1][byte];
      out[table][byte] = (before >> 8) ^ out[0][before & 255U];
    }
  }
  return out;
}
constexpr Tables tables = make_tables();

// Polynomials modulo that of the CRC, their highest power in the lowest bit. Products of them and powers of x
// by squaring, as zlib's crc32_combine() has them (Mark Adler).
constexpr uint32_t one = 0x80000000;

constexpr uint32_t product(uint32_t a, uint32_t b) {
  uint32_t out = 0;
  for (uint32_t bit = one; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) out ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? polynomial : 0);
  }
  return out;
}

// x to the power of 1, 2, 4, 8, …, each the square of the one before. The next one were x again: modulo this
// polynomial, which is a multiple of x + 1, x has the order 2^31 - 1.
constexpr std::array<uint32_t, 31> make_squares() {
  std::array<uint32_t, 31> out{};
  out[0] = one >> 1;
  for (size_t i = 1; i < out.size(); ++i) out[i] = product(out[i - 1], out[i - 1]);
  return out;
}
constexpr std::array<uint32_t, 31> squares = make_squares();
static_assert(product(squares[30], squares[30]) == squares[0]);

// What a CRC is multiplied by when so many bytes follow.
constexpr uint32_t shift_of(uint64_t bytes) {
  uint32_t out = one;
  for (size_t i = 3; bytes != 0; bytes >>= 1, ++i) {
    if ((bytes & 1) != 0) out = product(squares[i % squares.size()], out);
  }
  return out;
}

#ifdef __x86_64__
// The instruction gives its result three cycles later, and may begin each cycle: three lanes, side by side.
constexpr size_t lane_bytes = 4096;
constexpr uint32_t lane_shift = shift_of(lane_bytes);

__attribute__((target("sse4.2"))) uint32_t crc32c_sse(std::string_view bytes, uint32_t crc) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 3 * lane_bytes; at += 3 * lane_bytes, left -= 3 * lane_bytes) {
    std::array<uint64_t, 3> lanes = {crc, 0, 0};
    for (size_t i = 0; i < lane_bytes; i += 8) {
      for (size_t lane = 0; lane < lanes.size(); ++lane) {
        uint64_t word;
        memcpy(&word, at + lane * lane_bytes + i, 8);
        lanes[lane] = __builtin_ia32_crc32di(lanes[lane], word);
      }
    }
    crc = product(lane_shift, static_cast<uint32_t>(lanes[0])) ^ static_cast<uint32_t>(lanes[1]);
    crc = product(lane_shift, crc) ^ static_cast<uint32_t>(lanes[2]);
  }
  uint64_t wide = crc;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto out = static_cast<uint32_t>(wide);
  for (; left > 0; ++at, --left) out = __builtin_ia32_crc32qi(out, static_cast<unsigned char>(*at));
  return out;
}
#endif

}  // namespace

uint32_t crc32c_portable(std::string_view bytes, uint32_t before) {
  uint32_t crc = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][word >> (8 * i) & 255U];
  }
  for (; left > 0; ++at, --left) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*at)) & 255U];
  return ~crc;
}

uint32_t crc32c(std::string_view bytes, uint32_t before) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("sse4.2")) return ~crc32c_sse(bytes, ~before);
#endif
  return crc32c_portable(bytes, before);
}

uint32_t crc32c_of_both(uint32_t first, uint32_t second, uint64_t second_bytes) {
  return product(shift_of(second_bytes), first) ^ second;
}

}  // namespace mut::checkpoint
