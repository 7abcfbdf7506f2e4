// Random programs and inputs for them. The same seed gives the same text on every machine.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mut::random_test {

// SplitMix64 (Steele, Lea, Flood 2014).
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // [low, high], both included.
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }
  bool one_in(int64_t count) { return between(1, count) == 1; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(between(0, static_cast<int64_t>(from.size()) - 1))];
  }

 private:
  uint64_t state_;
};

enum class Type : uint8_t {
  Int,
  Float,
  Bool,
  Text,
  Time,
  Duration,
  MaybeInt,
  MaybeFloat,
  MaybeText,
  Ints,
  Level,
  Small,
  Money,  // decimal(2)
  Counts  // map<string, int>
};

struct Field {
  std::string name;
  Type type = Type::Int;
  // A float that comes from an aggregate: equal to 1e-12 only, so nothing may hang on its last digits.
  bool fuzzy = false;
};

// One stage behind another: in one stream, or in a stream and one that it reads directly, as input or as
// the other side of a join.
struct SeenPair {
  std::string first;
  std::string second;
  std::string stream;  // of the second stage
  auto operator<=>(const SeenPair&) const = default;
};

enum class Disorder : uint8_t { None, InTime, Late };

struct GeneratedProgram {
  std::string script;
  std::vector<SeenPair> pairs;
  Disorder disorder = Disorder::None;
  std::vector<std::pair<std::string, std::string>> inputs;  // file name, text
};

struct ProgramOptions {
  uint64_t seed = 1;
  int64_t rows = 150;  // of each source
};

GeneratedProgram random_program(const ProgramOptions& options);

// How names of fields of that type begin: those of money are compared to the last digit.
inline const char* prefix_of(Type type, const char* otherwise) {
  return type == Type::Money ? "y" : otherwise;
}

// Its parts.
class ExpressionWriter {
 public:
  ExpressionWriter(Dice& dice, const std::vector<Field>& fields) : dice_(dice), fields_(fields) {}
  std::string of(Type type, int depth);
  // A field that may be a key: scalar, exact. Empty when there is none.
  std::string key_field();
  // A field of that type that is not fuzzy. Empty when there is none.
  std::string field(Type type);

 private:
  std::string whole(int depth);
  std::string real(int depth);
  std::string condition(int depth);
  std::string text(int depth);
  std::string maybe_whole(int depth);
  std::string list(int depth);
  std::string money(int depth);
  std::string counts(int depth);

  Dice& dice_;
  const std::vector<Field>& fields_;
  int bound_ = 0;  // names bound so far
};

// `back_max`: how many milliseconds an event may be older than one before it; 0: none is.
std::string random_records(Dice& dice, int64_t rows, int64_t back_max);

}  // namespace mut::random_test
