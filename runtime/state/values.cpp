#include "runtime/state/values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/state/row_memory.h"
#include "runtime/state/sketch.h"

namespace mut::state {

using inl::total_equal;
using inl::total_less;

namespace {

// ---- lists of entries in the heap

constexpr uint32_t capacity_first = 4;

uint64_t grown_bytes(const ListCell& list, uint32_t entry_words) {
  if (list.count < list.capacity) return 0;
  return std::max<uint64_t>(capacity_first, uint64_t{list.capacity} * 2) * entry_words * 8;
}

// Room for one more entry.
void make_room(ListCell& list, uint32_t entry_words, Heap& heap) {
  uint64_t bytes = grown_bytes(list, entry_words);
  if (bytes == 0) return;
  uint64_t offset = heap.allocate(bytes);
  if (list.count > 0) memcpy(heap.at(offset), heap.at(list.offset), uint64_t{list.count} * entry_words * 8);
  if (list.capacity > 0) heap.free(list.offset, uint64_t{list.capacity} * entry_words * 8);
  list.offset = offset;
  list.capacity = static_cast<uint32_t>(bytes / (uint64_t{entry_words} * 8));
}

void free_list(ListCell& list, uint32_t entry_words, Heap& heap) {
  if (list.capacity > 0) heap.free(list.offset, uint64_t{list.capacity} * entry_words * 8);
  list = {};
}

// ---- quantiles

double* numbers(const ListCell& list, const Heap& heap) {
  return list.capacity == 0 ? nullptr : reinterpret_cast<double*>(heap.at(list.offset));
}

constexpr bool (*largest_on_top)(double, double) = [](double a, double b) { return total_less(a, b); };
constexpr bool (*smallest_on_top)(double, double) = [](double a, double b) { return total_less(b, a); };
using OnTop = bool (*)(double, double);

void push(ListCell& list, double value, OnTop order, Heap& heap) {
  make_room(list, 1, heap);
  double* first = numbers(list, heap);
  first[list.count++] = value;
  std::push_heap(first, first + list.count, order);
}

double pop(ListCell& list, OnTop order, const Heap& heap) {
  double* first = numbers(list, heap);
  std::pop_heap(first, first + list.count, order);
  return first[--list.count];
}

// Where the result lies among `count` values in order, `count` > 0: between the one of index `below` and the
// next, `part` of the way.
struct Place {
  uint64_t below = 0;
  double part = 0;
};
Place place_of(double share, uint64_t count) {
  double at = share * static_cast<double>(count - 1);
  auto below = std::min(static_cast<uint64_t>(at), count - 1);
  return {below, at - static_cast<double>(below)};
}

CellResult number(double value) {
  CellResult out;
  out.words[0] = inl::as_word(value + 0.0);  // -0.0 is the value 0.0
  return out;
}
CellResult none() {
  CellResult out;
  out.present = false;
  return out;
}

CellResult between(double low, double high, double part) {
  return number(part == 0 || total_equal(low, high) ? low : low * (1 - part) + high * part);
}

void add_ranked(const CellDesc& desc, QuantileCell& cell, Heap& heap, double value) {
  bool below = cell.low.count > 0 && !total_less(numbers(cell.low, heap)[0], value);
  if (below) {
    push(cell.low, value, largest_on_top, heap);
  } else {
    push(cell.high, value, smallest_on_top, heap);
  }
  uint64_t count = uint64_t{cell.low.count} + cell.high.count;
  uint64_t wanted = place_of(desc.share, count).below + 1;
  while (cell.low.count < wanted) push(cell.low, pop(cell.high, smallest_on_top, heap), largest_on_top, heap);
  while (cell.low.count > wanted) push(cell.high, pop(cell.low, largest_on_top, heap), smallest_on_top, heap);
}

// ---- entries of a time and a value

uint32_t entry_words(const CellDesc& desc) { return 1 + word_count(desc.kind); }

uint64_t* entry(const CellDesc& desc, const ListCell& list, uint64_t index, const Heap& heap) {
  return reinterpret_cast<uint64_t*>(heap.at(list.offset)) + index * entry_words(desc);
}

KeptValue load(const CellDesc& desc, const uint64_t* from, const Heap& heap) {
  KeptValue out;
  out.time = static_cast<int64_t>(from[0]);
  out.words[0] = from[1];
  if (desc.kind == WordKind::Decimal) out.words[1] = from[2];
  if (desc.kind == WordKind::Text) {
    MutStoredStr stored;
    memcpy(&stored, from + 1, sizeof(stored));
    MutStr text = heap.load(stored);
    memcpy(out.words, &text, sizeof(text));
  }
  return out;
}

void free_value(const CellDesc& desc, const uint64_t* from, Heap& heap) {
  if (desc.kind != WordKind::Text) return;
  MutStoredStr stored;
  memcpy(&stored, from + 1, sizeof(stored));
  heap.free(stored);
}

// Whether one of the result stands before the other, whichever came first.
bool precedes(const CellDesc& desc, const KeptValue& a, const KeptValue& b) {
  if (desc.fn == CellFn::Top || desc.fn == CellFn::Rank) {
    int order = compare_words(a.words, b.words, desc.kind);
    if (order != 0) return order > 0;
  }
  return a.time < b.time;
}

// Behind all that do not come after it.
uint32_t place_in(const CellDesc& desc, const ListCell& list, const KeptValue& value, const Heap& heap) {
  uint32_t low = 0;
  uint32_t high = list.count;
  // Most events are in order of time.
  if (high > 0 && !precedes(desc, value, load(desc, entry(desc, list, high - 1, heap), heap))) return high;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (precedes(desc, value, load(desc, entry(desc, list, middle, heap), heap))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

void add_to_list(const CellDesc& desc, ListCell& list, Heap& heap, const KeptValue& value) {
  uint32_t at = place_in(desc, list, value, heap);
  if (desc.most != 0 && at >= desc.most) return;
  uint32_t words = entry_words(desc);
  if (desc.most != 0 && list.count == desc.most) {
    --list.count;
    free_value(desc, entry(desc, list, list.count, heap), heap);
  }
  make_room(list, words, heap);
  uint64_t* target = entry(desc, list, at, heap);
  memmove(target + words, target, uint64_t{list.count - at} * words * 8);
  ++list.count;
  target[0] = static_cast<uint64_t>(value.time);
  target[1] = value.words[0];
  if (desc.kind == WordKind::Decimal) target[2] = value.words[1];
  if (desc.kind != WordKind::Text) return;
  MutStr text;
  memcpy(&text, value.words, sizeof(text));
  MutStoredStr stored = heap.store(abi::view(text));  // pieces stay where they are
  memcpy(target + 1, &stored, sizeof(stored));
}

MutStr text_of(const KeptValue& value) {
  MutStr out;
  memcpy(&out, value.words, sizeof(out));
  return out;
}

CellResult join_texts(const CellDesc& desc, const std::vector<KeptValue>& values, batch::Arena& arena) {
  std::string joined;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) joined += desc.separator;
    joined += abi::view(text_of(values[i]));
  }
  MutStr text = arena.copy(joined);
  CellResult out;
  memcpy(out.words, &text, sizeof(text));
  return out;
}

// Of values in order, no more than there may be.
CellResult make_list(const CellDesc& desc, const std::vector<KeptValue>& values, batch::Arena& arena) {
  if (values.empty()) return none();
  if (desc.fn == CellFn::StringAgg) return join_texts(desc, values, arena);
  const abi::TypeDesc& list =
      desc.result->kind == abi::TypeKind::Optional ? *desc.result->element : *desc.result;
  const abi::TypeDesc& type = *list.element;
  auto* data = static_cast<char*>(arena.allocate(values.size() * type.size));
  for (size_t i = 0; i < values.size(); ++i) {
    CellResult value;
    memcpy(value.words, values[i].words, sizeof(value.words));
    if (desc.kind == WordKind::Text) {
      MutStr text = arena.copy(abi::view(text_of(values[i])));
      memcpy(value.words, &text, sizeof(text));
    }
    write_result(value, type, data + i * type.size);
  }
  MutList made{values.size(), data};
  CellResult out;
  static_assert(sizeof(made) == sizeof(out.words));
  memcpy(out.words, &made, sizeof(made));
  return out;
}

}  // namespace

uint64_t distinct_growth(const StoreDesc& desc) {
  constexpr uint64_t two_segments_and_a_block = 3 * RowMemory::piece_bytes;
  auto count = std::count_if(desc.cells.begin(), desc.cells.end(),
                             [](const CellDesc& cell) { return cell.fn == CellFn::Distinct; });
  return static_cast<uint64_t>(count) * two_segments_and_a_block;
}

uint64_t growth_of(const StoreDesc& desc, const char* row) {
  uint64_t bytes = 0;
  for (const CellDesc& cell : desc.cells) {
    const char* at = row + cell.offset;
    if (cell.fn == CellFn::ApproxDistinct) {
      bytes += sketch_growth(at);
    } else if (cell.fn == CellFn::Quantile) {
      const auto& quantile = cell_as<QuantileCell>(at);
      bytes += grown_bytes(quantile.low, 1) + grown_bytes(quantile.high, 1);
    } else if (keeps_list(cell.fn)) {
      const auto& list = cell_as<ListCell>(at);
      bool full = cell.most != 0 && list.count >= cell.most;
      bytes += full ? 0 : grown_bytes(list, entry_words(cell));
    }
  }
  return bytes;
}

uint64_t kept_bytes(const StoreDesc& desc, const char* row) {
  uint64_t bytes = 0;
  for (const CellDesc& cell : desc.cells) {
    const char* at = row + cell.offset;
    if (cell.fn == CellFn::ApproxDistinct) {
      bytes += sketch_bytes(at);
    } else if (cell.fn == CellFn::Quantile) {
      const auto& quantile = cell_as<QuantileCell>(at);
      bytes += (uint64_t{quantile.low.capacity} + quantile.high.capacity) * 8;
    } else if (keeps_list(cell.fn)) {
      bytes += uint64_t{cell_as<ListCell>(at).capacity} * entry_words(cell) * 8;
    }
  }
  return bytes;
}

void add_kept(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* value, int64_t time) {
  if (desc.fn == CellFn::Quantile) {
    auto& quantile = cell_as<QuantileCell>(cell);
    double added = inl::as_double(value[0]);
    if (desc.ranked) return add_ranked(desc, quantile, heap, added);
    make_room(quantile.high, 1, heap);
    numbers(quantile.high, heap)[quantile.high.count++] = added;
    return;
  }
  KeptValue kept;
  kept.words[0] = value[0];
  if (word_count(desc.kind) == 2) kept.words[1] = value[1];
  kept.time = time;
  add_to_list(desc, cell_as<ListCell>(cell), heap, kept);
}

void merge_kept(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap) {
  if (desc.fn == CellFn::Quantile) {
    const auto& from = cell_as<QuantileCell>(other);
    for (const ListCell* list : {&from.low, &from.high}) {
      for (uint32_t i = 0; i < list->count; ++i) {
        uint64_t word = inl::as_word(numbers(*list, other_heap)[i]);
        add_kept(desc, cell, heap, &word, 0);
      }
    }
    return;
  }
  const auto& from = cell_as<ListCell>(other);
  for (uint32_t i = 0; i < from.count; ++i)
    add_to_list(desc, cell_as<ListCell>(cell), heap,
                load(desc, entry(desc, from, i, other_heap), other_heap));
}

void free_kept(const CellDesc& desc, char* cell, Heap& heap) {
  if (desc.fn == CellFn::Quantile) {
    free_list(cell_as<QuantileCell>(cell).low, 1, heap);
    free_list(cell_as<QuantileCell>(cell).high, 1, heap);
    return;
  }
  auto& list = cell_as<ListCell>(cell);
  for (uint32_t i = 0; i < list.count; ++i) free_value(desc, entry(desc, list, i, heap), heap);
  free_list(list, entry_words(desc), heap);
}

CellResult quantile_of(double share, std::vector<double>& values) {
  if (values.empty()) return none();
  Place place = place_of(share, values.size());
  auto at = values.begin() + static_cast<ptrdiff_t>(place.below);
  std::nth_element(values.begin(), at, values.end(), largest_on_top);
  if (place.part == 0) return number(*at);
  return between(*at, *std::min_element(at + 1, values.end(), largest_on_top), place.part);
}

CellResult quantile_result(const CellDesc& desc, const char* cell, const Heap& heap) {
  const auto& quantile = cell_as<QuantileCell>(cell);
  if (desc.ranked && quantile.low.count > 0) {
    Place place = place_of(desc.share, uint64_t{quantile.low.count} + quantile.high.count);
    double low = numbers(quantile.low, heap)[0];
    return between(low, quantile.high.count > 0 ? numbers(quantile.high, heap)[0] : low, place.part);
  }
  const double* first = numbers(quantile.high, heap);
  std::vector<double> values(first, first + quantile.high.count);
  return quantile_of(desc.share, values);
}

CellResult peek_quantile(const CellDesc& desc, const char* cell, const Heap& heap, double value) {
  const auto& quantile = cell_as<QuantileCell>(cell);
  if (quantile.low.count == 0) return number(value);
  // The values around the place, in order: two of each side are enough, for it moves by one at most.
  auto two_on_top = [&](const ListCell& list, OnTop order) {
    const double* first = numbers(list, heap);
    std::vector<double> out(first, first + std::min<uint32_t>(list.count, 1));
    uint32_t second = list.count > 2 && order(first[1], first[2]) ? 2 : 1;
    if (list.count > 1) out.push_back(first[second]);
    return out;
  };
  std::vector<double> near = two_on_top(quantile.low, largest_on_top);
  std::reverse(near.begin(), near.end());
  uint64_t first_rank = quantile.low.count - near.size();
  for (double each : two_on_top(quantile.high, smallest_on_top)) near.push_back(each);
  near.insert(std::upper_bound(near.begin(), near.end(), value, largest_on_top), value);
  Place place = place_of(desc.share, uint64_t{quantile.low.count} + quantile.high.count + 1);
  uint64_t at = std::min<uint64_t>(place.below - first_rank, near.size() - 1);
  return between(near[at], at + 1 < near.size() ? near[at + 1] : near[at], place.part);
}

CellResult list_result(const CellDesc& desc, const char* cell, const Heap& heap, const KeptValue* next,
                       batch::Arena& arena) {
  const auto& list = cell_as<ListCell>(cell);
  std::vector<KeptValue> values;
  values.reserve(list.count + 1U);
  for (uint32_t i = 0; i < list.count; ++i) values.push_back(load(desc, entry(desc, list, i, heap), heap));
  if (next != nullptr)
    values.insert(values.begin() + static_cast<ptrdiff_t>(place_in(desc, list, *next, heap)), *next);
  if (desc.most != 0 && values.size() > desc.most) values.resize(desc.most);
  return make_list(desc, values, arena);
}

int64_t rank_in(const CellDesc& desc, const char* cell, const Heap& heap, const uint64_t* value) {
  const auto& list = cell_as<ListCell>(cell);
  uint32_t low = 0;
  uint32_t high = list.count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    KeptValue kept = load(desc, entry(desc, list, middle, heap), heap);
    if (compare_words(kept.words, value, desc.kind) > 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return int64_t{low} + 1;
}

CellResult list_of(const CellDesc& desc, std::vector<KeptValue> values, batch::Arena& arena) {
  auto before = [&](const KeptValue& a, const KeptValue& b) { return precedes(desc, a, b); };
  // What is collected of a pattern is in order of time already.
  if (!std::is_sorted(values.begin(), values.end(), before))
    std::stable_sort(values.begin(), values.end(), before);
  if (desc.most != 0 && values.size() > desc.most) values.resize(desc.most);
  return make_list(desc, values, arena);
}

}  // namespace mut::state
