#include "runtime/state/cells.h"

#include <cmath>
#include <cstring>

#include "runtime/decimal/decimal.h"
#include "runtime/state/own_cells.h"
#include "runtime/state/results.h"
#include "runtime/state/sketch.h"
#include "runtime/state/values.h"

namespace mut::state {

using inl::ArgCell;
using inl::BoolCell;
using inl::CountCell;
using inl::DecimalSumCell;
using inl::ExtremeCell;
using inl::FloatSumCell;
using inl::IntSumCell;
using inl::MomentsCell;
using inl::ValueCell;

namespace {

inl::Order order_of(WordKind kind) {
  return kind == WordKind::Float      ? inl::Order::Float
         : kind == WordKind::Unsigned ? inl::Order::Unsigned
                                      : inl::Order::Signed;
}

// Value words as a cell keeps them: texts are copied into the heap.
void own(uint64_t* target, const uint64_t* value, WordKind kind, Heap& heap) {
  if (kind == WordKind::Text) {
    MutStoredStr stored = heap.store(abi::view(text_of(value)));
    memcpy(target, &stored, sizeof(stored));
  } else {
    target[0] = value[0];
    target[1] = kind == WordKind::Decimal ? value[1] : 0;
  }
}
void disown(const uint64_t* words, WordKind kind, Heap& heap) {
  if (kind == WordKind::Text) heap.free(stored_of(words));
}
// What a cell keeps, readable: texts as MutStr into the heap.
void borrow(uint64_t* target, const uint64_t* words, WordKind kind, const Heap& heap) {
  if (kind == WordKind::Text) {
    MutStr text = heap.load(stored_of(words));
    memcpy(target, &text, sizeof(text));
  } else {
    target[0] = words[0];
    target[1] = kind == WordKind::Decimal ? words[1] : 0;
  }
}

decimal::Sum sum_of(const DecimalSumCell& cell) { return {cell.low, cell.middle, cell.high}; }

// What does not fit is an overflow.
void give(std::optional<decimal::Units> units, CellResult& out) {
  out.overflow = !units;
  if (units) memcpy(out.words, &*units, sizeof(out.words));
}

bool wins(CellFn fn, const uint64_t* value, const uint64_t* kept, WordKind kind, int64_t time,
          int64_t kept_time) {
  switch (fn) {
    case CellFn::Min:
    case CellFn::ArgMin: {
      int order = compare_words(value, kept, kind);
      return order < 0 || (order == 0 && fn == CellFn::ArgMin && time < kept_time);
    }
    case CellFn::Max:
    case CellFn::ArgMax: {
      int order = compare_words(value, kept, kind);
      return order > 0 || (order == 0 && fn == CellFn::ArgMax && time < kept_time);
    }
    case CellFn::First:
      return time < kept_time;
    default:  // Last, Previous
      return fn == CellFn::Previous || time >= kept_time;
  }
}

}  // namespace

int compare_words(const uint64_t* a, const uint64_t* b, WordKind kind) {
  if (kind == WordKind::Text) {
    int order = abi::view(text_of(a)).compare(abi::view(text_of(b)));
    return order;
  }
  if (kind == WordKind::Decimal) {
    decimal::Units x;
    decimal::Units y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : y < x ? 1 : 0;
  }
  inl::Order order = order_of(kind);
  if (inl::word_less(a[0], b[0], order)) return -1;
  return inl::word_less(b[0], a[0], order) ? 1 : 0;
}

void add_value(const CellDesc& desc, char* cell, Heap& heap, const uint64_t* value, const uint64_t* order,
               int64_t time) {
  switch (desc.fn) {
    case CellFn::Count:
      add(cell_as<CountCell>(cell));
      return;
    case CellFn::IntSum:
      add(cell_as<IntSumCell>(cell), static_cast<int64_t>(value[0]));
      return;
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
      add(cell_as<DecimalSumCell>(cell), value[0], value[1]);
      return;
    case CellFn::FloatSum:
    case CellFn::Avg:
      add(cell_as<FloatSumCell>(cell), inl::as_double(value[0]));
      return;
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample:
      add(cell_as<MomentsCell>(cell), inl::as_double(value[0]));
      return;
    case CellFn::Any:
    case CellFn::All:
      add(cell_as<BoolCell>(cell), static_cast<uint8_t>(value[0]));
      return;
    case CellFn::Min:
    case CellFn::Max:
      if (word_count(desc.kind) == 1) {
        auto& extreme = cell_as<ExtremeCell>(cell);
        desc.fn == CellFn::Min ? add_min(extreme, value[0], order_of(desc.kind))
                               : add_max(extreme, value[0], order_of(desc.kind));
        return;
      }
      [[fallthrough]];
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous: {
      auto& kept = cell_as<ValueCell>(cell);
      if (kept.state == 1) {
        uint64_t words[2];
        borrow(words, kept.words, desc.kind, heap);
        if (!wins(desc.fn, value, words, desc.kind, time, kept.time)) return;
        disown(kept.words, desc.kind, heap);
      }
      own(kept.words, value, desc.kind, heap);
      kept.time = time;
      kept.state = 1;
      return;
    }
    case CellFn::ArgMin:
    case CellFn::ArgMax: {
      auto& kept = cell_as<ArgCell>(cell);
      if (kept.state == 1) {
        uint64_t words[2];
        borrow(words, kept.order, desc.order_kind, heap);
        if (!wins(desc.fn, order, words, desc.order_kind, time, kept.time)) return;
        disown(kept.order, desc.order_kind, heap);
        disown(kept.value, desc.kind, heap);
      }
      own(kept.order, order, desc.order_kind, heap);
      own(kept.value, value, desc.kind, heap);
      kept.time = time;
      kept.state = 1;
      return;
    }
    case CellFn::Quantile:
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::StringAgg:
    case CellFn::Rank:
      add_kept(desc, cell, heap, value, time);
      return;
    case CellFn::ApproxDistinct:
      add_hash(cell, heap, sketch_hash(value, desc.kind));
      return;
    case CellFn::Distinct:
    case CellFn::Own:
      return;
  }
}

void merge_cell(const CellDesc& desc, char* cell, Heap& heap, const char* other, const Heap& other_heap) {
  switch (desc.fn) {
    case CellFn::Count:
      cell_as<CountCell>(cell).count += cell_as<CountCell>(other).count;
      return;
    case CellFn::IntSum:
      merge(cell_as<IntSumCell>(cell), cell_as<IntSumCell>(other));
      return;
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg:
      merge(cell_as<DecimalSumCell>(cell), cell_as<DecimalSumCell>(other));
      return;
    case CellFn::FloatSum:
    case CellFn::Avg:
      merge(cell_as<FloatSumCell>(cell), cell_as<FloatSumCell>(other));
      return;
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample:
      merge(cell_as<MomentsCell>(cell), cell_as<MomentsCell>(other));
      return;
    case CellFn::Any:
    case CellFn::All:
      merge(cell_as<BoolCell>(cell), cell_as<BoolCell>(other));
      return;
    case CellFn::Min:
    case CellFn::Max:
      if (word_count(desc.kind) == 1) {
        const auto& seen = cell_as<ExtremeCell>(other);
        if (seen.count == 0) return;
        add_value(desc, cell, heap, &seen.word, nullptr, 0);
        cell_as<ExtremeCell>(cell).count += seen.count - 1;
        return;
      }
      [[fallthrough]];
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous: {
      const auto& seen = cell_as<ValueCell>(other);
      if (seen.state == 2) {
        cell_as<ValueCell>(cell).state = 2;
        return;
      }
      if (seen.state == 0) return;
      uint64_t words[2];
      borrow(words, seen.words, desc.kind, other_heap);
      add_value(desc, cell, heap, words, nullptr, seen.time);
      return;
    }
    case CellFn::ArgMin:
    case CellFn::ArgMax: {
      const auto& seen = cell_as<ArgCell>(other);
      if (seen.state == 0) return;
      uint64_t order[2];
      uint64_t value[2];
      borrow(order, seen.order, desc.order_kind, other_heap);
      borrow(value, seen.value, desc.kind, other_heap);
      add_value(desc, cell, heap, value, order, seen.time);
      return;
    }
    case CellFn::Own:
      merge_own(desc, cell, heap, other, other_heap);
      return;
    case CellFn::Quantile:
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::StringAgg:
    case CellFn::Rank:
      merge_kept(desc, cell, heap, other, other_heap);
      return;
    case CellFn::ApproxDistinct:
      merge_sketch(cell, heap, other, other_heap);
      return;
    case CellFn::Distinct:
      return;
  }
}

CellResult cell_result(const CellDesc& desc, const char* cell, const Heap& heap) {
  CellResult out;
  auto number = [&](double value, bool present) {
    out.words[0] = inl::as_word(value);
    out.present = present;
  };
  switch (desc.fn) {
    case CellFn::Count:
    case CellFn::Distinct:
      out.words[0] = static_cast<uint64_t>(cell_as<CountCell>(cell).count);
      return out;
    case CellFn::IntSum:
      out.words[0] = cell_as<IntSumCell>(cell).low;
      out.overflow = !fits(cell_as<IntSumCell>(cell));
      return out;
    case CellFn::DecimalSum:
      give(decimal::total(sum_of(cell_as<DecimalSumCell>(cell))), out);
      return out;
    case CellFn::DecimalAvg: {
      const auto& sum = cell_as<DecimalSumCell>(cell);
      out.present = sum.count > 0;
      if (out.present) give(decimal::mean(sum_of(sum), static_cast<uint64_t>(sum.count)), out);
      return out;
    }
    case CellFn::FloatSum:
      number(value(cell_as<FloatSumCell>(cell)), true);
      return out;
    case CellFn::Avg:
      number(mean(cell_as<FloatSumCell>(cell)), cell_as<FloatSumCell>(cell).count > 0);
      return out;
    case CellFn::Variance:
      number(variance(cell_as<MomentsCell>(cell)), cell_as<MomentsCell>(cell).count > 0);
      return out;
    case CellFn::Stddev:
      number(std::sqrt(variance(cell_as<MomentsCell>(cell))), cell_as<MomentsCell>(cell).count > 0);
      return out;
    case CellFn::VarianceSample:
      number(variance_sample(cell_as<MomentsCell>(cell)), cell_as<MomentsCell>(cell).count > 1);
      return out;
    case CellFn::StddevSample:
      number(std::sqrt(variance_sample(cell_as<MomentsCell>(cell))), cell_as<MomentsCell>(cell).count > 1);
      return out;
    case CellFn::Any:
    case CellFn::All:
      out.words[0] = static_cast<uint64_t>(desc.fn == CellFn::Any ? cell_as<BoolCell>(cell).any
                                                                  : cell_as<BoolCell>(cell).all);
      out.present = cell_as<BoolCell>(cell).count > 0;
      return out;
    case CellFn::Min:
    case CellFn::Max:
      if (word_count(desc.kind) == 1) {
        out.words[0] = cell_as<ExtremeCell>(cell).word;
        out.present = cell_as<ExtremeCell>(cell).count > 0;
        return out;
      }
      [[fallthrough]];
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Previous:
      out.present = cell_as<ValueCell>(cell).state == 1;
      if (out.present) borrow(out.words, cell_as<ValueCell>(cell).words, desc.kind, heap);
      return out;
    case CellFn::ArgMin:
    case CellFn::ArgMax:
      out.present = cell_as<ArgCell>(cell).state == 1;
      if (out.present) borrow(out.words, cell_as<ArgCell>(cell).value, desc.kind, heap);
      return out;
    case CellFn::Quantile:
      return quantile_result(desc, cell, heap);
    case CellFn::ApproxDistinct:
      out.words[0] = static_cast<uint64_t>(sketch_count(cell, heap));
      return out;
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::StringAgg:
      return out;       // list_result()
    case CellFn::Rank:  // of an event that does not count
      out.present = false;
      return out;
    case CellFn::Own:
      return out;  // state/own_cells
  }
  return out;
}

CellResult peek_value(const CellDesc& desc, const char* cell, const Heap& heap, const uint64_t* value,
                      const uint64_t* order, int64_t time) {
  CellResult out;
  if (desc.fn == CellFn::Quantile) return peek_quantile(desc, cell, heap, inl::as_double(value[0]));
  if (desc.fn == CellFn::ApproxDistinct) {
    out.words[0] = static_cast<uint64_t>(peek_sketch(cell, heap, sketch_hash(value, desc.kind)));
    return out;
  }
  if (desc.fn == CellFn::Rank) {
    out.words[0] = static_cast<uint64_t>(rank_in(desc, cell, heap, value));
    return out;
  }
  bool pair = desc.fn == CellFn::ArgMin || desc.fn == CellFn::ArgMax;
  bool empty = pair ? cell_as<ArgCell>(cell).state != 1 : cell_as<ValueCell>(cell).state != 1;
  bool take = empty;
  if (!empty) {
    uint64_t kept[2];
    if (pair) {
      borrow(kept, cell_as<ArgCell>(cell).order, desc.order_kind, heap);
      take = wins(desc.fn, order, kept, desc.order_kind, time, cell_as<ArgCell>(cell).time);
    } else {
      borrow(kept, cell_as<ValueCell>(cell).words, desc.kind, heap);
      take = wins(desc.fn, value, kept, desc.kind, time, cell_as<ValueCell>(cell).time);
    }
  }
  if (!take) return cell_result(desc, cell, heap);
  out.words[0] = value[0];
  if (word_count(desc.kind) == 2) out.words[1] = value[1];
  return out;
}

void free_cell(const CellDesc& desc, char* cell, Heap& heap) {
  if (!owns_memory(desc)) return;
  if (desc.fn == CellFn::ApproxDistinct) return free_sketch(cell, heap);
  if (keeps_values(desc.fn)) return free_kept(desc, cell, heap);
  if (desc.fn == CellFn::Own) {
    free_own(desc, cell, heap);
    memset(cell, 0, desc.size);
    return;
  }
  if (desc.fn == CellFn::ArgMin || desc.fn == CellFn::ArgMax) {
    auto& kept = cell_as<ArgCell>(cell);
    if (kept.state != 1) return;
    disown(kept.order, desc.order_kind, heap);
    disown(kept.value, desc.kind, heap);
    kept.state = 0;
    return;
  }
  auto& kept = cell_as<ValueCell>(cell);
  if (kept.state == 1) disown(kept.words, desc.kind, heap);
  kept.state = 0;
}

void write_result(const CellResult& result, const abi::TypeDesc& type, char* out) {
  switch (type.kind) {
    case abi::TypeKind::Optional:
      memset(out, 0, type.size);
      if (result.present) write_result(result, *type.element, out);
      out[type.present_offset] = result.present ? 1 : 0;
      return;
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json:
      memcpy(out, result.words, 16);
      return;
    case abi::TypeKind::F32: {
      auto narrow = static_cast<float>(inl::as_double(result.words[0]));
      memcpy(out, &narrow, 4);
      return;
    }
    default:
      memcpy(out, result.words, type.size);  // little endian: the low bytes of a widened integer
  }
}

bool read_words(const abi::TypeDesc& type, const char* value, uint64_t* words) {
  auto widen = [&](auto sample) {
    memcpy(&sample, value, sizeof(sample));
    words[0] = static_cast<uint64_t>(static_cast<int64_t>(sample));
    return true;
  };
  switch (type.kind) {
    case abi::TypeKind::Optional:
      return value[type.present_offset] != 0 && read_words(*type.element, value, words);
    case abi::TypeKind::String:
    case abi::TypeKind::Bytes:
    case abi::TypeKind::Json:
    case abi::TypeKind::Decimal:
      memcpy(words, value, 16);
      return true;
    case abi::TypeKind::F32: {
      float narrow;
      memcpy(&narrow, value, 4);
      words[0] = inl::as_word(narrow);
      return true;
    }
    case abi::TypeKind::Bool:
    case abi::TypeKind::U8:
      return widen(uint8_t{});
    case abi::TypeKind::I8:
      return widen(int8_t{});
    case abi::TypeKind::I16:
      return widen(int16_t{});
    case abi::TypeKind::U16:
      return widen(uint16_t{});
    case abi::TypeKind::I32:
    case abi::TypeKind::Enum:
      return widen(int32_t{});
    case abi::TypeKind::U32:
      return widen(uint32_t{});
    default:
      memcpy(words, value, 8);
      return true;
  }
}

}  // namespace mut::state
