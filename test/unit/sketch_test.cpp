// The count of a sketch against the exact one: how far off it is, and that only the values decide.
#include "runtime/state/sketch.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "runtime/abi/value.h"

namespace mut::state {
namespace {

constexpr double standard_error = 1.04 / 64;  // as stated: 1.04 / sqrt(2^12)

// A sketch with a heap of its own.
class Counted {
 public:
  Counted() : heap_(budget_, view_) {}
  void add(uint64_t hash) { add_hash(cell_, heap_, hash); }
  void merge(const Counted& other) { merge_sketch(cell_, heap_, other.cell_, other.heap_); }
  int64_t count() const { return sketch_count(cell_, heap_); }
  int64_t peek(uint64_t hash) const { return peek_sketch(cell_, heap_, hash); }

 private:
  Budget budget_{size_t{1} << 30};
  MutHeap view_{};
  Heap heap_;
  alignas(8) char cell_[sizeof(SketchCell)] = {};
};

uint64_t hash_of_number(uint64_t number) { return sketch_hash(&number, WordKind::Signed); }
uint64_t hash_of_text(uint64_t number) {
  std::string text = "user-" + std::to_string(number);
  MutStr view = abi::make_str(text);
  uint64_t words[2];
  static_assert(sizeof(view) == sizeof(words));
  memcpy(words, &view, sizeof(view));
  return sketch_hash(words, WordKind::Text);
}

// Numbers in a row, spread ones, multiples of a power of two, texts, floats: by their number in a set.
using HashOf = uint64_t (*)(uint64_t number);
constexpr std::array<HashOf, 5> populations = {
    [](uint64_t n) { return hash_of_number(n); },
    [](uint64_t n) { return hash_of_number(n * 0x9E3779B97F4A7C15ULL); },
    [](uint64_t n) { return hash_of_number(n << 20U); },
    hash_of_text,
    [](uint64_t n) {
      double value = static_cast<double>(n) / 8;
      uint64_t word;
      memcpy(&word, &value, sizeof(word));
      return sketch_hash(&word, WordKind::Float);
    },
};

TEST(Sketch, IsExactUpTo256) {
  for (HashOf hash : populations) {
    Counted sketch;
    for (uint64_t n = 0; n < 256; ++n) {
      EXPECT_EQ(sketch.peek(hash(n)), static_cast<int64_t>(n) + 1);
      sketch.add(hash(n));
      sketch.add(hash(n / 2));  // seen already
      ASSERT_EQ(sketch.count(), static_cast<int64_t>(n) + 1);
    }
  }
}

TEST(Sketch, IsWithinTheStatedError) {
  for (uint64_t size : {257ULL, 1'000ULL, 5'000ULL, 20'000ULL, 100'000ULL, 1'000'000ULL}) {
    double squares = 0;
    int sets = 0;
    for (HashOf hash : populations) {
      // A million takes long: fewer sets of it.
      uint64_t count_of_sets = size < 100'000 ? 20 : size < 1'000'000 ? 8 : 2;
      for (uint64_t set = 0; set < count_of_sets; ++set) {
        Counted sketch;
        for (uint64_t n = 0; n < size; ++n) sketch.add(hash(set * 10'000'000 + n));
        double error = static_cast<double>(sketch.count()) / static_cast<double>(size) - 1;
        EXPECT_LT(std::fabs(error), 4.5 * standard_error) << size << " values, set " << set;
        squares += error * error;
        ++sets;
      }
    }
    double root_mean_square = std::sqrt(squares / sets);
    // Of so few sets it is itself uncertain: by 1 / sqrt(2 sets).
    EXPECT_LT(root_mean_square, standard_error * (1 + 3 / std::sqrt(2.0 * sets))) << size << " values";
    RecordProperty("rms_error_of_" + std::to_string(size), std::to_string(root_mean_square));
    std::printf("%8llu values: root mean square of the error %.4f over %d sets\n",
                static_cast<unsigned long long>(size), root_mean_square, sets);
  }
}

TEST(Sketch, DependsOnTheValuesAlone) {
  std::mt19937_64 random(11);
  for (uint64_t size : {100ULL, 256ULL, 257ULL, 400ULL, 3'000ULL}) {
    Counted at_once;
    for (uint64_t n = 0; n < size; ++n) at_once.add(hash_of_number(n));
    std::vector<Counted> panes(7);
    for (uint64_t n = 0; n < size; ++n) {
      panes[random() % panes.size()].add(hash_of_number(size - 1 - n));
      panes[random() % panes.size()].add(hash_of_number(random() % size));
    }
    Counted merged;
    for (const Counted& pane : panes) merged.merge(pane);
    EXPECT_EQ(merged.count(), at_once.count()) << size;
    std::vector<uint64_t> hashes;
    for (uint64_t n = 0; n < size; ++n) hashes.push_back(hash_of_number(n / 2 * 2));
    for (uint64_t n = 0; n < size; ++n) hashes.push_back(hash_of_number(n));
    EXPECT_EQ(count_of_hashes(hashes), at_once.count()) << size;
    // What it would be with one more is what it then is.
    int64_t expected = merged.peek(hash_of_number(size));
    merged.add(hash_of_number(size));
    EXPECT_EQ(merged.count(), expected) << size;
  }
}

}  // namespace
}  // namespace mut::state
