// Order-free checks of a result, the same text for every side.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "test/bench/input/splitmix.h"

namespace mut::bench {

// For results of many rows: their number and the sum of one column.
struct SumCheck {
  uint64_t rows = 0;
  int64_t sum = 0;
  std::string text() const { return "rows=" + std::to_string(rows) + ";sum=" + std::to_string(sum); }
};

// For small results: also the sum, modulo 2^64, of FNV-1a-64 over each row's line (its fields in
// decimal, joined by commas, without a line end).
class RowCheck {
 public:
  // `counted` is the field that is summed.
  void add(std::initializer_list<int64_t> fields, int64_t counted) {
    ++sums_.rows;
    sums_.sum += counted;
    std::string line;
    for (const int64_t field : fields) line += (line.empty() ? "" : ",") + std::to_string(field);
    digest_ += fnv1a(line);
  }
  std::string text() const { return sums_.text() + ";fnv=" + std::to_string(digest_); }

 private:
  static uint64_t fnv1a(std::string_view line) {
    uint64_t hash = 0xCBF29CE484222325;
    for (const char c : line) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return hash;
  }

  SumCheck sums_;
  uint64_t digest_ = 0;
};

// For results of many rows that are to be compared whole: a row costs a few nanoseconds. The number of rows,
// the sum of one field, and the sum modulo 2^64 of h over the rows, h = splitmix_output(h + step + field)
// over the fields, from 0.
class MixCheck {
 public:
  void add(std::initializer_list<int64_t> fields, int64_t counted) {
    add(std::span(fields.begin(), fields.size()), counted);
  }
  void add(std::span<const int64_t> fields, int64_t counted) {
    ++sums_.rows;
    sums_.sum += counted;
    uint64_t row = 0;
    for (const int64_t field : fields)
      row = splitmix_output(row + splitmix_step + static_cast<uint64_t>(field));
    digest_ += row;
  }
  std::string text() const { return sums_.text() + ";mix=" + std::to_string(digest_); }

 private:
  SumCheck sums_;
  uint64_t digest_ = 0;
};

}  // namespace mut::bench
