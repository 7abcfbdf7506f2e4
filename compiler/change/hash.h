// 128-bit hashes of lineages: wide enough that two different expressions never meet by accident.
#pragma once
#include <bit>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mut::change {

struct Hash {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const Hash&, const Hash&) = default;
};

// Feeds words, texts and hashes in order. Texts are preceded by their length, so that two neighbours
// never read like two others.
class Hasher {
 public:
  explicit Hasher(std::string_view what) { add(what); }

  Hasher& add(uint64_t word) {
    state_.high = mix(state_.high ^ (word * 0x9e3779b97f4a7c15ULL));
    state_.low = mix(std::rotl(state_.low, 23) + word * 0xc2b2ae3d27d4eb4fULL + 1);
    return *this;
  }
  Hasher& add(std::string_view text) {
    add(uint64_t{text.size()});
    uint64_t word = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      word = word << 8 | static_cast<unsigned char>(text[i]);
      if (i % 8 == 7) {
        add(word);
        word = 0;
      }
    }
    return add(word);
  }
  Hasher& add(const Hash& hash) { return add(hash.high).add(hash.low); }
  Hasher& add(const std::vector<Hash>& hashes) {
    add(uint64_t{hashes.size()});
    for (const Hash& hash : hashes) add(hash);
    return *this;
  }
  Hash done() const { return state_; }

 private:
  static uint64_t mix(uint64_t word) {
    word ^= word >> 31;
    word *= 0x7fb5d329728ea185ULL;
    word ^= word >> 27;
    word *= 0x81dadef4bc2dd44dULL;
    return word ^ word >> 33;
  }

  Hash state_{0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL};
};

}  // namespace mut::change
