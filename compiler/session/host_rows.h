// What a host gets in the place of a file: text, or rows that are read where they lie.
#pragma once
#include <cstring>
#include <functional>
#include <string_view>

#include "mutstream/engine.h"
#include "runtime/abi/type_desc.h"
#include "runtime/connector/sink_writer.h"

namespace mut {

// A host's function in the place of a file.
class HostLines final : public connector::SinkWriter {
 public:
  explicit HostLines(std::function<void(std::string_view)> receive) : receive_(std::move(receive)) {}
  Status write(std::string_view text) override {
    receive_(text);
    return Unit{};
  }
  Status flush() override { return Unit{}; }
  Status close() override { return Unit{}; }

 private:
  std::function<void(std::string_view)> receive_;
};

// Valid as long as its memory is.
class MemoryRow final : public RowView {
 public:
  MemoryRow(const abi::TypeDesc& record, const char* row) : record_(record), row_(row) {}
  size_t field_count() const override { return record_.fields.size(); }
  std::string_view field_name(size_t index) const override { return record_.fields[index].name; }
  FieldValue field(size_t index) const override {
    const abi::FieldDesc& field = record_.fields[index];
    if (field.type->kind == abi::TypeKind::I64 && !field.type->secret) {
      int64_t number;
      memcpy(&number, row_ + field.offset, sizeof(number));
      return number;
    }
    return value(*field.type, row_ + field.offset);
  }

  // Of any field in memory.
  static FieldValue value(const abi::TypeDesc& type, const char* at);

 private:
  const abi::TypeDesc& record_;
  const char* row_;
};

// As MemoryRow. `stride_bytes` from one row to the next.
class MemoryRows final : public RowBatch {
 public:
  MemoryRows(const abi::TypeDesc& record, const char* rows, size_t count, size_t stride_bytes)
      : record_(record), rows_(rows), count_(count), stride_bytes_(stride_bytes) {}
  size_t row_count() const override { return count_; }
  size_t field_count() const override { return record_.fields.size(); }
  std::string_view field_name(size_t index) const override { return record_.fields[index].name; }
  std::optional<FieldColumn<int64_t>> ints(size_t index) const override;
  std::optional<FieldColumn<double>> floats(size_t index) const override;
  FieldValue field(size_t row, size_t index) const override {
    return MemoryRow(record_, rows_ + row * stride_bytes_).field(index);
  }

 private:
  const abi::TypeDesc& record_;
  const char* rows_;
  size_t count_;
  size_t stride_bytes_;
};

}  // namespace mut
