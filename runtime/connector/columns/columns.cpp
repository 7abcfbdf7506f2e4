#include "runtime/connector/columns/columns.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace mut::connector {
namespace {

// Copies a value with the texts and lists it refers to.
void copy_value(const abi::TypeDesc& type, const char* from, char* to, batch::Arena& arena) {
  memcpy(to, from, type.size);
  switch (type.kind) {
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json: {
      MutStr text;
      memcpy(&text, from, sizeof(text));
      text = arena.copy(abi::view(text));
      memcpy(to, &text, sizeof(text));
      return;
    }
    case abi::TypeKind::Optional:
      if (from[type.present_offset] != 0) copy_value(*type.element, from, to, arena);
      to[type.present_offset] = from[type.present_offset];
      return;
    case abi::TypeKind::Record:
      for (const abi::FieldDesc& field : type.fields)
        copy_value(*field.type, from + field.offset, to + field.offset, arena);
      return;
    case abi::TypeKind::List:
    case abi::TypeKind::Map: {
      MutList list;
      memcpy(&list, from, sizeof(list));
      auto* memory = static_cast<char*>(arena.allocate(list.count * type.element->size + 1));
      for (uint64_t i = 0; i < list.count; ++i) {
        copy_value(*type.element, static_cast<const char*>(list.data) + i * type.element->size,
                   memory + i * type.element->size, arena);
      }
      list.data = memory;
      memcpy(to, &list, sizeof(list));
      return;
    }
    default:
      return;
  }
}

class RowSource final : public SourceReader {
 public:
  explicit RowSource(std::shared_ptr<RowQueue> queue) : queue_(std::move(queue)) {}
  Poll poll(batch::Batch& batch) override {
    bool ended = false;
    if (queue_->take(batch, ended) > 0) return Poll::Ready;
    return ended || stopped_.load(std::memory_order_relaxed) ? Poll::End : Poll::Wait;
  }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }

 private:
  std::shared_ptr<RowQueue> queue_;
  std::atomic<bool> stopped_{false};
  Error error_;
};

class ColumnReplay final : public SourceReader {
 public:
  explicit ColumnReplay(ReplayedColumns columns) : columns_(std::move(columns)) {}

  Poll poll(batch::Batch& batch) override {
    if (stopped_.load(std::memory_order_relaxed) || pass_ == columns_.repeat || columns_.row_count == 0)
      return Poll::End;
    uint64_t rows = std::min<uint64_t>(batch.row_capacity(), columns_.row_count - row_);
    batch.set_first_position(pass_ * columns_.row_count + row_);
    for (size_t field = 0; field < columns_.columns.size(); ++field) {
      if (batch.values(field) != nullptr)
        batch.borrow_values(field, static_cast<const char*>(columns_.columns[field]) + row_ * 8);
    }
    batch.borrow_times(columns_.times.data() + row_, static_cast<int64_t>(pass_) * columns_.time_step_ns);
    batch.finish_rows(static_cast<uint32_t>(rows));
    row_ += rows;
    if (row_ == columns_.row_count) {
      row_ = 0;
      ++pass_;
    }
    return Poll::Ready;
  }
  const Error& error() const override { return error_; }
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }

 private:
  ReplayedColumns columns_;
  uint64_t pass_ = 0;
  uint64_t row_ = 0;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

void RowQueue::push(const char* rows, const int64_t* times_ns, size_t row_count) {
  {
    std::lock_guard lock(mutex_);
    Block& block = *filled_;
    size_t at = block.rows.size();
    block.rows.resize(at + row_count * record_->size);
    for (size_t i = 0; i < row_count; ++i) {
      copy_value(*record_, rows + i * record_->size, block.rows.data() + at + i * record_->size, block.texts);
      block.times.push_back(times_ns[i]);
    }
  }
  if (wake_ != nullptr) wake_->notify();
}

void RowQueue::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  if (wake_ != nullptr) wake_->notify();
}

uint32_t RowQueue::take(batch::Batch& batch, bool& ended) {
  if (taken_from_->taken == taken_from_->times.size()) {
    taken_from_->rows.clear();
    taken_from_->times.clear();
    taken_from_->texts.reset();
    taken_from_->taken = 0;
    std::lock_guard lock(mutex_);
    std::swap(filled_, taken_from_);
    ended = finished_;
  }
  Block& block = *taken_from_;
  uint32_t rows = 0;
  batch.set_first_position(position_);
  while (block.taken < block.times.size() && batch.row_count() < batch.row_capacity()) {
    const char* row = block.rows.data() + block.taken * record_->size;
    uint32_t to = batch.row_count();
    for (size_t i = 0; i < record_->fields.size(); ++i) {
      if (batch.values(i) == nullptr) continue;
      const abi::FieldDesc& field = record_->fields[i];
      const abi::TypeDesc& type =
          field.type->kind == abi::TypeKind::Optional ? *field.type->element : *field.type;
      copy_value(type, row + field.offset, static_cast<char*>(batch.values(i)) + to * type.size,
                 batch.arena());
      if (batch.valid(i) != nullptr)
        batch.valid(i)[to] = static_cast<uint8_t>(row[field.offset + field.type->present_offset]);
    }
    batch.times()[to] = block.times[block.taken];
    batch.finish_row({nullptr, 0, 0});
    ++block.taken;
    ++rows;
  }
  position_ += rows;
  return rows;
}

std::unique_ptr<SourceReader> make_row_source(std::shared_ptr<RowQueue> queue) {
  return std::make_unique<RowSource>(std::move(queue));
}

std::unique_ptr<SourceReader> make_column_source(ReplayedColumns columns) {
  return std::make_unique<ColumnReplay>(std::move(columns));
}

}  // namespace mut::connector
