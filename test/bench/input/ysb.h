// The Yahoo Streaming Benchmark as fixed binary rows of 64 bytes: eight 64-bit values, 1000 rows per
// millisecond of event time, 10 ads per campaign, every choice uniform.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "test/bench/input/huge_array.h"

namespace mut::bench {

constexpr uint64_t ysb_rows_small = 640'000;
constexpr uint64_t ysb_rows_full = 64'000'000;

constexpr int64_t ysb_ads = 1000;
constexpr int64_t ysb_ads_per_campaign = 10;
constexpr int64_t ysb_campaigns = ysb_ads / ysb_ads_per_campaign;
constexpr int64_t ysb_window_ns = 10'000'000'000;
enum class YsbEvent : int64_t { View = 0, Click = 1, Purchase = 2 };

struct YsbRow {
  int64_t time_ns, user, page, ad, ad_type, event_type, ip, pad;
};
static_assert(sizeof(YsbRow) == 64);

HugeArray<YsbRow> make_ysb_rows(uint64_t row_count);

// The columns a query may read; ip and pad are constant and left out.
struct YsbColumns {
  std::vector<int64_t> time_ns, user, page, ad, ad_type, event_type;
  size_t row_count() const { return time_ns.size(); }
};
enum class YsbFields : uint8_t { All, Queried };  // Queried: time_ns, ad and event_type only
YsbColumns make_ysb_columns(uint64_t row_count, YsbFields fields);

}  // namespace mut::bench
