// Columns of numbers in memory as one array of the Arrow C data interface. Owns nothing: the columns stay
// with the caller until the array was taken.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "mutstream/arrow.h"

namespace mut::bench {

template <size_t Fields>
class ArrowRows {
 public:
  struct Column {
    const char* name;
    const char* format;  // "l": a number; "tsn:UTC": a time in nanoseconds
  };
  explicit ArrowRows(const std::array<Column, Fields>& columns) {
    for (size_t i = 0; i < Fields; ++i) {
      schemas_[i] = {columns[i].format, columns[i].name, nullptr,     0,      0,
                     nullptr,           nullptr,         keep_schema, nullptr};
      schema_places_[i] = &schemas_[i];
    }
    schema_ = {"+s", "", nullptr, 0, Fields, schema_places_.data(), nullptr, keep_schema, nullptr};
  }
  ArrowRows(const ArrowRows&) = delete;
  ArrowRows& operator=(const ArrowRows&) = delete;

  const ArrowSchema& schema() const { return schema_; }
  // Valid until the next call.
  ArrowArray* rows(const std::array<const int64_t*, Fields>& columns, size_t row_count) {
    const auto length = static_cast<int64_t>(row_count);
    for (size_t i = 0; i < Fields; ++i) {
      buffers_[i] = {nullptr, columns[i]};
      arrays_[i] = {length, 0, 0, 2, 0, buffers_[i].data(), nullptr, nullptr, keep_array, nullptr};
      array_places_[i] = &arrays_[i];
    }
    no_validity_ = {nullptr};
    array_ = {length,  0,          0,      1, Fields, no_validity_.data(), array_places_.data(),
              nullptr, keep_array, nullptr};
    return &array_;
  }

 private:
  static void keep_schema(ArrowSchema* schema) { schema->release = nullptr; }
  static void keep_array(ArrowArray* array) { array->release = nullptr; }

  std::array<ArrowSchema, Fields> schemas_{};
  std::array<ArrowSchema*, Fields> schema_places_{};
  ArrowSchema schema_{};
  std::array<std::array<const void*, 2>, Fields> buffers_{};
  std::array<const void*, 1> no_validity_{};
  std::array<ArrowArray, Fields> arrays_{};
  std::array<ArrowArray*, Fields> array_places_{};
  ArrowArray array_{};
};

}  // namespace mut::bench
