#include "runtime/graph/dealt_rows.h"

#include <algorithm>
#include <limits>

#include "runtime/batch/newest.h"

namespace mut::runtime {
namespace {

// As kernels compute it: without a look at what does not fit.
int64_t reached_by(const MutBatch& rows, int64_t time, int64_t lateness) {
  return static_cast<int64_t>(static_cast<uint64_t>(time) + static_cast<uint64_t>(rows.time_shift) -
                              static_cast<uint64_t>(lateness));
}

bool has_time(const MutBatch& rows, uint32_t row) {
  return rows.bad == nullptr || rows.bad[row] == MUT_ROW_FINE || rows.bad[row] == MUT_ROW_ELSEWHERE;
}

}  // namespace

int64_t watermark_behind(const MutBatch& rows, uint32_t row, uint32_t row_end, const Deal& deal,
                         int64_t before) {
  if (rows.bad == nullptr)
    return std::max(before,
                    reached_by(rows, batch::newest_of({rows.times + row, row_end - row}), deal.lateness));
  for (uint32_t i = row; i < row_end; ++i) {
    if (has_time(rows, i)) before = std::max(before, reached_by(rows, rows.times[i], deal.lateness));
  }
  return before;
}

void cut_rows(const MutCursor& rows, uint32_t part_rows, DealtRows& out) {
  out.parts.clear();
  out.row_end = rows.row_end;
  out.watermark = rows.watermark;
  for (uint32_t row = rows.row; row < rows.row_end;) {
    uint32_t end = std::min<uint32_t>(rows.row_end, row + part_rows);
    out.parts.push_back({row, end, rows.watermark});
    row = end;
  }
}

void deal_rows(const MutBatch& rows, uint32_t row, uint32_t row_end, const Deal& deal, DealtRows& out) {
  out.parts.clear();
  out.row_end = row;
  out.watermark = deal.watermark;
  while (out.row_end < row_end) {
    RowPart part{out.row_end, std::min(row_end, out.row_end + deal.part_rows), out.watermark};
    int64_t behind = watermark_behind(rows, part.row, part.row_end, deal, part.watermark);
    bool comes_due = behind >= deal.due;
    if (comes_due) {
      // The one row of the part that is too far is looked for.
      uint32_t last = part.row;
      behind = part.watermark;
      while (last < part.row_end) {
        int64_t next = watermark_behind(rows, last, last + 1, deal, behind);
        if (next >= deal.due) break;
        behind = next;
        ++last;
      }
      part.row_end = last;
    }
    if (part.row < part.row_end) out.parts.push_back(part);
    out.row_end = part.row_end;
    out.watermark = behind;
    if (comes_due) return;
  }
}

}  // namespace mut::runtime
