// What kernels call. Compiled twice: into the binary for the quick tier, and to bitcode that the
// optimised tier inlines. Plain functions over plain memory; nothing here allocates.
#include "runtime/inline/cells.h"
#include "runtime/inline/counts.h"
#include "runtime/inline/sessions.h"
#include "runtime/inline/table.h"

using namespace mut::inl;  // NOLINT: one file, all of it about that namespace

extern "C" {

char* mut_table_find_or_insert(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                               uint64_t row_size) {
  return find_or_insert(table, key, words, text_mask, row_size);
}

// The same where mut_window_has() said that nothing is looked for ahead.
char* mut_table_find_or_insert_calm(MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                                    uint64_t row_size) {
  return find_or_insert_now(table, key, words, text_mask, row_size);
}

// The row of a key, or null.
char* mut_table_find(const MutTable* table, const uint64_t* key, uint32_t words, uint64_t text_mask,
                     uint64_t row_size) {
  return find_row(table, key, hash_key(key, words, text_mask, table->seed), words, text_mask, row_size);
}

// A group whose newest event is longer ago than its `ttl` starts anew (rule 8.17). The store asks its own
// clock, which an event that comes from a source never finds ahead of the watermark of that source.
void mut_group_age(MutContext* ctx, const MutTable* table, uint32_t store, char* row) {
  int64_t newest;
  memcpy(&newest, row + table->row_size - 8, 8);
  int64_t end;
  if (__builtin_add_overflow(newest, table->ttl, &end)) return;
  if (end >= ctx->watermark && ctx->firing == 0) return;
  mut_group_forget(ctx, store, row);
}

// Keys ahead of their events, see inline/ahead.h. Null: the table is small.
MutAhead* mut_table_ahead(const MutTable* table, uint64_t number) {
  if (table->ahead != nullptr) begin_ahead(*table->ahead, number);
  return table->ahead;
}
MutAhead* mut_window_ahead(const MutWindow* window, uint64_t number) {
  return window->pane_table != nullptr ? mut_table_ahead(window->pane_table, number) : nullptr;
}
// No event that was looked for ahead follows: other events have the same numbers.
void mut_table_forget_ahead(const MutTable* table) {
  if (table->ahead != nullptr) table->ahead->fresh = 0;
}
void mut_window_forget_ahead(const MutWindow* window) {
  if (window->pane_table != nullptr) mut_table_forget_ahead(window->pane_table);
}
void mut_ahead_tags(MutAhead* ahead, const uint64_t* key, uint32_t words) { ask_tags(*ahead, key, words); }
void mut_ahead_rows(MutAhead* ahead, uint64_t end) { ask_rows(*ahead, end); }

// The table of the pane that holds `time`, when it is the one used last; else null.
MutTable* mut_window_cached(MutWindow* window, int64_t time) {
  return window->pane_table != nullptr && time >= window->pane_start && time < window->pane_end
             ? window->pane_table
             : nullptr;
}

// The row of the pane used last, of windows without keys; null: none is known.
char* mut_window_only(const MutWindow* window) {
  return window->pane_table != nullptr ? window->pane_table->only : nullptr;
}

// Whether events of all times from `oldest` to `newest` belong to the pane used last, whose keys nobody looks
// for ahead.
int32_t mut_window_has(const MutWindow* window, int64_t oldest, int64_t newest) {
  const MutTable* table = window->pane_table;
  return table != nullptr && table->ahead == nullptr && oldest >= window->pane_start &&
                 newest < window->pane_end
             ? 1
             : 0;
}

// The row of the latest session of a key, when the event falls into it and nothing else is to be done; else
// null.
char* mut_session_latest(const MutSessions* sessions, const uint64_t* key, int64_t time, uint32_t words,
                         uint64_t text_mask, uint64_t row_size, uint64_t session_offset) {
  return latest_session(*sessions, key, time, words, text_mask, row_size, session_offset);
}

// Of windows of a number of events that overlap: a CountStep; counts an event that fills nothing.
int32_t mut_count_step(char* row, int64_t time, uint64_t queue_offset, int64_t pane_events, int64_t every,
                       uint64_t window_panes, uint64_t pane_bytes) {
  CountLayout layout{queue_offset, pane_events, every, window_panes, pane_bytes};
  return static_cast<int32_t>(step_of_count(row, time, layout));
}

// Of calm rows: the begin of a block, and one that fills nothing.
void mut_count_begin_calm(char* row, uint64_t queue_offset) {
  begin_in_order(row, {queue_offset, 0, 0, 0, 0});
}
void mut_count_quiet(char* row, int64_t time, uint64_t queue_offset) {
  count_in_order(row, time, {queue_offset, 0, 0, 0, 0});
}
// Of the row of a table without keys: how many events from `time` on, in order, need not ask the store.
uint64_t mut_count_ready(MutContext* ctx, uint32_t store, const MutTable* table, int64_t time,
                         uint64_t queue_offset, int64_t pane_events, int64_t every, uint64_t window_panes,
                         uint64_t pane_bytes) {
  char* row = table->only;
  if (row == nullptr) return 0;
  CountLayout layout{queue_offset, pane_events, every, window_panes, pane_bytes};
  if (time < count_ever(row, layout).newest) return 0;
  uint64_t ready = steps_ready(row, layout);
  if (ready > 0) return ready;
  mut_count_turn(ctx, store, row);
  return steps_ready(row, layout);
}
// Where its panes lie; null: nowhere yet.
char* mut_count_ring(const MutTable* table, char* row, uint64_t queue_offset) {
  const CountQueue& queue = *reinterpret_cast<const CountQueue*>(row + queue_offset);
  return queue.capacity == 0 ? nullptr : ring_of(queue, table->heap);
}

// Of narrow panes: see inline/counts.h.
void mut_count_fill(char* row, int64_t time, uint64_t queue_offset, int64_t pane_events, int64_t every,
                    uint64_t window_panes, uint64_t pane_bytes, const MutTable* table, CountPanes* out) {
  CountLayout layout{queue_offset, pane_events, every, window_panes, pane_bytes};
  *out = fill_pane(row, time, ring_of(count_queue(row, layout), table->heap), layout);
}
void mut_count_take_ready(char* row, const char* before, uint64_t queue_offset) {
  take_ready(row, before, {queue_offset, 0, 0, 0, 0});
}
// Of a copy of the row, whose ring is known.
void mut_count_fill_calm(char* row, int64_t time, uint64_t queue_offset, int64_t pane_events, int64_t every,
                         uint64_t window_panes, uint64_t pane_bytes, char* ring, CountPanes* out) {
  CountLayout layout{queue_offset, pane_events, every, window_panes, pane_bytes};
  *out = fill_calm_pane(row, time, ring, layout);
}
int32_t mut_count_fills_window(CountQueue* queue, int64_t pane_events, int64_t every) {
  return fills_window(*queue, {0, pane_events, every, 0, 0}) ? 1 : 0;
}
void mut_fill_count(CountCell* cell, CountTotal* total, char* words, const char* leaving) {
  fill_count(*cell, *total, words, leaving);
}
void mut_fill_sum(IntSumCell* cell, CountTotal* total, char* words, const char* leaving, uint32_t count) {
  fill_sum(*cell, *total, words, leaving, count);
}
void mut_fill_min(ExtremeCell* cell, CountTotal* total, char* words, const CountQueue* queue) {
  fill_extreme(*cell, *total, words, queue->next, Extreme::Least);
}
void mut_fill_max(ExtremeCell* cell, CountTotal* total, char* words, const CountQueue* queue) {
  fill_extreme(*cell, *total, words, queue->next, Extreme::Greatest);
}
// The same of calm rows.
void mut_fill_min_calm(ExtremeCell* cell, CountTotal* total, char* words, const CountQueue* queue) {
  fill_calm_extreme(*cell, *total, words, queue->next, Extreme::Least);
}
void mut_fill_max_calm(ExtremeCell* cell, CountTotal* total, char* words, const CountQueue* queue) {
  fill_calm_extreme(*cell, *total, words, queue->next, Extreme::Greatest);
}
void mut_min_begin_calm(ExtremeCell* cell) { begin_extreme(*cell, Extreme::Least); }
void mut_max_begin_calm(ExtremeCell* cell) { begin_extreme(*cell, Extreme::Greatest); }
void mut_min_add_calm(ExtremeCell* cell, uint64_t x) { add_extreme(*cell, x, Extreme::Least); }
void mut_max_add_calm(ExtremeCell* cell, uint64_t x) { add_extreme(*cell, x, Extreme::Greatest); }
void mut_whole_min(const CountTotal* total, const CountQueue* queue, const char* words, ExtremeCell* out) {
  *out = whole_extreme(*total, *queue, words, Extreme::Least);
}
void mut_whole_max(const CountTotal* total, const CountQueue* queue, const char* words, ExtremeCell* out) {
  *out = whole_extreme(*total, *queue, words, Extreme::Greatest);
}

uint64_t mut_key_float(double value) { return key_word(value); }

// The shard that events of a key belong to.
uint32_t mut_shard_of(const MutContext* ctx, const uint64_t* key, uint32_t words, uint64_t text_mask) {
  return shard_of(hash_key(key, words, text_mask, ctx->shard_seed), ctx->shards);
}

void mut_count_add(CountCell* cell) { add(*cell); }
void mut_isum_add(IntSumCell* cell, int64_t x) { add(*cell, x); }
int32_t mut_isum_fits(const IntSumCell* cell) { return fits(*cell) ? 1 : 0; }
void mut_dsum_add(DecimalSumCell* cell, uint64_t low, uint64_t high) { add(*cell, low, high); }
void mut_fsum_add(FloatSumCell* cell, double x) { add(*cell, x); }
double mut_fsum_value(const FloatSumCell* cell) { return value(*cell); }
double mut_fsum_mean(const FloatSumCell* cell) { return mean(*cell); }
void mut_moments_add(MomentsCell* cell, double x) { add(*cell, x); }
double mut_moments_variance(const MomentsCell* cell) { return variance(*cell); }
double mut_moments_variance_sample(const MomentsCell* cell) { return variance_sample(*cell); }
double mut_moments_stddev(const MomentsCell* cell) { return sqrt(variance(*cell)); }
double mut_moments_stddev_sample(const MomentsCell* cell) { return sqrt(variance_sample(*cell)); }
void mut_bool_add(BoolCell* cell, uint8_t x) { add(*cell, x); }
void mut_min_add_s(ExtremeCell* cell, uint64_t x) { add_min(*cell, x, Order::Signed); }
void mut_min_add_u(ExtremeCell* cell, uint64_t x) { add_min(*cell, x, Order::Unsigned); }
void mut_min_add_f(ExtremeCell* cell, uint64_t x) { add_min(*cell, x, Order::Float); }
void mut_max_add_s(ExtremeCell* cell, uint64_t x) { add_max(*cell, x, Order::Signed); }
void mut_max_add_u(ExtremeCell* cell, uint64_t x) { add_max(*cell, x, Order::Unsigned); }
void mut_max_add_f(ExtremeCell* cell, uint64_t x) { add_max(*cell, x, Order::Float); }
void mut_first_add(ValueCell* cell, uint64_t x, int64_t time) { add_first(*cell, x, time); }
void mut_last_add(ValueCell* cell, uint64_t x, int64_t time) { add_last(*cell, x, time); }

// Texts by value: `head` holds size (low half) and prefix.
int32_t mut_text_equal(uint64_t head_a, const char* a, uint64_t head_b, const char* b) {
  auto size = static_cast<uint32_t>(head_a);
  return head_a == head_b && (size <= 4 || memcmp(a + 4, b + 4, size - 4) == 0) ? 1 : 0;
}

// Below, at or above zero as a sorts before, with or after b: bytes of UTF-8, which is code points.
int32_t mut_text_compare(uint64_t head_a, const char* a, uint64_t head_b, const char* b) {
  auto size_a = static_cast<uint32_t>(head_a);
  auto size_b = static_cast<uint32_t>(head_b);
  uint32_t size = size_a < size_b ? size_a : size_b;
  int order = size == 0 ? 0 : memcmp(a, b, size);
  if (order != 0) return order;
  return size_a < size_b ? -1 : size_a > size_b ? 1 : 0;
}

// An int against a float without rounding the int (rule 3.5): -1, 0, 1, or 2 when the float is NaN.
int32_t mut_compare_int_float(int64_t a, double b) {
  if (b != b) return 2;
  if (b >= 9223372036854775808.0) return -1;
  if (b < -9223372036854775808.0) return 1;
  double whole = trunc(b);
  auto rounded = static_cast<int64_t>(whole);
  if (a != rounded) return a < rounded ? -1 : 1;
  return b > whole ? -1 : b < whole ? 1 : 0;
}

}  // extern "C"
