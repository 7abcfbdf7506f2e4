// What kernels leave to the runtime: cells that own text, pairs, distinct values.
#include <cstring>

#include "runtime/decimal/decimal.h"
#include "runtime/state/cells.h"
#include "runtime/state/own_cells.h"

using mut::state::CellDesc;
using mut::state::CellResult;
using mut::state::KeyedTable;

namespace {

KeyedTable& owner(MutTable* table) { return *static_cast<KeyedTable*>(table->owner); }

int32_t give(const CellResult& result, uint64_t* out) {
  memcpy(out, result.words, sizeof(result.words));
  return result.overflow ? 2 : result.present ? 1 : 0;
}

int32_t give_units(std::optional<mut::decimal::Units> units, uint64_t* out) {
  mut::decimal::Units value = units.value_or(0);
  memcpy(out, &value, sizeof(value));
  return units ? 1 : 2;
}

}  // namespace

extern "C" {

void mut_cell_add(MutTable* table, char* row, uint32_t index, const uint64_t* value, const uint64_t* order,
                  int64_t time) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  mut::state::add_value(cell, row + cell.offset, of.heap(), value, order, time);
}

// 0: none; 1: `out` has the result.
int32_t mut_cell_peek(MutTable* table, const char* row, uint32_t index, const uint64_t* value,
                      const uint64_t* order, int64_t time, uint64_t* out) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  return give(mut::state::peek_value(cell, row + cell.offset, of.heap(), value, order, time), out);
}

int32_t mut_cell_result(MutTable* table, const char* row, uint32_t index, uint64_t* out) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  return give(mut::state::cell_result(cell, row + cell.offset, of.heap()), out);
}

int32_t mut_dsum_total(const mut::inl::DecimalSumCell* cell, uint64_t* out) {
  return give_units(mut::decimal::total({cell->low, cell->middle, cell->high}), out);
}

int32_t mut_dsum_mean(const mut::inl::DecimalSumCell* cell, uint64_t* out) {
  if (cell->count == 0) {
    out[0] = out[1] = 0;
    return 0;
  }
  return give_units(
      mut::decimal::mean({cell->low, cell->middle, cell->high}, static_cast<uint64_t>(cell->count)), out);
}

// The previous value: 0 there was no event, 1 a value, 2 the event had none.
int32_t mut_previous_load(MutTable* table, const char* row, uint32_t index, uint64_t* out) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  mut::inl::ValueCell kept;
  memcpy(&kept, row + cell.offset, sizeof(kept));
  if (kept.state == 1) give(mut::state::cell_result(cell, row + cell.offset, of.heap()), out);
  return static_cast<int32_t>(kept.state);
}

void mut_previous_store(MutTable* table, char* row, uint32_t index, const uint64_t* value, int32_t present) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  if (present != 0) {
    mut::state::add_value(cell, row + cell.offset, of.heap(), value, nullptr, 0);
    return;
  }
  mut::state::free_cell(cell, row + cell.offset, of.heap());
  mut::inl::ValueCell none{{0, 0}, 0, 2};
  memcpy(row + cell.offset, &none, sizeof(none));
}

void mut_own_store(MutTable* table, char* row, uint32_t index, const uint64_t* words) {
  KeyedTable& of = owner(table);
  const CellDesc& cell = of.desc().cells[index];
  mut::state::store_own(cell, row + cell.offset, of.heap(), words);
}

int64_t mut_distinct_peek(MutTable* table, const char* row, uint32_t index, const uint64_t* value) {
  KeyedTable& of = owner(table);
  int64_t count;
  memcpy(&count, row + of.desc().cells[index].offset, 8);
  return count + (of.has_distinct(row, index, value) ? 0 : 1);
}

void mut_distinct_add(MutTable* table, char* row, uint32_t index, const uint64_t* value) {
  owner(table).add_distinct(row, index, value);
}

}  // extern "C"
