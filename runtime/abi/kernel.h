// What a kernel and the runtime say to each other. C structs: kernels are machine code that knows
// these layouts by offset. A change here changes abi::abi_number.
#pragma once
#include "runtime/abi/batch.h"
#include "runtime/abi/value.h"

#ifdef __cplusplus
extern "C" {
#endif

// Why a kernel returned. All but End resume at cursor->row.
typedef enum MutStop {
  MUT_STOP_END = 0,     // cursor->row_end reached
  MUT_STOP_DUE = 1,     // the watermark reached something that fires before row cursor->row
  MUT_STOP_OUTPUT = 2,  // a sink wants its rows taken
  MUT_STOP_MEMORY = 3,  // the state budget is spent; row cursor->row failed with event error `memory`
} MutStop;

// Text owned by a store: like MutStr with an offset into the store's heap in place of a pointer.
typedef struct MutStoredStr {
  uint32_t size;
  uint32_t prefix;
  uint64_t offset;  // (block << 32) | byte
} MutStoredStr;

typedef struct MutHeap {
  char** blocks;
} MutHeap;

// A piece of a table: its own open-addressing array of rows, and behind the rows a tag for each: see
// inline/tags.h. Row: u64 hash, key words, cells.
typedef struct MutSegment {
  char* rows;
  uint32_t slot_count;
  uint32_t used;
  uint32_t depth;   // how many bits of the hash chose this segment
  uint32_t number;  // in its table
  uint64_t epoch;   // of the last write, for incremental checkpoints
} MutSegment;

// What a look-up needs of a segment.
typedef struct MutPlace {
  char* rows;
  uint32_t tags_offset;  // bytes behind `rows`
  uint32_t group_count;
} MutPlace;

// What is looked for ahead of its event. Three steps: the tags of its group are asked for, then the row that
// they name, then the row is used. No step looks at memory that the step before has not asked for.
enum { MUT_AHEAD_ROWS = 64 };  // a power of two
typedef struct MutAheadRow {
  const uint8_t* tags;  // of the key's group
  char* row;            // first of the group; once the tags are read, the row they name, or null
  uint64_t tag;
} MutAheadRow;
typedef struct MutAhead {
  const struct MutTable* table;
  uint64_t fresh;                    // 0: rows have moved; nothing here is to be followed
  uint64_t now;                      // number of the event whose look-up is next
  uint64_t asked;                    // events before this number: tags asked for
  uint64_t matched;                  // events before this number: row asked for
  MutAheadRow rows[MUT_AHEAD_ROWS];  // by number of event
} MutAhead;

// Rows by the low bits of their key, of a table with keys of one number: those used last. A row is the one
// asked for when its key is.
enum { MUT_RECENT_ROWS = 1024 };
typedef struct MutRecent {
  uint64_t asked;
  uint64_t missed;              // of these: another row stood in the place
  char* rows[MUT_RECENT_ROWS];  // null: none
} MutRecent;

// Extendible hash table: the top bits of the hash choose a segment, the low ones a group of slots in it.
typedef struct MutTable {
  const MutPlace* directory;
  uint64_t directory_shift;  // hash >> directory_shift is the index
  uint64_t row_size;         // bytes
  uint64_t seed;
  int64_t ttl;        // nanoseconds that a row lives behind its newest event; 0: for ever
  MutRecent* recent;  // null: not worth it, or not such a table
  char* only;         // the row of a table without keys, where it is known; else null
  MutAhead* ahead;    // of a table larger than the caches, whose look-ups are worth a prefetch; else null
  MutHeap heap;
  void* owner;  // state::KeyedTable
} MutTable;

// A windowed aggregate: one table per pane. The last pane used is cached.
typedef struct MutWindow {
  MutTable* pane_table;  // of the cached pane; null: none
  int64_t pane_start;    // nanoseconds
  int64_t pane_end;
  void* owner;  // state::WindowStore
} MutWindow;

// `top` without keys over one window of time after the other, or over all: of the events in [from, until)
// those whose first order key comes behind that of the last of the best are let go without a look at the
// rest.
typedef struct MutTopGate {
  int64_t from;   // nanoseconds
  int64_t until;  // nanoseconds; not behind `from`: events are let go nowhere
  uint64_t last;  // an int or a double, as its word
  uint64_t let_go;
  int64_t newest;  // time of an event; of whole inputs it is told
} MutTopGate;

// A session window that is open or kept: behind the cells of its row.
enum {
  MUT_SESSION_GIVEN = 1,     // it has closed, and is kept for late events
  MUT_SESSION_FOLLOWED = 2,  // of a row in MutSessions::newest: its key has a later one elsewhere
};
typedef struct MutSession {
  int64_t first;  // times of its events, nanoseconds
  int64_t last;
  uint64_t state;  // flags as above, and what the store adds
} MutSession;

// Session windows. Of each key one is in `newest`, the latest where rows can be moved.
typedef struct MutSessions {
  MutTable* newest;
  int64_t gap;   // nanoseconds
  int64_t from;  // earlier events belong to windows of another kind
} MutSessions;

// Rows of one sink, waiting to be written. Row: MutOutHead, then the record in memory layout.
typedef struct MutOutHead {
  uint64_t position;  // of the event that caused the row, in its source
  uint32_t source;    // index of that source
  uint32_t order;     // over all sinks of the call, from 0: rows of one file keep it
} MutOutHead;

typedef struct MutSink {
  char* rows;
  uint64_t row_size;  // with the head, a multiple of 8
  uint64_t count;
  uint64_t capacity;
} MutSink;

// Per version and shard; lives as long as the version. Kernels read and write it freely: one thread.
typedef struct MutContext {
  uint32_t abi;
  uint32_t source;           // whose rows are being processed
  void** stores;             // MutTable*, MutWindow* or state objects, by index of the plan
  const char* literals;      // 16 bytes each: number, bool or MutStr
  const char* params;        // the record of params in memory layout
  MutSink* sinks;            // by index of emit
  uint64_t output_rows;      // in all sinks; also the next MutOutHead::order
  uint64_t output_rows_max;  // MUT_STOP_OUTPUT when reached; 0: what rows point at takes too much memory
  int64_t due;               // earliest time at which something fires for the running source; INT64_MAX: none
  int64_t window_start;      // of the row being emitted, in kernels of results
  int64_t window_end;
  const uint64_t* seeds;  // by source: of `generate`
  uint64_t* dropped;      // by index of stage counter: rows a choosing stage let go
  void* runtime;          // graph::Shard
  int64_t watermark;      // of the running source, with the event that is processed
  int32_t overdue;        // 1: a timer was set that the watermark had passed; it fires before the next event
  int32_t firing;         // 1: a store fires; what clocks say then is not bounded by `watermark`
  int64_t arrival;        // of the event that is processed, or that brings about what fires
  uint32_t shard;         // which of `shards` this is; both do not change while a version runs
  uint32_t shards;
  uint64_t shard_seed;  // of the hash that says which shard a key belongs to
} MutContext;

// What the windows of an event give at once: rows as a result kernel reads them.
typedef struct MutResultRows {
  const char* rows;
  const int64_t* times;
  uint64_t count;
} MutResultRows;

// Rows of the other side of a join that an arriving event may make pairs with, in order of time and arrival.
typedef struct MutPartners {
  const char* const* rows;  // records in memory layout
  const int64_t* times;
  uint8_t* chosen;  // in: what the condition says, at first 1; out: whether the pair is given
  const uint64_t* nodes;
  uint64_t count;
  uint64_t unmatched;  // out: 1 when the event itself is given as a row without partner
} MutPartners;

// Some readers of one stream, in groups of so many by their order: those that an event is to be given to.
enum { MUT_READERS_OF_GROUP = 32 };
#define MUT_READERS_END UINT32_MAX
typedef struct MutReaders {
  uint32_t group;   // MUT_READERS_END: behind the last
  uint32_t wanted;  // bits, by reader of the group
} MutReaders;

// The fields of an `.errors` event, filled by mut_rt_fail.
typedef struct MutErrorEvent {
  MutStr event;
  MutStr raw;
  MutStr stage;
  MutStr input;
  MutStr code;
  MutStr message;
  int64_t line;
  uint8_t has_raw;
  uint8_t has_input;
} MutErrorEvent;

typedef struct MutCursor {
  uint32_t row;  // in: first row to process; out: next one
  uint32_t row_end;
  int64_t watermark;  // of the source: running maximum of time - lateness
} MutCursor;

// A fused pipeline. Returns a MutStop. `batch` has the columns of a source.
typedef int32_t (*MutSourceKernel)(MutContext* ctx, const MutBatch* batch, MutCursor* cursor);
// The same over rows in memory layout: results of windows. `times[i]` is the event time of row i.
typedef void (*MutResultKernel)(MutContext* ctx, const char* rows, const int64_t* times, uint64_t row_count,
                                uint64_t position);

#ifdef __cplusplus
}
#endif
