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

#ifdef __x86_64__
__attribute__((target("sse4.2"))) uint32_t crc32c_sse(std::string_view bytes, uint32_t crc) {
  const char* at = bytes.data();
  size_t left = bytes.size();
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

}  // namespace mut::checkpoint
