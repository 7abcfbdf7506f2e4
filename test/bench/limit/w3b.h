// YSB by hand: views counted per campaign in tumbling windows of 10 s; a window's rows are given out
// when the watermark reaches its end, campaigns without views are left out. Late rows are dropped.
#pragma once
#include <cstdint>
#include <span>

#include "test/bench/input/ysb.h"

namespace mut::bench {

struct CampaignCount {
  int64_t campaign, window_start_ns, count;
};
using TakeCounts = void (*)(void* consumer, std::span<const CampaignCount> rows);

// Returns the watermark. The first reads 64-byte rows, the second three columns.
int64_t run_ysb_rows(std::span<const YsbRow> rows, void* consumer, TakeCounts take);
int64_t run_ysb_columns(const YsbColumns& columns, void* consumer, TakeCounts take);

}  // namespace mut::bench
