#include "runtime/state/results.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "runtime/state/packed.h"
#include "runtime/state/values.h"

namespace mut::state {

using abi::TypeKind;

abi::TypeDescRef result_record(const StoreDesc& desc) {
  std::vector<abi::FieldDesc> fields;
  auto add = [&](std::string name, abi::TypeDescRef type) {
    abi::FieldDesc field;
    field.name = std::move(name);
    field.type = std::move(type);
    fields.push_back(std::move(field));
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
  add("error", abi::make_scalar(TypeKind::I32));
  for (const KeyDesc& key : desc.keys) add(key.name, key.type);
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
    abi::FieldDesc field;
    field.name = std::move(name);
    field.type = std::move(type);
    fields.push_back(std::move(field));
  };
  for (const KeyDesc& key : desc.keys) add(key.name, key.type);
  if (desc.kind != StoreKind::Whole && desc.kind != StoreKind::Match) {
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

namespace {

struct NumberedRow {
  uint64_t number;  // sorts unsigned as the key sorts
  const char* row;
};

// Least significant digit first, eleven bits at a time; a digit that all share is passed over.
void sort_numbers(std::vector<NumberedRow>& rows) {
  constexpr int digit_bits = 11;
  constexpr size_t digit_count = (64 + digit_bits - 1) / digit_bits;
  constexpr size_t values = size_t{1} << digit_bits;
  auto digit = [](uint64_t number, size_t at) { return number >> (at * digit_bits) & (values - 1); };
  std::vector<std::array<uint32_t, values>> begin(digit_count);
  for (const NumberedRow& row : rows) {
    for (size_t at = 0; at < digit_count; ++at) ++begin[at][digit(row.number, at)];
  }
  std::vector<NumberedRow> other(rows.size());
  for (size_t at = 0; at < digit_count; ++at) {
    if (std::find(begin[at].begin(), begin[at].end(), rows.size()) != begin[at].end()) continue;
    uint32_t sum = 0;
    for (uint32_t& count : begin[at]) sum += std::exchange(count, sum);
    for (const NumberedRow& row : rows) other[begin[at][digit(row.number, at)]++] = row;
    rows.swap(other);
  }
}

}  // namespace

std::vector<const char*> rows_by_key(const KeyedTable& table) {
  const StoreDesc& desc = table.desc();
  std::vector<const char*> out;
  out.reserve(table.row_count());
  bool whole_number = desc.keys.size() == 1 && !desc.keys[0].optional &&
                      (desc.keys[0].kind == WordKind::Signed || desc.keys[0].kind == WordKind::Unsigned);
  if (whole_number) {
    uint64_t flip = desc.keys[0].kind == WordKind::Signed ? uint64_t{1} << 63 : 0;
    std::vector<NumberedRow> rows;
    rows.reserve(table.row_count());
    table.for_each([&](const char* row) {
      uint64_t word;
      memcpy(&word, row + 8, 8);
      rows.push_back({word ^ flip, row});
    });
    sort_numbers(rows);
    for (const NumberedRow& row : rows) out.push_back(row.row);
    return out;
  }
  table.for_each([&](const char* row) { out.push_back(row); });
  if (desc.key_words == 0 || out.size() < 2) return out;
  size_t words = desc.key_words;
  std::vector<uint64_t> keys(out.size() * words + 1);
  std::vector<size_t> order(out.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = 0; i < out.size(); ++i) table.load_key(out[i], keys.data() + i * words);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return compare_keys(desc, keys.data() + a * words, keys.data() + b * words) < 0;
  });
  std::vector<const char*> sorted;
  sorted.reserve(out.size());
  for (size_t at : order) sorted.push_back(out[at]);
  return sorted;
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

// A row of zeros with the key in it.
char* ResultRows::begin_row(const uint64_t* key) {
  size_t at = rows_.size();
  rows_.resize(at + record_->size);
  char* out = rows_.data() + at;
  memset(out, 0, record_->size);
  size_t field = 1;
  for (const KeyDesc& desc : desc_.keys) {
    CellResult value;
    value.words[0] = key[desc.word];
    if (desc.kind == WordKind::Text) value.words[1] = key[desc.word + 1];
    if (desc.optional) value.present = key[desc.word + word_count(desc.kind)] != 0;
    own_text(value, desc.kind);
    write_result(value, *desc.type, out + record_->fields[field].offset);
    ++field;
  }
  return out;
}

void ResultRows::add_results(const uint64_t* key, const std::vector<CellResult>& results,
                             int64_t event_time) {
  char* out = begin_row(key);
  const std::vector<CellDesc>& cells = results_of(desc_);
  size_t field = 1 + desc_.keys.size();
  size_t flag = field + cells.size() + 2;
  for (size_t i = 0; i < results.size(); ++i, ++field) {
    CellResult value = results[i];
    const abi::TypeDesc& type = *cells[i].result;
    if (may_overflow(cells[i])) out[record_->fields[flag++].offset] = static_cast<char>(value.overflow);
    own_text(value, word_kind(type));
    write_result(value, type, out + record_->fields[field].offset);
  }
  times_.push_back(event_time);
  keys_.insert(keys_.end(), key, key + desc_.key_words);
}

void ResultRows::add(const KeyedTable& table, const char* row, const uint64_t* key, int64_t start,
                     int64_t end, int64_t event_time) {
  char* out = begin_row(key);
  size_t field = 1 + desc_.keys.size();
  size_t flag = field + desc_.cells.size() + 2;
  // The table's own description: rows of sessions are laid out by number, not by key.
  auto error = RowError::None;
  for (const CellDesc& cell : table.desc().cells) {
    if (cell.fn == CellFn::Own) {
      const Heap& heap = const_cast<KeyedTable&>(table).heap();
      char* target = out + record_->fields[field].offset;
      int64_t events = write_own(row + cell.offset, *cell.result, heap, target);
      for (const abi::FieldDesc& part : cell.result->fields) {
        if (word_kind(*part.type) != WordKind::Text) continue;
        MutStr text;
        memcpy(&text, target + part.offset, sizeof(text));
        text = texts_.copy(abi::view(text));
        memcpy(target + part.offset, &text, sizeof(text));
      }
      if (events < 0) error = static_cast<RowError>(-events);
      ++field;
      continue;
    }
    const Heap& heap = const_cast<KeyedTable&>(table).heap();
    bool list = gives_list(cell.fn);  // made in the memory of the rows
    CellResult value = list ? list_result(cell, row + cell.offset, heap, nullptr, texts_)
                            : cell_result(cell, row + cell.offset, heap);
    if (may_overflow(cell)) out[record_->fields[flag++].offset] = static_cast<char>(value.overflow);
    // Added by an edit, after the last event of the row.
    if (!value.present && cell.result->kind != TypeKind::Optional) error = RowError::NoValue;
    if (!list) own_text(value, word_kind(*cell.result));
    write_result(value, *cell.result, out + record_->fields[field].offset);
    ++field;
  }
  memcpy(out, &error, sizeof(error));
  memcpy(out + record_->fields[field].offset, &start, 8);
  memcpy(out + record_->fields[field + 1].offset, &end, 8);
  times_.push_back(event_time);
  keys_.insert(keys_.end(), key, key + desc_.key_words);
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
