// What a source hands to a kernel. C structs, no owners: batch::Batch owns the memory behind them.
#pragma once
#include "runtime/abi/value.h"

#ifdef __cplusplus
extern "C" {
#endif

// Why a row is not an event.
typedef enum MutBadRow {
  MUT_ROW_FINE = 0,
  MUT_ROW_BROKEN = 1,     // not decoded, or its time cannot be computed
  MUT_ROW_FUTURE = 2,     // further ahead of its arrival than the source allows
  MUT_ROW_ELSEWHERE = 3,  // an event that another version processes: its time counts, and nothing else of it
  MUT_ROW_SKIPPED = 4,    // broken or ahead, and another version tells of it: nothing of it counts
} MutBadRow;

// Values of one declared field. `values` is null when no kernel needs the field. For a field of type
// T? `values` holds plain T and `valid` one byte a row; else `valid` is null.
typedef struct MutColumn {
  void* values;
  uint8_t* valid;
} MutColumn;

// Where a row came from, for `.errors`.
typedef struct MutOrigin {
  const char* raw;  // the record as read, without its line end
  uint32_t raw_size;
  uint32_t line;  // from 1; the first line of the record in its file
} MutOrigin;

// Why a record could not be decoded; `message` is owned by the batch.
typedef struct MutDecodeError {
  uint32_t row;
  MutStr code;     // "decode"
  MutStr message;  // "field `amount`: expected a number"
} MutDecodeError;

typedef struct MutBatch {
  uint32_t abi;
  uint32_t row_count;
  uint64_t first_position;   // number of row 0 in its source, from 0; rows are consecutive
  const MutColumn* columns;  // one per declared field, in order of declaration
  int64_t* times;            // event time less time_shift, nanoseconds since the epoch; any value in bad rows
  int64_t time_shift;        // added to each of them; 0 where event times are computed
  int64_t arrival;           // of all its rows, nanoseconds since the epoch
  const uint8_t* bad;        // null when every row can be taken; else a MutBadRow for each
  const MutDecodeError* errors;  // in order of row
  uint32_t error_count;
  const MutOrigin* origins;  // null when the source keeps none (rows pushed by a host)
  MutStr input_name;         // file name or the like, for `.errors.input`
} MutBatch;

#ifdef __cplusplus
}
#endif
