#include "runtime/checkpoint/block_lines.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mut::checkpoint {
namespace {

constexpr size_t line_bytes = 64;
constexpr size_t words = line_bytes / sizeof(uint64_t);
using Line = std::array<uint64_t, words>;

// Both halves of the product, folded: as wyhash mixes.
uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The four products of a line do not wait for each other.
uint64_t digest_of(const Line& line, const DigestKey& key) {
  constexpr std::array<uint64_t, 4> apart = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                                             0xd6e8feb86659fd93};
  uint64_t out = 0;
  for (size_t i = 0; i < words; i += 2) {
    size_t pair = i / 2;
    out += std::rotl(mix(line[i] ^ key[pair], line[i + 1] ^ (key[(pair + 1) % key.size()] + apart[pair])),
                     static_cast<int>(7 * pair));
  }
  return out;
}

size_t line_count(size_t bytes) { return (bytes + line_bytes - 1) / line_bytes; }
size_t bits_bytes(size_t lines) { return (lines + 7) / 8; }
// Of a block, whose last line may be short.
size_t bytes_of_line(size_t line, size_t block_bytes) {
  return std::min(line_bytes, block_bytes - line * line_bytes);
}

}  // namespace

BlockLines lines_of(std::string_view block, const DigestKey& key) {
  BlockLines out;
  out.bytes = block.size();
  out.lines.resize(line_count(block.size()));
  for (size_t i = 0; i < out.lines.size(); ++i) {
    Line line{};
    memcpy(line.data(), block.data() + i * line_bytes, bytes_of_line(i, block.size()));
    out.lines[i] = digest_of(line, key);
  }
  out.digest = {key[0] ^ block.size(), key[1] ^ (block.size() << 1)};
  for (uint64_t line : out.lines) {
    out.digest.low = mix(line ^ key[2] ^ out.digest.low, key[0]);
    out.digest.high = mix(line ^ key[3], out.digest.high ^ key[1]) + out.digest.low;
  }
  return out;
}

std::optional<std::string> changed_lines(std::string_view block, const BlockLines& now,
                                         const BlockLines& before) {
  if (now.bytes != before.bytes || now.lines.size() != before.lines.size()) return std::nullopt;
  size_t count = now.lines.size();
  std::string out(bits_bytes(count), '\0');
  for (size_t i = 0; i < count; ++i) {
    if (now.lines[i] == before.lines[i]) continue;
    out[i / 8] = static_cast<char>(out[i / 8] | 1 << i % 8);
    out += block.substr(i * line_bytes, bytes_of_line(i, block.size()));
    if (out.size() > block.size() / 2) return std::nullopt;
  }
  return out;
}

Status put_lines(std::string_view changed, char* block, size_t block_bytes) {
  const Error none{"lines of a block are not of that block"};
  size_t count = line_count(block_bytes);
  if (changed.size() < bits_bytes(count)) return none;
  std::string_view lines = changed.substr(bits_bytes(count));
  for (size_t i = 0; i < count; ++i) {
    if ((static_cast<unsigned char>(changed[i / 8]) >> i % 8 & 1U) == 0) continue;
    size_t bytes = bytes_of_line(i, block_bytes);
    if (lines.size() < bytes) return none;
    memcpy(block + i * line_bytes, lines.data(), bytes);
    lines.remove_prefix(bytes);
  }
  return lines.empty() ? Status(Unit{}) : Status(none);
}

}  // namespace mut::checkpoint
