// Where a key stands among windows of a number of events that overlap and are made of panes, and the events
// that kernels take by themselves: those that fill no pane, and, of windows whose panes are narrow, those
// that fill one. state/paned_counts does the rest.
//
// Narrow panes are of windows whose events came in order of time and whose cells are counts, sums of whole
// numbers and extremes of words. A pane: i64 its least time · one word for each cell, two for a sum of
// several events. Counts and sums are added to a total when a pane comes, and taken out when it leaves;
// extremes are two stacks.
#pragma once
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "runtime/inline/cells.h"
#include "runtime/inline/table.h"

extern "C" void mut_count_turn(MutContext* ctx, uint32_t store, char* row);

namespace mut::inl {

// Events of a pane or window, or of a key ever.
struct CountExtent {
  int64_t events;
  int64_t least;  // times, nanoseconds
  int64_t newest;

  void add(const CountExtent& more) {
    if (more.events == 0) return;
    least = events == 0 || more.least < least ? more.least : least;
    newest = events == 0 || more.newest > newest ? more.newest : newest;
    events += more.events;
  }
};

// Behind the cells of a row, which are those of the pane that is filling; then a CountExtent: events and
// newest time ever, least time of that pane.
struct CountQueue {
  uint64_t ring;           // of full panes, in the heap
  uint64_t newer;          // in the heap: all from the middle on, merged; not of narrow panes
  uint64_t capacity : 62;  // panes of the ring, a power of two; 0: no memory yet
  uint64_t is_narrow : 1;  // its panes are
  uint64_t is_quiet : 1;   // an event that fills no pane does nothing but to its pane
  uint64_t first;          // number of the oldest pane that the next window has
  uint64_t middle;         // panes before it hold all up to it, each from itself on
  uint64_t next;           // number of the pane that is filling
  union {
    uint64_t ordered;  // of panes that are wide: those from this number on are in order of time
    int64_t ready;     // of narrow ones: so many more can be filled before the store is asked
  };
  int64_t newest;    // time in the pane that is filling
  int64_t in_pane;   // events of that pane
  int64_t in_slide;  // events since a window was full
};

// Of a cell of narrow panes, before the CountQueue.
struct CountTotal {
  uint64_t low;  // of a count or sum: all panes; of an extreme: the best from the middle on
  int64_t high;  // of a sum; of an extreme: the number of the newest pane that has a value, plus 1
};

// What code and store agree upon.
struct CountLayout {
  uint64_t queue_offset;  // of a row
  int64_t pane_events;
  int64_t every;  // a multiple of that
  uint64_t window_panes;
  uint64_t pane_bytes;  // narrow; 0: panes never are
};

// What is to become of an event, by what it fills.
enum class CountStep : int32_t {
  Ask = 0,    // the store is to be asked, which says one of the following; or there is no memory
  Quiet = 1,  // nothing: it is counted
  Fills = 2,  // a pane, and all is there that it needs
  Apart = 3,  // the store is to be given the event
};

inline CountQueue& count_queue(char* row, const CountLayout& layout) {
  return *reinterpret_cast<CountQueue*>(row + layout.queue_offset);
}
inline CountExtent& count_ever(char* row, const CountLayout& layout) {
  return *reinterpret_cast<CountExtent*>(row + layout.queue_offset + sizeof(CountQueue));
}

inline void count_event(CountQueue& queue, CountExtent& ever, int64_t time) {
  bool first_of_pane = queue.in_pane == 0;
  ever.least = first_of_pane || time < ever.least ? time : ever.least;
  ever.newest = ever.events == 0 || time > ever.newest ? time : ever.newest;
  queue.newest = first_of_pane || time > queue.newest ? time : queue.newest;
  ++ever.events;
  ++queue.in_pane;
  ++queue.in_slide;
}

// Before the event is in the cells.
inline CountStep step_of_count(char* row, int64_t time, const CountLayout& layout) {
  CountQueue& queue = count_queue(row, layout);
  CountExtent& ever = count_ever(row, layout);
  bool late = layout.pane_bytes != 0 && time < ever.newest;
  if (queue.is_quiet != 0 && queue.in_pane + 1 < layout.pane_events) {
    if (late) return CountStep::Ask;
    count_event(queue, ever, time);
    return CountStep::Quiet;
  }
  if (layout.pane_bytes == 0 || queue.is_narrow == 0 || queue.ready == 0 || late) return CountStep::Ask;
  --queue.ready;
  return CountStep::Fills;
}

// Of calm rows (compiler/codegen/calm_rows.h), which come in order: one that fills nothing. While they run a
// pane without events has no least time: nothing asks whether it is the first one, so many of them are vector
// code.
inline void begin_in_order(char* row, const CountLayout& layout) {
  if (count_queue(row, layout).in_pane == 0) count_ever(row, layout).least = INT64_MAX;
}
inline void count_in_order(char* row, int64_t time, const CountLayout& layout) {
  CountQueue& queue = count_queue(row, layout);
  CountExtent& ever = count_ever(row, layout);
  ever.least = time < ever.least ? time : ever.least;
  ever.newest = time;
  queue.newest = time;
  ++ever.events;
  ++queue.in_pane;
  ++queue.in_slide;
}

// How many events in order need not ask the store where windows have all their panes, more than which a block
// has not; 0: the next one has to.
inline uint64_t steps_ready(const char* row, const CountLayout& layout) {
  constexpr uint64_t block_max = 1 << 16;
  const CountQueue& queue = count_queue(const_cast<char*>(row), layout);
  auto pane_events = static_cast<uint64_t>(layout.pane_events);
  if (queue.is_narrow == 0 || queue.next - queue.first != layout.window_panes) return 0;
  if (pane_events > 1 && queue.is_quiet == 0) return 0;
  auto in_pane = static_cast<uint64_t>(queue.in_pane);
  auto ready = static_cast<uint64_t>(queue.ready);
  uint64_t quiet = pane_events - 1 - in_pane;
  if (ready >= block_max || quiet >= block_max) return block_max;
  if (ready > 0 && pane_events >= block_max) return block_max;
  return ready * pane_events + quiet;
}

inline char* narrow_pane(const CountQueue& queue, char* ring, uint64_t number, uint64_t pane_bytes) {
  return ring + (number & (queue.capacity - 1)) * pane_bytes;
}
inline char* ring_of(const CountQueue& queue, const MutHeap& heap) {
  return const_cast<char*>(stored_text(heap, queue.ring));
}

// Of an event that fills a pane: where its words go, and the pane that leaves for it, which may lie at the
// same place; null: none. The oldest one that stays, or the new one.
struct CountPanes {
  char* made;
  char* leaving;
  char* oldest;
};
// There is room for it. `ring`: ring_of() the row.
inline CountPanes fill_pane(char* row, int64_t time, char* ring, const CountLayout& layout) {
  CountQueue& queue = count_queue(row, layout);
  CountExtent& ever = count_ever(row, layout);
  // As count_event() of an event in order, whose pane is over then.
  int64_t least = layout.pane_events == 1 || queue.in_pane == 0 ? time : ever.least;
  ever.newest = time;
  ++ever.events;
  if (layout.every != layout.pane_events) ++queue.in_slide;
  if (layout.pane_events > 1) {
    if (layout.every == layout.pane_events) queue.in_slide = 0;
    queue.in_pane = 0;
  }
  uint64_t mask = queue.capacity - 1;
  uint64_t first = queue.first;
  uint64_t next = queue.next;
  CountPanes out{};
  if (next - first == layout.window_panes) {
    out.leaving = ring + (first & mask) * layout.pane_bytes;
    queue.first = ++first;
  }
  out.oldest = ring + (first & mask) * layout.pane_bytes;
  out.made = ring + (next & mask) * layout.pane_bytes;
  queue.next = next + 1;
  memcpy(out.made, &least, 8);
  return out;
}

// The same of a calm row, in order of time, where the window has all its panes and the next one has been made
// ready; that it is no longer is told by take_ready().
inline CountPanes fill_calm_pane(char* row, int64_t time, char* ring, const CountLayout& layout) {
  CountQueue& queue = count_queue(row, layout);
  CountExtent& ever = count_ever(row, layout);
  int64_t least = layout.pane_events == 1 || time < ever.least ? time : ever.least;
  ever.newest = time;
  ++ever.events;
  if (layout.pane_events > 1) {
    ever.least = INT64_MAX;
    queue.in_pane = 0;
  }
  if (layout.every != layout.pane_events) {
    ++queue.in_slide;
  } else if (layout.pane_events > 1) {
    queue.in_slide = 0;
  }
  uint64_t next = queue.next;
  uint64_t mask = queue.capacity - 1;
  auto pane = [&](uint64_t number) { return ring + (number & mask) * layout.pane_bytes; };
  uint64_t first = next + 1 - layout.window_panes;
  queue.first = first;
  queue.next = next + 1;
  CountPanes out{pane(next), pane(next - layout.window_panes), pane(first)};
  memcpy(out.made, &least, 8);
  return out;
}

// Before the row as calm rows have left it goes back to where it was.
inline void take_ready(char* row, const char* before, const CountLayout& layout) {
  CountQueue& queue = count_queue(row, layout);
  uint64_t made = queue.next - count_queue(const_cast<char*>(before), layout).next;
  queue.ready -= static_cast<int64_t>(made);
}

// Whether that event is the last of a window too.
inline bool fills_window(CountQueue& queue, const CountLayout& layout) {
  if (layout.every == layout.pane_events) return true;
  if (queue.in_slide != layout.every) return false;
  queue.in_slide = 0;
  return true;
}

inline uint64_t word_at(const char* memory) {
  uint64_t out;
  memcpy(&out, memory, 8);
  return out;
}
inline void put_word(char* memory, uint64_t word) { memcpy(memory, &word, 8); }

// A cell of the pane that is full becomes `words` of a narrow one. `leaving`: those of the one that leaves,
// or null.
inline void fill_count(CountCell& cell, CountTotal& total, char* words, const char* leaving) {
  total.low += static_cast<uint64_t>(cell.count) - (leaving == nullptr ? 0 : word_at(leaving));
  put_word(words, static_cast<uint64_t>(cell.count));
  cell.count = 0;
}

// A sum of narrow panes: of one value it is a word.
inline __int128 narrow_sum(const char* words, uint32_t count) {
  if (count == 1) return static_cast<int64_t>(word_at(words));
  return value(IntSumCell{word_at(words), static_cast<int64_t>(word_at(words + 8))});
}
inline void fill_sum(IntSumCell& cell, CountTotal& total, char* words, const char* leaving, uint32_t count) {
  IntSumCell sum{total.low, total.high};
  store(sum, value(sum) + value(cell) - (leaving == nullptr ? 0 : narrow_sum(leaving, count)));
  total = {sum.low, sum.high};
  put_word(words, cell.low);
  if (count == 2) put_word(words + 8, static_cast<uint64_t>(cell.high));
  cell = {0, 0};
}

// Least and greatest values of words as signed numbers. What has no value is a word that no other is worse
// than.
enum class Extreme : uint8_t { Least, Greatest };
constexpr uint64_t no_extreme(Extreme which) {
  return static_cast<uint64_t>(which == Extreme::Least ? INT64_MAX : INT64_MIN);
}
inline uint64_t better(uint64_t a, uint64_t b, Extreme which) {
  auto x = static_cast<int64_t>(a);
  auto y = static_cast<int64_t>(b);
  return static_cast<uint64_t>(which == Extreme::Least ? (y < x ? y : x) : (x < y ? y : x));
}
// `next`: number of the pane behind the one that is made.
inline void fill_extreme(ExtremeCell& cell, CountTotal& total, char* words, uint64_t next, Extreme which) {
  uint64_t word = cell.count == 0 ? no_extreme(which) : cell.word;
  put_word(words, word);
  total.low = better(total.low, word, which);
  total.high = cell.count == 0 ? total.high : static_cast<int64_t>(next);
  cell = {0, 0};
}
// The same of calm rows, where an extreme without a value is that word.
inline void begin_extreme(ExtremeCell& cell, Extreme which) {
  if (cell.count == 0) cell.word = no_extreme(which);
}
inline void add_extreme(ExtremeCell& cell, uint64_t word, Extreme which) {
  cell.word = better(cell.word, word, which);
  ++cell.count;
}
inline void fill_calm_extreme(ExtremeCell& cell, CountTotal& total, char* words, uint64_t next,
                              Extreme which) {
  put_word(words, cell.word);
  total.low = better(total.low, cell.word, which);
  total.high = cell.count == 0 ? total.high : static_cast<int64_t>(next);
  cell = {no_extreme(which), 0};
}
// That of all panes; `words`: of the first one, which holds all up to the middle, or is in the total.
inline ExtremeCell whole_extreme(const CountTotal& total, const CountQueue& queue, const char* words,
                                 Extreme which) {
  return {better(word_at(words), total.low, which), static_cast<uint64_t>(total.high) > queue.first ? 1 : 0};
}

}  // namespace mut::inl
