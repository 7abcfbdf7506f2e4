// Rows of a batch in parts that several shards can take, one after the other, because nothing becomes due on
// the way.
#pragma once
#include <vector>

#include "runtime/abi/kernel.h"

namespace mut::runtime {

struct RowPart {
  uint32_t row = 0;
  uint32_t row_end = 0;
  int64_t watermark = 0;  // of the source, before the first
};

struct DealtRows {
  std::vector<RowPart> parts;  // of rows that follow each other
  uint32_t row_end = 0;
  int64_t watermark = 0;  // behind the last
};

struct Deal {
  uint32_t part_rows = 1;
  int64_t watermark = 0;  // of the source, before the first row
  int64_t lateness = 0;   // nanoseconds
  int64_t due = 0;        // the watermark at which something may fire
};

// Rows [row, row_end), to before the one at which the watermark comes to `deal.due`. Writes into `out`, whose
// memory is used again.
void deal_rows(const MutBatch& rows, uint32_t row, uint32_t row_end, const Deal& deal, DealtRows& out);
// All rows of the cursor, with its watermark before each part.
void cut_rows(const MutCursor& rows, uint32_t part_rows, DealtRows& out);
// The watermark behind rows [row, row_end), of which there is one at least. Threads: any.
int64_t watermark_behind(const MutBatch& rows, uint32_t row, uint32_t row_end, const Deal& deal,
                         int64_t before);

}  // namespace mut::runtime
