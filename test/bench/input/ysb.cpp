#include "test/bench/input/ysb.h"

#include "test/bench/input/huge_pages.h"
#include "test/bench/input/splitmix.h"

namespace mut::bench {
namespace {

constexpr uint64_t seed = 42;
constexpr int64_t base_ns = 1'700'000'000'000'000'000;
constexpr uint64_t rows_per_ms = 1000;

// Draw order: user, page, ad, ad type, event type.
YsbRow make_row(uint64_t index) {
  auto random = SplitMix64::of_item(seed, index);
  const auto draw = [&random](uint64_t bound) { return static_cast<int64_t>(random.uniform(bound)); };
  YsbRow row{};
  row.time_ns = base_ns + static_cast<int64_t>(index / rows_per_ms) * 1'000'000;
  row.user = draw(100);
  row.page = draw(100);
  row.ad = draw(ysb_ads);
  row.ad_type = draw(5);
  row.event_type = draw(3);
  row.ip = 0x01020304;
  return row;
}

void size_column(std::vector<int64_t>& column, uint64_t row_count) {
  reserve_huge(column, row_count);
  column.resize(row_count);
}

}  // namespace

HugeArray<YsbRow> make_ysb_rows(uint64_t row_count) {
  HugeArray<YsbRow> rows(row_count);
  for (uint64_t i = 0; i < row_count; ++i) rows[i] = make_row(i);
  return rows;
}

YsbColumns make_ysb_columns(uint64_t row_count, YsbFields fields) {
  YsbColumns columns;
  const bool all = fields == YsbFields::All;
  for (auto* column : {&columns.time_ns, &columns.ad, &columns.event_type}) size_column(*column, row_count);
  if (all)
    for (auto* column : {&columns.user, &columns.page, &columns.ad_type}) size_column(*column, row_count);
  for (uint64_t i = 0; i < row_count; ++i) {
    const YsbRow row = make_row(i);
    columns.time_ns[i] = row.time_ns;
    columns.ad[i] = row.ad;
    columns.event_type[i] = row.event_type;
    if (!all) continue;
    columns.user[i] = row.user;
    columns.page[i] = row.page;
    columns.ad_type[i] = row.ad_type;
  }
  return columns;
}

}  // namespace mut::bench
