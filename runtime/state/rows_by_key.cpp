// Rows of a table in order of key.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "runtime/state/results.h"

namespace mut::state {
namespace {

struct NumberedRow {
  uint64_t number;  // sorts unsigned as the key sorts
  const char* row;
};

constexpr int digit_bits_max = 11;
constexpr size_t digit_values_max = size_t{1} << digit_bits_max;
// So few are put in their places one by one.
constexpr size_t rows_by_hand = 24;
constexpr size_t inline_key_words = 8;
// More do not lie in the second cache: they are dealt out into other memory, for to change places with each
// other is to wait for each.
constexpr size_t rows_in_cache = 16 * 1024;
// Rows are asked for so many ahead: they lie in no order, or have room between them.
constexpr size_t rows_ahead = 16;

void sort_few(NumberedRow* rows, size_t count) {
  for (size_t i = 1; i < count; ++i) {
    NumberedRow row = rows[i];
    size_t to = i;
    for (; to > 0 && row.number < rows[to - 1].number; --to) rows[to] = rows[to - 1];
    rows[to] = row;
  }
}

// The digit that is sorted by: the highest of those in which numbers differ, of so many bits that few rows
// have the same when all are as many.
struct Digit {
  int shift;
  size_t values;
  size_t of(const NumberedRow& row) const { return row.number >> shift & (values - 1); }
};

Digit first_digit(uint64_t differ, size_t count) {
  int bits = std::clamp(static_cast<int>(std::bit_width(count)) - 2, 2, digit_bits_max);
  return {std::max(0, 64 - std::countl_zero(differ) - bits), size_t{1} << bits};
}

uint64_t differ_in(const NumberedRow* rows, size_t count) {
  uint64_t differ = 0;
  for (size_t i = 1; i < count; ++i) differ |= rows[i].number ^ rows[0].number;
  return differ;
}

// Where the rows of each digit begin, and behind them the end.
using Begins = std::array<uint32_t, digit_values_max + 1>;
void count_digits(const NumberedRow* rows, size_t count, Digit digit, Begins& begin) {
  std::fill_n(begin.begin(), digit.values + 1, 0);
  for (size_t i = 0; i < count; ++i) ++begin[digit.of(rows[i]) + 1];
  std::partial_sum(begin.begin(), begin.begin() + static_cast<ptrdiff_t>(digit.values) + 1, begin.begin());
}

// Most significant digit first, in place. Digits that all rows share are passed over. After McIlroy, Bostic,
// McIlroy, "Engineering Radix Sort" (1993).
void sort_in_place(NumberedRow* rows, size_t count) {
  if (count <= rows_by_hand) return sort_few(rows, count);
  uint64_t differ = differ_in(rows, count);
  if (differ == 0) return;
  Digit digit = first_digit(differ, count);
  Begins begin;
  count_digits(rows, count, digit, begin);
  std::array<uint32_t, digit_values_max> next;
  std::copy_n(begin.begin(), digit.values, next.begin());
  for (size_t at = 0; at < digit.values; ++at) {
    while (next[at] < begin[at + 1]) {
      NumberedRow row = rows[next[at]];
      for (size_t to = digit.of(row); to != at; to = digit.of(row)) std::swap(row, rows[next[to]++]);
      rows[next[at]++] = row;
    }
  }
  if (digit.shift == 0) return;
  for (size_t at = 0; at < digit.values; ++at) sort_in_place(rows + begin[at], begin[at + 1] - begin[at]);
}

void sort_numbers(std::vector<NumberedRow>& rows) {
  if (rows.size() <= rows_in_cache) return sort_in_place(rows.data(), rows.size());
  uint64_t differ = differ_in(rows.data(), rows.size());
  if (differ == 0) return;
  Digit digit = first_digit(differ, rows.size());
  Begins begin;
  count_digits(rows.data(), rows.size(), digit, begin);
  std::vector<NumberedRow> dealt(rows.size());
  Begins next = begin;
  for (const NumberedRow& row : rows) dealt[next[digit.of(row)]++] = row;
  rows.swap(dealt);
  if (digit.shift == 0) return;
  for (size_t at = 0; at < digit.values; ++at)
    sort_in_place(rows.data() + begin[at], begin[at + 1] - begin[at]);
}

// Whether a number says where rows stand by that key, but for rows whose numbers are equal.
bool has_number(const KeyDesc& key) {
  if (key.optional) return false;
  return key.kind == WordKind::Signed || key.kind == WordKind::Unsigned || key.kind == WordKind::Text;
}

// Whether the keys of rows with equal numbers are equal.
bool is_number(const KeyDesc& key) { return has_number(key) && key.kind != WordKind::Text; }

uint64_t number_of(const KeyedTable& table, const KeyDesc& key, const char* row) {
  const char* words = row + 8 + key.word * 8;
  uint64_t word;
  memcpy(&word, words, 8);
  if (key.kind == WordKind::Signed) return word ^ (uint64_t{1} << 63);
  if (key.kind == WordKind::Unsigned) return word;
  MutStoredStr text;
  memcpy(&text, words, sizeof(text));
  uint64_t first = 0;
  memcpy(&first, const_cast<KeyedTable&>(table).heap().load(text).data, std::min<uint64_t>(text.size, 8));
  return __builtin_bswap64(first);
}

void sort_by_whole_key(const KeyedTable& table, NumberedRow* rows, size_t count) {
  const StoreDesc& desc = table.desc();
  size_t words = desc.key_words;
  std::vector<uint64_t> keys(count * words + 1);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = 0; i < count; ++i) table.load_key(rows[i].row, keys.data() + i * words);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return compare_keys(desc, keys.data() + a * words, keys.data() + b * words) < 0;
  });
  std::vector<NumberedRow> sorted;
  sorted.reserve(count);
  for (size_t at : order) sorted.push_back(rows[at]);
  std::copy(sorted.begin(), sorted.end(), rows);
}

// Rows whose first keys are equal: few as a rule.
void sort_run(const KeyedTable& table, NumberedRow* rows, size_t count) {
  const StoreDesc& desc = table.desc();
  size_t words = desc.key_words;
  if (count > rows_by_hand || words > inline_key_words) return sort_by_whole_key(table, rows, count);
  std::array<uint64_t, 2 * inline_key_words> keys;
  for (size_t i = 1; i < count; ++i) {
    NumberedRow row = rows[i];
    table.load_key(row.row, keys.data());
    size_t to = i;
    for (; to > 0; --to) {
      table.load_key(rows[to - 1].row, keys.data() + inline_key_words);
      if (compare_keys(desc, keys.data(), keys.data() + inline_key_words) >= 0) break;
      rows[to] = rows[to - 1];
    }
    rows[to] = row;
  }
}

// Rows in order of the first `known` keys, numbered by the last of these: puts those that are equal so far in
// order of the others.
void sort_runs(const KeyedTable& table, NumberedRow* rows, size_t count, size_t known) {
  const std::vector<KeyDesc>& keys = table.desc().keys;
  bool by_number = known < keys.size() && is_number(keys[known - 1]) && is_number(keys[known]);
  if (known == keys.size() && is_number(keys[known - 1])) return;
  for (size_t first = 0; first < count;) {
    size_t last = first + 1;
    while (last < count && rows[last].number == rows[first].number) ++last;
    if (last - first > 1 && !by_number) sort_run(table, rows + first, last - first);
    if (last - first > 1 && by_number) {
      for (size_t i = first; i < last; ++i) {
        if (i + rows_ahead < count) __builtin_prefetch(rows[i + rows_ahead].row);
        rows[i].number = number_of(table, keys[known], rows[i].row);
      }
      sort_in_place(rows + first, last - first);
      sort_runs(table, rows + first, last - first, known + 1);
    }
    first = last;
  }
}

}  // namespace

std::vector<const char*> rows_by_key(const KeyedTable& table) {
  std::vector<const char*> rows;
  rows.reserve(table.row_count());
  table.for_each([&](const char* row) { rows.push_back(row); });
  return sort_by_key(table, std::move(rows));
}

std::vector<const char*> sort_by_key(const KeyedTable& table, std::vector<const char*> out) {
  const StoreDesc& desc = table.desc();
  if (desc.key_words == 0 || out.size() < 2) return out;
  std::vector<NumberedRow> rows;
  rows.reserve(out.size());
  if (has_number(desc.keys[0])) {
    for (size_t i = 0; i < out.size(); ++i) {
      if (i + rows_ahead < out.size()) __builtin_prefetch(out[i + rows_ahead] + 8);
      rows.push_back({number_of(table, desc.keys[0], out[i]), out[i]});
    }
    sort_numbers(rows);
    sort_runs(table, rows.data(), rows.size(), 1);
  } else {
    for (const char* row : out) rows.push_back({0, row});
    sort_by_whole_key(table, rows.data(), rows.size());
  }
  for (size_t i = 0; i < rows.size(); ++i) out[i] = rows[i].row;
  return out;
}

}  // namespace mut::state
