#include "runtime/state/best_rows.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "runtime/state/cells.h"

namespace mut::state {
namespace {

using inl::CountCell;
using inl::ExtremeCell;
using inl::IntSumCell;

bool is_error(const CellDesc& cell, const char* row) {
  const char* memory = row + cell.offset;
  if (cell.fn == CellFn::IntSum) return !inl::fits(cell_as<IntSumCell>(memory));
  // Added by an edit, after the last event of the row.
  return cell.fn != CellFn::Count && cell.result->kind != abi::TypeKind::Optional &&
         cell_as<ExtremeCell>(memory).count == 0;
}

// Larger is better.
struct Count {
  uint32_t offset;
  int64_t operator()(const char* row) const { return cell_as<CountCell>(row + offset).count; }
};
struct Sum {
  uint32_t offset;
  int64_t operator()(const char* row) const {
    return static_cast<int64_t>(cell_as<IntSumCell>(row + offset).low);
  }
};
struct Extreme {
  uint32_t offset;
  int64_t operator()(const char* row) const {
    return static_cast<int64_t>(cell_as<ExtremeCell>(row + offset).word);
  }
};
template <typename Value>
struct Least {
  Value value;
  int64_t operator()(const char* row) const { return ~value(row); }  // -1 - x, which always fits
};

// Rows of the greatest value.
template <typename Value>
std::vector<const char*> find_most(const KeyedTable& table, Value value) {
  std::vector<const char*> out;
  int64_t most = std::numeric_limits<int64_t>::min();
  table.for_each([&](const char* row) {
    int64_t here = value(row);
    if (here < most) return;
    if (here > most) out.clear();
    most = here;
    out.push_back(row);
  });
  return out;
}

// The least of so many greatest values; nothing is less than what it is for fewer rows.
template <typename Value>
int64_t find_limit(const KeyedTable& table, uint64_t count, Value value) {
  std::vector<int64_t> heap;  // the least of the best on top
  table.for_each([&](const char* row) {
    int64_t here = value(row);
    if (heap.size() == count) {
      if (here <= heap.front()) return;
      std::pop_heap(heap.begin(), heap.end(), std::greater{});
      heap.back() = here;
    } else {
      heap.push_back(here);
    }
    std::push_heap(heap.begin(), heap.end(), std::greater{});
  });
  return heap.size() < count ? std::numeric_limits<int64_t>::min() : heap.front();
}

template <typename Value>
std::vector<const char*> find_rows(const KeyedTable& table, const BestRows& best, Value value) {
  std::vector<const CellDesc*> doubtful;
  for (const CellDesc& cell : table.desc().cells) {
    if (cell.fn != CellFn::Count) doubtful.push_back(&cell);
  }
  auto fails = [&](const char* row) {
    return std::any_of(doubtful.begin(), doubtful.end(),
                       [&](const CellDesc* cell) { return is_error(*cell, row); });
  };
  bool any_fails = false;
  if (!doubtful.empty()) table.for_each([&](const char* row) { any_fails = any_fails || fails(row); });
  if (best.count == 1 && !any_fails) return find_most(table, value);
  std::vector<const char*> out;
  int64_t limit = any_fails ? std::numeric_limits<int64_t>::min() : find_limit(table, best.count, value);
  table.for_each([&](const char* row) {
    if (value(row) >= limit) out.push_back(row);
  });
  return out;
}

}  // namespace

bool is_seen_in_row(const CellDesc& cell) {
  if (cell.fn == CellFn::Count || cell.fn == CellFn::IntSum) return true;
  return (cell.fn == CellFn::Min || cell.fn == CellFn::Max) && word_count(cell.kind) == 1;
}

std::vector<const char*> find_best_rows(const KeyedTable& table, const BestRows& best) {
  const CellDesc& cell = table.desc().cells[best.cell];
  auto find = [&](auto value) {
    return best.largest ? find_rows(table, best, value)
                        : find_rows(table, best, Least<decltype(value)>{value});
  };
  if (cell.fn == CellFn::Count) return find(Count{cell.offset});
  if (cell.fn == CellFn::IntSum) return find(Sum{cell.offset});
  return find(Extreme{cell.offset});
}

}  // namespace mut::state
