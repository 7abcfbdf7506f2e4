// What kernels ask of cells that keep values: lists in the memory of the instance, and whether there is room.
#include <algorithm>
#include <cstring>

#include "runtime/graph/full_arena.h"
#include "runtime/graph/instance.h"
#include "runtime/state/own_cells.h"
#include "runtime/state/packed.h"
#include "runtime/state/rings.h"
#include "runtime/state/sessions.h"
#include "runtime/state/sliding_counts.h"
#include "runtime/state/values.h"

namespace {

using mut::state::CellDesc;
using mut::state::CellResult;
using mut::state::KeyedTable;

mut::runtime::Instance& instance(MutContext* ctx) {
  return *static_cast<mut::runtime::Instance*>(ctx->runtime);
}

// 0: none; 1: `out` has the result; 2: overflow.
int32_t give(const CellResult& result, uint64_t* out) {
  memcpy(out, result.words, sizeof(result.words));
  return result.overflow ? 2 : result.present ? 1 : 0;
}

}  // namespace

extern "C" {

int32_t mut_list_result(MutContext* ctx, MutTable* table, const char* row, uint32_t index, uint64_t* out) {
  auto& of = *static_cast<KeyedTable*>(table->owner);
  const CellDesc& cell = of.desc().cells[index];
  return give(mut::state::list_result(cell, row + cell.offset, of.heap(), nullptr, instance(ctx).arena()),
              out);
}

int32_t mut_list_peek(MutContext* ctx, MutTable* table, const char* row, uint32_t index,
                      const uint64_t* value, int64_t time, uint64_t* out) {
  auto& of = *static_cast<KeyedTable*>(table->owner);
  const CellDesc& cell = of.desc().cells[index];
  mut::state::KeptValue next;
  memcpy(next.words, value, mut::state::word_count(cell.kind) * 8U);
  next.time = time;
  return give(mut::state::list_result(cell, row + cell.offset, of.heap(), &next, instance(ctx).arena()), out);
}

int32_t mut_ring_query(MutContext* ctx, const char* row, uint32_t cell, const uint64_t* sample,
                       int32_t excluding, void* store, uint64_t* out) {
  const auto& ring = *static_cast<mut::state::RingStore*>(store);
  return give(ring.query(row, cell, sample, excluding != 0, instance(ctx).arena()), out);
}

// A value in memory layout as one piece of the arena, which a store keeps as it keeps a text. 0: it is larger
// than a piece can be.
int32_t mut_pack(MutContext* ctx, uint32_t type, const char* value, MutStr* out) {
  const mut::abi::TypeDesc& of = *instance(ctx).plan().types[type];
  uint64_t bytes = mut::state::packed_bytes(of, value);
  if (bytes > mut::state::piece_bytes_max) return 0;
  mut::batch::Arena& arena = instance(ctx).arena();
  auto* piece = static_cast<char*>(arena.allocate(bytes));
  mut::state::pack(of, value, piece);
  *out = mut::abi::make_str({piece, bytes});
  return 1;
}

// The other way: the value, in memory of the arena.
const char* mut_unpack(MutContext* ctx, uint32_t type, const MutStr* piece) {
  mut::batch::Arena& arena = instance(ctx).arena();
  const char* out = mut::state::unpacked_copy(*piece, *instance(ctx).plan().types[type], arena);
  mut::runtime::take_rows_if_full(*ctx, arena);
  return out;
}

// Whether the cells of a key may grow by one value each, of that much text. Asked before anything changes.
int32_t mut_room(MutContext* ctx, uint32_t store, MutTable* table, const uint64_t* key, int64_t time,
                 uint64_t text_bytes) {
  mut::state::Store& of = instance(ctx).store(store);
  if (of.desc().kind == mut::state::StoreKind::Sessions)
    return static_cast<mut::state::WindowStore&>(of).has_room_for(key, time, text_bytes) ? 1 : 0;
  if (mut::state::slides(of.desc()))
    return static_cast<mut::state::SlidingCountStore&>(of).has_room(key, text_bytes) ? 1 : 0;
  auto& rows = *static_cast<KeyedTable*>(table->owner);
  uint64_t growth = mut::state::distinct_growth(of.desc()) + text_bytes;
  const auto& cells = of.desc().cells;
  bool grows_in_place = std::any_of(cells.begin(), cells.end(), [](const mut::state::CellDesc& cell) {
    return mut::state::keeps_values(cell.fn);
  });
  const char* row = grows_in_place ? rows.find_or_take(key) : nullptr;
  if (row != nullptr) growth += mut::state::growth_of(of.desc(), row);
  if (!rows.heap().fits(growth)) rows.purge_distinct();
  return rows.heap().fits(growth) ? 1 : 0;
}

}  // extern "C"
