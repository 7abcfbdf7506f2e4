// What kernels ask of the instance that runs them.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/batch/newest.h"
#include "runtime/graph/full_arena.h"
#include "runtime/graph/instance.h"
#include "runtime/inline/hash.h"
#include "runtime/state/apart_counts.h"
#include "runtime/state/cells.h"
#include "runtime/state/counts.h"
#include "runtime/state/followed.h"
#include "runtime/state/groups.h"
#include "runtime/state/held.h"
#include "runtime/state/joins.h"
#include "runtime/state/overlaps.h"
#include "runtime/state/own_cells.h"
#include "runtime/state/paned_counts.h"
#include "runtime/state/processes.h"
#include "runtime/state/results.h"
#include "runtime/state/rings.h"
#include "runtime/state/sessions.h"
#include "runtime/state/tables.h"
#include "runtime/state/ticking.h"

namespace {

mut::runtime::Instance& instance(MutContext* ctx) {
  return *static_cast<mut::runtime::Instance*>(ctx->runtime);
}

uint64_t draw(uint64_t seed, uint64_t number, uint64_t place) {
  // SplitMix64 of a state that differs for every row and place (Steele, Lea, Flood 2014).
  uint64_t z = seed + (number * 64 + place + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

extern "C" {

void mut_fail(MutContext* ctx, uint32_t site, int32_t error, int64_t time, uint64_t position,
              const void* record, MutErrorEvent* out) {
  (void)time;
  auto& of = instance(ctx);
  of.fail(site, error, position, record, of.plan().sites[site].record.get(), out);
}

void mut_fail_result(MutContext* ctx, uint32_t site, uint32_t store, int32_t error, int64_t time,
                     uint64_t position, const void* record, MutErrorEvent* out) {
  (void)time;
  auto& of = instance(ctx);
  mut::abi::TypeDescRef type = mut::state::shown_record(of.plan().stores[store].desc);
  of.fail(site, error, position, record, type.get(), out);
}

void mut_undecodable(MutContext* ctx, uint32_t site, const MutBatch* batch, uint32_t row,
                     MutErrorEvent* out) {
  instance(ctx).undecodable(site, *batch, row, out);
}

// The first row from `row` on that did not decode, or `row_end`.
uint64_t mut_next_bad(const uint8_t* bad, uint64_t row, uint64_t row_end) {
  uint64_t eight = 0;  // rows at a time
  for (; row + sizeof(eight) <= row_end; row += sizeof(eight)) {
    memcpy(&eight, bad + row, sizeof(eight));
    if (eight != 0) break;
  }
  while (row < row_end && bad[row] == MUT_ROW_FINE) ++row;
  return row;
}

// The largest event time of rows [row, row_end); the least time there is when there are none.
int64_t mut_newest_time(const int64_t* times, uint64_t row, uint64_t row_end) {
  return mut::batch::newest_of({times + row, row_end - row});
}

void mut_group_forget(MutContext* ctx, uint32_t store, char* row) {
  auto& of = instance(ctx);
  auto& groups = static_cast<mut::state::GroupStore&>(of.store(store));
  if (groups.is_past(row, of.now(of.plan().stores[store].clock))) groups.forget(row);
}

void mut_ring_age(void* store, char* row) { static_cast<mut::state::RingStore*>(store)->forget_past(row); }

void* mut_arena(MutContext* ctx, uint64_t bytes) { return instance(ctx).arena().allocate(bytes); }

char* mut_arena_copy(MutContext* ctx, const char* data, uint64_t bytes) {
  auto* out = static_cast<char*>(instance(ctx).arena().allocate(bytes + 1));
  if (bytes > 0) memcpy(out, data, bytes);
  return out;
}

void mut_arena_mark(MutContext* ctx, mut::batch::Arena::Mark* out) { *out = instance(ctx).arena().mark(); }

// What was allocated since the mark is read by nobody.
void mut_arena_rewind(MutContext* ctx, const mut::batch::Arena::Mark* to) {
  instance(ctx).arena().rewind(*to);
}

const MutReaders* mut_readers_by_text(MutContext* ctx, uint32_t index, uint64_t head, const char* text) {
  return instance(ctx).ask_readers(index).find(std::string_view(text, static_cast<uint32_t>(head)));
}

const MutReaders* mut_readers_by_number(MutContext* ctx, uint32_t index, int64_t number) {
  return instance(ctx).ask_readers(index).find(number);
}

void mut_sink_grow(MutContext* ctx, uint32_t sink) { instance(ctx).grow_sink(sink); }

int32_t mut_set(MutContext* ctx, uint32_t set, const void* value, int64_t time) {
  return instance(ctx).propose_param(set, value, time) ? 1 : 0;
}

void* mut_store_of(MutContext* ctx, uint32_t store) {
  auto& of = instance(ctx);
  auto& ring = static_cast<mut::state::RingStore&>(of.store(store));
  ring.observe(of.now(of.plan().stores[store].clock));
  return &ring;
}

void mut_own_load(MutContext* ctx, MutTable* table, const char* row, uint32_t index, uint64_t* words) {
  auto& of = *static_cast<mut::state::KeyedTable*>(table->owner);
  const mut::state::CellDesc& cell = of.desc().cells[index];
  mut::batch::Arena& arena = instance(ctx).arena();
  mut::state::load_own(cell, row + cell.offset, of.heap(), arena, words);
  mut::runtime::take_rows_if_full(*ctx, arena);
}

// Bytes by which the state would grow with `words` in place of what the row has. `row`: null of one that is
// not there; `table` too: where the row will lie is not known.
uint64_t mut_own_growth(MutContext* ctx, uint32_t store, MutTable* table, const char* row, uint32_t index,
                        const uint64_t* words) {
  if (table == nullptr) {
    const mut::state::CellDesc& cell = instance(ctx).store(store).desc().cells[index];
    return mut::state::own_growth(cell, nullptr, nullptr, words);
  }
  auto& of = *static_cast<mut::state::KeyedTable*>(table->owner);
  const mut::state::CellDesc& cell = of.desc().cells[index];
  return mut::state::own_growth(cell, row == nullptr ? nullptr : row + cell.offset, &of.heap(), words);
}

int32_t mut_own_room(MutContext* ctx, uint32_t store, uint64_t growth) {
  return growth < mut::state::never_fits_bytes && instance(ctx).store(store).budget_fits(growth) ? 1 : 0;
}

MutTable* mut_pane(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time) {
  auto& panes = static_cast<mut::state::WindowStore&>(instance(ctx).store(store));
  panes.advance(instance(ctx).now(instance(ctx).plan().stores[store].clock));
  MutTable* table = panes.table_of(key, time);
  instance(ctx).wait_for(store, panes.due());
  return table;
}

// How many open windows hold an event at `time`; then each by index.
uint32_t mut_overlaps(MutContext* ctx, uint32_t store, int64_t time) {
  auto& windows = static_cast<mut::state::OverlapStore&>(instance(ctx).store(store));
  windows.advance(instance(ctx).now(instance(ctx).plan().stores[store].clock));
  uint32_t count = windows.find(time);
  instance(ctx).wait_for(store, windows.due());
  return count;
}

MutTable* mut_overlap_table(MutContext* ctx, uint32_t store, uint32_t index) {
  return static_cast<mut::state::OverlapStore&>(instance(ctx).store(store)).found(index);
}

// `key` is that of the event; of a session the last that mut_session() was asked for.
void mut_window_update(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time,
                       MutResultRows* out) {
  auto& of = instance(ctx);
  if (of.plan().stores[store].desc.kind == mut::state::StoreKind::Overlaps) {
    const auto& rows = static_cast<mut::state::OverlapStore&>(of.store(store)).update(key, of.arena());
    *out = {rows.rows(), rows.times(), rows.count()};
    return;
  }
  auto& windows = static_cast<mut::state::WindowStore&>(of.store(store));
  const auto& rows = windows.update(key, time, of.now(of.plan().stores[store].clock), of.arena());
  *out = {rows.rows(), rows.times(), rows.count()};
}

void mut_count_observe(MutContext* ctx, uint32_t store) {
  auto& of = instance(ctx);
  static_cast<mut::state::CountStore&>(of.store(store)).observe(of.now(of.plan().stores[store].clock));
}

void mut_count_event(MutContext* ctx, uint32_t store, char* row, int64_t time, MutResultRows* out) {
  auto& of = instance(ctx);
  const auto& rows = static_cast<mut::state::CountStore&>(of.store(store)).count(row, time, of.arena());
  *out = {rows.rows(), rows.times(), rows.count()};
}

// Windows that overlap and are made of panes: what an event of that row fills, a CountStep; 0: no memory.
int32_t mut_count_room(MutContext* ctx, uint32_t store, char* row, int64_t time) {
  auto& windows = static_cast<mut::state::PanedCountStore&>(instance(ctx).store(store));
  return static_cast<int32_t>(windows.prepare(row, time));
}

// Before blocks of calm rows: what room can be made in memory that is there is made.
void mut_count_turn(MutContext* ctx, uint32_t store, char* row) {
  static_cast<mut::state::PanedCountStore&>(instance(ctx).store(store)).turn(row);
}

// Those that are kept apart: to how many rows the event is to be added; 0: no memory. Then each.
uint32_t mut_count_prepare(MutContext* ctx, uint32_t store, const uint64_t* key) {
  return static_cast<mut::state::ApartCountStore&>(instance(ctx).store(store)).prepare(key);
}

MutTable* mut_count_windows(MutContext* ctx, uint32_t store) {
  return static_cast<mut::state::ApartCountStore&>(instance(ctx).store(store)).windows();
}

char* mut_count_window(MutContext* ctx, uint32_t store, uint32_t index) {
  return static_cast<mut::state::ApartCountStore&>(instance(ctx).store(store)).window(index);
}

void mut_window_changed(MutContext* ctx, uint32_t store, char* row, int64_t time) {
  auto& of = instance(ctx);
  int64_t now = of.now(of.plan().stores[store].clock);
  switch (of.plan().stores[store].desc.kind) {
    case mut::state::StoreKind::Groups:
    case mut::state::StoreKind::Counts:
      static_cast<mut::state::TickingGroupStore&>(of.store(store)).mark_changed(row, time, now);
      break;
    case mut::state::StoreKind::Overlaps:
      static_cast<mut::state::OverlapStore&>(of.store(store)).mark_changed(row, time, now);
      break;
    default:
      static_cast<mut::state::WindowStore&>(of.store(store)).mark_changed(row, time, now);
  }
  of.wait_for(store, of.store(store).due());
}

int32_t mut_session_near(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time) {
  auto& sessions = static_cast<mut::state::SessionStore&>(instance(ctx).store(store));
  sessions.advance(instance(ctx).now(instance(ctx).plan().stores[store].clock));
  return sessions.find_near(key, time);
}

char* mut_session_near_row(MutContext* ctx, uint32_t store, uint32_t index, MutTable** table) {
  return static_cast<mut::state::SessionStore&>(instance(ctx).store(store)).near_row(index, table);
}

char* mut_session(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time, MutTable** table) {
  auto& sessions = static_cast<mut::state::SessionStore&>(instance(ctx).store(store));
  sessions.advance(instance(ctx).now(instance(ctx).plan().stores[store].clock));
  char* row = sessions.row_for(key, time, table);
  instance(ctx).wait_for(store, sessions.due());
  return row;
}

// ---- whole rows

int32_t mut_hold(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time, const char* record,
                 MutResultRows* out) {
  auto& of = instance(ctx);
  auto& held = static_cast<mut::state::HeldStore&>(of.store(store));
  const mut::state::ResultRows* rows =
      held.add(key, time, record, of.now(of.plan().stores[store].clock), of.arena());
  if (rows == nullptr) return 0;
  *out = {rows->rows(), rows->times(), rows->count()};
  of.wait_for(store, held.due());
  return 1;
}

// ---- patterns

int32_t mut_match_event(MutContext* ctx, uint32_t store, const uint64_t* key, const uint64_t* sample,
                        MutResultRows* out) {
  auto& of = instance(ctx);
  auto& patterns = static_cast<mut::state::PatternStore&>(of.store(store));
  const mut::state::ResultRows* rows =
      patterns.add(key, sample, of.now(of.plan().stores[store].clock), of.arena());
  if (rows == nullptr) return 0;
  *out = {rows->rows(), rows->times(), rows->count()};
  of.wait_for(store, patterns.due());
  return 1;
}

// ---- aggregates over a table

int32_t mut_follow_event(MutContext* ctx, uint32_t store, uint32_t table, const uint64_t* key,
                         const uint64_t* sample) {
  auto& of = instance(ctx);
  const auto& rows = static_cast<mut::state::TableStore&>(of.store(table));
  return static_cast<mut::state::FollowStore&>(of.store(store)).arrive(rows.changed_key(), key, sample) ? 1
                                                                                                        : 0;
}

void mut_follow_settle(MutContext* ctx, uint32_t store, uint32_t table, int64_t time, MutResultRows* out) {
  auto& of = instance(ctx);
  const auto& rows = static_cast<mut::state::TableStore&>(of.store(table));
  auto& follow = static_cast<mut::state::FollowStore&>(of.store(store));
  if (of.is_read(of.plan().stores[store].clock)) follow.go_on();
  const mut::state::ResultRows& given = follow.settle(rows.changed_key(), time, of.arena());
  *out = {given.rows(), given.times(), given.count()};
  of.wait_for(store, follow.due());
}

uint64_t mut_follow_places(MutContext* ctx, uint32_t store, uint64_t group) {
  return static_cast<mut::state::FollowStore&>(instance(ctx).store(store)).places_of(group);
}

const uint64_t* mut_follow_member(MutContext* ctx, uint32_t store, uint64_t group, uint32_t measure,
                                  uint64_t place) {
  return static_cast<mut::state::FollowStore&>(instance(ctx).store(store)).member(group, measure, place);
}

// ---- process

// The row whose timer fires now.
char* mut_process_row(MutContext* ctx, uint32_t store) {
  return static_cast<mut::state::ProcessStore&>(instance(ctx).store(store)).fired_row();
}

int32_t mut_process_room(MutContext* ctx, uint32_t store, uint64_t growth, uint32_t timers) {
  return static_cast<mut::state::ProcessStore&>(instance(ctx).store(store)).has_room(growth, timers) ? 1 : 0;
}

// `change`: 1 set, 2 cancel. At the end of the input, and when a run is to stop while timers catch up, what a
// timer sets does not fire any more.
void mut_process_timer(MutContext* ctx, uint32_t store, char* row, uint32_t timer, int32_t change,
                       int64_t due, int32_t by_timer) {
  auto& of = instance(ctx);
  auto& process = static_cast<mut::state::ProcessStore&>(of.store(store));
  const mut::runtime::Clock& clock = of.plan().stores[store].clock;
  if (change == 2) {
    process.cancel_timer(row, timer);
  } else if (by_timer != 0 && (of.timers_go() || of.watermark_of(clock) == mut::state::never)) {
    process.let_go_of_timer(row, timer);
  } else {
    process.set_timer(row, timer, due);
    of.wait_for(store, due);
    if (due <= of.now(clock)) ctx->overdue = 1;
  }
}

// ---- joins

// `key` is null for an event that never joins.
void mut_join_find(MutContext* ctx, uint32_t store, uint32_t side, const uint64_t* key, int64_t time,
                   MutPartners* out) {
  auto& of = instance(ctx);
  auto& join = static_cast<mut::state::JoinStore&>(of.store(store));
  join.observe(of.now(of.plan().stores[store].clock));
  join.find_partners(static_cast<mut::state::JoinSide>(side), key, time, of.arena(), *out);
}

int32_t mut_join_keep(MutContext* ctx, uint32_t store, uint32_t side, const uint64_t* key, int64_t time,
                      const char* record, MutPartners* partners) {
  auto& of = instance(ctx);
  auto& join = static_cast<mut::state::JoinStore&>(of.store(store));
  if (!join.keep(static_cast<mut::state::JoinSide>(side), key, time, record, *partners)) return 0;
  of.wait_for(store, join.due());
  return 1;
}

void mut_join_candidates(MutContext* ctx, uint32_t store, uint64_t fired, MutPartners* out) {
  auto& of = instance(ctx);
  static_cast<mut::state::JoinStore&>(of.store(store)).find_candidates(fired, of.arena(), *out);
}

// ---- tables

// 1: it is the newest row of its key now, or a version of it; 0: older than what there is; -1: no memory.
int32_t mut_row_put(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t time, const char* record) {
  auto& of = instance(ctx);
  auto& table = static_cast<mut::state::TableStore&>(of.store(store));
  table.observe(of.now(of.plan().stores[store].clock));
  return static_cast<int32_t>(table.put(key, time, record));
}

// The row of a key as of a time (INT64_MAX: as it stands), or null. `key` is null for what equals no key.
const char* mut_row_find(MutContext* ctx, uint32_t store, const uint64_t* key, int64_t as_of) {
  auto& of = instance(ctx);
  auto& table = static_cast<mut::state::TableStore&>(of.store(store));
  table.observe(of.now(of.plan().stores[store].clock));
  return key == nullptr ? nullptr : table.find(key, as_of, of.arena());
}

// ---- seeded draws of `generate`

int64_t mut_draw_int(uint64_t seed, uint64_t number, uint64_t place, int64_t low, int64_t high) {
  if (high <= low) return low;
  uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  uint64_t drawn = draw(seed, number, place);
  if (span == 0) return static_cast<int64_t>(drawn);
  return low +
         static_cast<int64_t>(static_cast<uint64_t>((static_cast<unsigned __int128>(drawn) * span) >> 64));
}

double mut_draw_unit(uint64_t seed, uint64_t number, uint64_t place) {
  return static_cast<double>(draw(seed, number, place) >> 11) * 0x1.0p-53;
}

double mut_draw_uniform(uint64_t seed, uint64_t number, uint64_t place, double low, double high) {
  return low + (high - low) * mut_draw_unit(seed, number, place);
}

// Box and Muller (1958).
double mut_draw_normal(uint64_t seed, uint64_t number, uint64_t place, double mean, double deviation) {
  double u = 1.0 - mut_draw_unit(seed, number, place);
  double v = mut_draw_unit(seed ^ 0xD1342543DE82EF95ULL, number, place);
  return mean + deviation * std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
}

double mut_draw_lognormal(uint64_t seed, uint64_t number, uint64_t place, double mean, double deviation) {
  return std::exp(mut_draw_normal(seed, number, place, mean, deviation));
}

double mut_round_digits(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -300) return 0.0;
  double scale = std::pow(10.0, static_cast<double>(digits < 0 ? -digits : digits));
  return digits < 0                     ? std::rint(value / scale) * scale
         : std::isfinite(value * scale) ? std::rint(value * scale) / scale
                                        : value;
}

int32_t mut_scale_duration(int64_t duration, double factor, int32_t divide, int64_t* out) {
  double scaled =
      divide != 0 ? static_cast<double>(duration) / factor : static_cast<double>(duration) * factor;
  if (!(scaled >= -9223372036854775808.0 && scaled < 9223372036854775808.0)) return 0;
  *out = static_cast<int64_t>(std::nearbyint(scaled));
  return 1;
}

}  // extern "C"
