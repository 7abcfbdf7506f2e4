// Rows that a host pushes or receives.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace mut {

// One field of a row. monostate: none. A decimal is its text, `12.50`; a whole number is taken too.
using FieldValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

// A row handed to a host sink; valid during the call.
class RowView {
 public:
  virtual ~RowView() = default;
  virtual size_t field_count() const = 0;
  virtual std::string_view field_name(size_t index) const = 0;
  virtual FieldValue field(size_t index) const = 0;
};

// One field of all rows of a batch, read where the rows lie: each `stride` bytes behind the one before.
template <typename Value>
class FieldColumn {
 public:
  FieldColumn(const char* first, size_t stride_bytes) : first_(first), stride_bytes_(stride_bytes) {}
  Value operator[](size_t row) const {
    Value out;
    std::memcpy(&out, first_ + row * stride_bytes_, sizeof(out));
    return out;
  }

 private:
  const char* first_;
  size_t stride_bytes_;
};

// Rows handed to a host together, in their order; valid during the call. Numbers of many rows are read by
// column, without a call for each; any field of one row by field().
class RowBatch {
 public:
  virtual ~RowBatch() = default;
  virtual size_t row_count() const = 0;
  virtual size_t field_count() const = 0;
  virtual std::string_view field_name(size_t index) const = 0;
  // Where the field is an `int`, a `time` or a `duration` (nanoseconds), never none and no secret.
  virtual std::optional<FieldColumn<int64_t>> ints(size_t index) const = 0;
  // Where it is a `float`, never none and no secret.
  virtual std::optional<FieldColumn<double>> floats(size_t index) const = 0;
  virtual FieldValue field(size_t row, size_t index) const = 0;
};

}  // namespace mut
