// What a host gets in the place of a file: text, or rows that are read where they lie.
#pragma once
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
    return value(*field.type, row_ + field.offset);
  }

 private:
  static FieldValue value(const abi::TypeDesc& type, const char* at);
  const abi::TypeDesc& record_;
  const char* row_;
};

}  // namespace mut
