#include "runtime/batch/batch.h"

#include <algorithm>

namespace mut::batch {
namespace {
constexpr size_t arena_block_bytes = 64 * 1024;
}

void* Arena::allocate_slow(size_t bytes) {
  while (block_index_ < blocks_.size() && blocks_[block_index_].size < bytes) ++block_index_;
  if (block_index_ == blocks_.size()) {
    size_t size = std::max(bytes, arena_block_bytes);
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    bytes_ += size;
  }
  Block& block = blocks_[block_index_++];
  used_bytes_ += block.size;
  next_ = block.memory.get() + bytes;
  end_ = block.memory.get() + block.size;
  return block.memory.get();
}

void* Arena::allocate_growing(size_t bytes) {
  size_t aligned = (bytes + 7) & ~size_t{7};
  if (aligned <= static_cast<size_t>(end_ - next_)) return allocate(bytes);
  auto* out = static_cast<char*>(allocate_slow(aligned * 2));
  next_ = out + aligned;
  return out;
}

MutStr Arena::copy(std::string_view text) {
  if (text.empty()) return {0, 0, ""};
  char* data = static_cast<char*>(allocate(text.size()));
  memcpy(data, text.data(), text.size());
  return abi::make_str(data, static_cast<uint32_t>(text.size()));
}

void Arena::reset() {
  // Large values must not hold their memory for ever: those of a list that grows fit into no block before.
  size_t large = 0;
  std::erase_if(blocks_, [&](const Block& block) {
    return block.size > arena_block_bytes && (large += block.size) > 16 * arena_block_bytes;
  });
  bytes_ = 0;
  for (const Block& block : blocks_) bytes_ += block.size;
  block_index_ = 0;
  used_bytes_ = 0;
  next_ = end_ = nullptr;
}

Batch::Batch(abi::TypeDescRef record, const NeededColumns& needed, uint32_t row_capacity)
    : record_(std::move(record)), needed_(needed), row_capacity_(row_capacity) {
  columns_.resize(record_->fields.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!needed_[i]) continue;
    const abi::TypeDesc* type = record_->fields[i].type.get();
    if (type->kind == abi::TypeKind::Optional) {
      memory_.emplace_back(new char[row_capacity_]());
      columns_[i].valid = reinterpret_cast<uint8_t*>(memory_.back().get());
      type = type->element.get();
    }
    memory_.emplace_back(new char[static_cast<size_t>(row_capacity_) * type->size + 8]());
    columns_[i].values = memory_.back().get();
  }
  for (const MutColumn& column : columns_) own_values_.push_back(column.values);
  times_.resize(row_capacity_);
  origins_.resize(row_capacity_);
  view_.abi = abi::abi_number;
}

void Batch::clear() {
  view_.row_count = 0;
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].values = own_values_[i];
  borrowed_times_ = nullptr;
  view_.time_shift = 0;
  has_origins_ = true;
  has_arrival_ = false;
  view_.input_name = {0, 0, ""};
  errors_.clear();
  bad_.clear();
  held_.clear();
  arena_.reset();
}

void Batch::finish_bad_row(MutOrigin origin, std::string_view code, std::string_view message) {
  if (bad_.empty()) bad_.assign(row_capacity_, 0);
  bad_[view_.row_count] = MUT_ROW_BROKEN;
  errors_.push_back({view_.row_count, arena_.copy(code), arena_.copy(message)});
  times_[view_.row_count] = view_.row_count == 0 ? 0 : times_[view_.row_count - 1];
  finish_row(origin);
}

void Batch::finish_rows(uint32_t row_count) {
  view_.row_count += row_count;
  has_origins_ = false;
}

void Batch::own_times() {
  if (borrowed_times_ == nullptr) return;
  std::transform(borrowed_times_, borrowed_times_ + view_.row_count, times_.begin(),
                 [shift = view_.time_shift](int64_t time) { return time + shift; });
  borrowed_times_ = nullptr;
  view_.time_shift = 0;
}

const MutBatch& Batch::view() {
  view_.columns = columns_.data();
  // Nobody writes through it: own_times() comes before event times are computed.
  view_.times = borrowed_times_ != nullptr ? const_cast<int64_t*>(borrowed_times_) : times_.data();
  view_.bad = bad_.empty() ? nullptr : bad_.data();
  view_.errors = errors_.data();
  view_.error_count = static_cast<uint32_t>(errors_.size());
  view_.origins = has_origins_ ? origins_.data() : nullptr;
  return view_;
}

}  // namespace mut::batch
