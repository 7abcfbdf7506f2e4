#include "runtime/state/results.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "runtime/state/own_cells.h"
#include "runtime/state/packed.h"
#include "runtime/state/values.h"

namespace mut::state {

using abi::TypeKind;

abi::TypeDescRef result_record(const StoreDesc& desc) {
  std::vector<abi::FieldDesc> fields;
  auto add = [&](std::string name, abi::TypeDescRef type) {
    fields.push_back(abi::made_field(std::move(name), std::move(type)));
  };
  if (desc.kind == StoreKind::Held) {
    add("rank", abi::make_scalar(TypeKind::I64));
    add("window_start", abi::make_scalar(TypeKind::Time));
    add("window_end", abi::make_scalar(TypeKind::Time));
    add("row", desc.hold.record->fields.back().type);
    return abi::make_record(std::move(fields));
  }
  if (desc.kind == StoreKind::Join) {
    add("side", abi::make_scalar(TypeKind::I32));
    add("left", desc.join.left);
    add("right", desc.join.right);
    return abi::make_record(std::move(fields));
  }
  add(desc.kind == StoreKind::Process ? "timer" : "error", abi::make_scalar(TypeKind::I32));
  for (const KeyDesc& key : desc.keys) add(key.name, key.type);
  if (desc.kind == StoreKind::Process) return abi::make_record(std::move(fields));
  for (const CellDesc& cell : results_of(desc)) add(cell.name, cell.result);
  add("window_start", abi::make_scalar(TypeKind::Time));
  add("window_end", abi::make_scalar(TypeKind::Time));
  for (const CellDesc& cell : results_of(desc)) {
    if (may_overflow(cell)) add(cell.name + " overflow", abi::make_scalar(TypeKind::Bool));
  }
  return abi::make_record(std::move(fields));
}

abi::TypeDescRef shown_record(const StoreDesc& desc) {
  std::vector<abi::FieldDesc> fields;
  auto add = [&](std::string name, abi::TypeDescRef type) {
    fields.push_back(abi::made_field(std::move(name), std::move(type)));
  };
  for (const KeyDesc& key : desc.keys) add(key.name, key.type);
  bool windows = desc.kind != StoreKind::Whole && desc.kind != StoreKind::Groups &&
                 desc.kind != StoreKind::Match && desc.kind != StoreKind::Process &&
                 desc.kind != StoreKind::Follow;
  if (windows) {
    add("window_start", abi::make_scalar(TypeKind::Time));
    add("window_end", abi::make_scalar(TypeKind::Time));
  }
  return abi::make_record(std::move(fields));
}

int compare_keys(const StoreDesc& desc, const uint64_t* a, const uint64_t* b) {
  for (const KeyDesc& key : desc.keys) {
    if (key.optional) {
      uint32_t present = key.word + word_count(key.kind);
      if (a[present] != b[present]) return a[present] != 0 ? -1 : 1;  // none comes last
      if (a[present] == 0) continue;
    }
    int order = compare_words(a + key.word, b + key.word, key.kind);
    if (order != 0) return order;
  }
  return 0;
}

void ResultRows::clear() {
  rows_.clear();
  times_.clear();
  keys_.clear();
}

void ResultRows::own_text(CellResult& value, WordKind kind) {
  if (kind != WordKind::Text || !value.present) return;
  MutStr text;
  memcpy(&text, value.words, sizeof(text));
  text = texts_.copy(abi::view(text));
  memcpy(value.words, &text, sizeof(text));
}

// A value that is kept packed, made whole in the memory of the rows.
void ResultRows::write_packed(const CellResult& piece, const abi::TypeDesc& type, char* out) {
  if (!piece.present) return;  // the row is of zeros
  bool optional = type.kind == TypeKind::Optional;
  const abi::TypeDesc& inner = optional ? *type.element : type;
  memcpy(out, unpacked_copy(text_of(piece.words), inner, texts_), inner.size);
  if (optional) out[type.present_offset] = 1;
}

void ResultRows::make_rows(size_t more) {
  size_t count = times_.size() + more;
  rows_.resize(count * record_->size);  // zeros
  times_.resize(count);
  keys_.resize(count * desc_.key_words);
}

void ResultRows::fill_keys(const uint64_t* key, char* out) {
  const char* words = reinterpret_cast<const char*>(key);
  for (size_t i = 0; i < fields_.keys.size(); ++i) {
    const ResultField& field = fields_.keys[i];
    if (field.how == ResultField::How::Number) {
      copy_number(out + field.to, words + field.from, field.bytes);
      continue;
    }
    const KeyDesc& desc = desc_.keys[i];
    CellResult value;
    value.words[0] = key[desc.word];
    if (word_count(desc.kind) == 2) value.words[1] = key[desc.word + 1];
    if (desc.optional) value.present = key[desc.word + word_count(desc.kind)] != 0;
    own_text(value, desc.kind);
    write_result(value, *desc.type, out + field.to);
  }
}

// A row of zeros with the key in it.
char* ResultRows::begin_row(const uint64_t* key, int64_t event_time) {
  size_t index = count();
  make_rows(1);
  char* out = rows_.data() + index * record_->size;
  fill_keys(key, out);
  times_[index] = event_time;
  std::copy_n(key, desc_.key_words, keys_.begin() + static_cast<ptrdiff_t>(index * desc_.key_words));
  return out;
}

void ResultRows::add_timer(const uint64_t* key, uint32_t timer, int64_t event_time) {
  memcpy(begin_row(key, event_time), &timer, sizeof(timer));
}

void ResultRows::add_results(const uint64_t* key, const std::vector<CellResult>& results,
                             int64_t event_time) {
  char* out = begin_row(key, event_time);
  const std::vector<CellDesc>& cells = results_of(desc_);
  size_t field = 1 + desc_.keys.size();
  size_t flag = field + cells.size() + 2;
  for (size_t i = 0; i < results.size(); ++i, ++field) {
    CellResult value = results[i];
    const abi::TypeDesc& type = *cells[i].result;
    if (may_overflow(cells[i])) out[record_->fields[flag++].offset] = static_cast<char>(value.overflow);
    char* to = out + record_->fields[field].offset;
    if (!gives_list(cells[i].fn) && is_packed(type)) {
      write_packed(value, type, to);
      continue;
    }
    own_text(value, word_kind(type));
    write_result(value, type, to);
  }
}

RowError ResultRows::fill_by_description(const KeyedTable& table, const CellDesc& cell,
                                         const ResultField& field, const char* row, char* out) {
  const Heap& heap = const_cast<KeyedTable&>(table).heap();
  const char* memory = row + cell.offset;
  if (cell.fn == CellFn::Own) {
    int64_t events = write_own(memory, *cell.result, heap, texts_, out + field.to);
    return events < 0 ? static_cast<RowError>(-events) : RowError::None;
  }
  bool list = gives_list(cell.fn);  // made in the memory of the rows
  CellResult value =
      list ? list_result(cell, memory, heap, nullptr, texts_) : cell_result(cell, memory, heap);
  if (may_overflow(cell)) out[field.overflow] = static_cast<char>(value.overflow);
  if (!list) own_text(value, word_kind(*cell.result));
  write_result(value, *cell.result, out + field.to);
  // Added by an edit, after the last event of the row.
  bool lacks = !value.present && cell.result->kind != TypeKind::Optional;
  return lacks ? RowError::NoValue : RowError::None;
}

const std::vector<ResultField>& ResultRows::cells_of(const KeyedTable& table) {
  if (&table.desc() == &desc_) return fields_.cells;
  auto is_at = [](const ResultField& field, const CellDesc& cell) { return field.from == cell.offset; };
  const std::vector<CellDesc>& cells = table.desc().cells;
  if (!std::equal(inner_cells_.begin(), inner_cells_.end(), cells.begin(), cells.end(), is_at)) {
    inner_cells_ = fields_.cells;
    for (size_t i = 0; i < cells.size(); ++i) inner_cells_[i].from = cells[i].offset;
  }
  return inner_cells_;
}

void ResultRows::fill_row(size_t index, const KeyedTable& table, const std::vector<ResultField>& cells,
                          const char* row, const uint64_t* key, int64_t start, int64_t end,
                          int64_t event_time) {
  char* out = rows_.data() + index * record_->size;
  fill_keys(key, out);
  auto error = RowError::None;
  for (size_t i = 0; i < cells.size(); ++i) {
    const ResultField& field = cells[i];
    Filled filled = fill_cell(field, row, out);
    if (filled == Filled::Yes) continue;
    RowError of = filled == Filled::NoValue
                      ? RowError::NoValue
                      : fill_by_description(table, table.desc().cells[i], field, row, out);
    if (of != RowError::None) error = of;
  }
  memcpy(out, &error, sizeof(error));
  memcpy(out + fields_.start, &start, 8);
  memcpy(out + fields_.end, &end, 8);
  times_[index] = event_time;
  std::copy_n(key, desc_.key_words, keys_.begin() + static_cast<ptrdiff_t>(index * desc_.key_words));
}

void ResultRows::add(const KeyedTable& table, const char* row, const uint64_t* key, int64_t start,
                     int64_t end, int64_t event_time) {
  size_t index = count();
  make_rows(1);
  fill_row(index, table, cells_of(table), row, key, start, end, event_time);
}

void ResultRows::sort_by_key(size_t first_row) {
  std::vector<size_t> order(count() - first_row);
  std::iota(order.begin(), order.end(), first_row);
  size_t words = desc_.key_words;
  if (words == 0 || order.size() < 2) return;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return compare_keys(desc_, keys_.data() + a * words, keys_.data() + b * words) < 0;
  });
  std::vector<char> rows = rows_;
  std::vector<int64_t> times = times_;
  std::vector<uint64_t> keys = keys_;
  for (size_t i = 0; i < order.size(); ++i) {
    size_t to = first_row + i;
    memcpy(rows_.data() + to * record_->size, rows.data() + order[i] * record_->size, record_->size);
    memcpy(keys_.data() + to * words, keys.data() + order[i] * words, words * 8);
    times_[to] = times[order[i]];
  }
}

void ResultRows::add_packed(JoinSide side, const abi::TypeDesc& type, const char* packed, uint64_t bytes,
                            int64_t event_time) {
  auto* copy = static_cast<char*>(texts_.allocate(bytes));
  memcpy(copy, packed, bytes);
  unpack(type, copy);
  size_t at = rows_.size();
  rows_.resize(at + record_->size);
  auto number = static_cast<int32_t>(side);
  memcpy(rows_.data() + at + record_->fields[0].offset, &number, sizeof(number));
  memcpy(rows_.data() + at + record_->fields[1 + static_cast<size_t>(side)].offset, copy, type.size);
  times_.push_back(event_time);
}

void ResultRows::add_held(const abi::TypeDesc& type, const char* value, int64_t rank, int64_t start,
                          int64_t end, int64_t event_time) {
  uint64_t bytes = packed_bytes(type, value);
  auto* copy = static_cast<char*>(texts_.allocate(bytes));
  pack(type, value, copy);
  unpack(type, copy);
  size_t at = rows_.size();
  rows_.resize(at + record_->size);
  char* out = rows_.data() + at;
  memcpy(out + record_->fields[0].offset, &rank, sizeof(rank));
  memcpy(out + record_->fields[1].offset, &start, sizeof(start));
  memcpy(out + record_->fields[2].offset, &end, sizeof(end));
  const abi::FieldDesc& row = type.fields.back();
  memcpy(out + record_->fields[3].offset, copy + row.offset, row.type->size);
  times_.push_back(event_time);
}

}  // namespace mut::state
