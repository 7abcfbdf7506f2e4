#include "test/bench/limit/w3b.h"

#include <algorithm>
#include <array>
#include <limits>

#include "test/bench/limit/prefetch.h"

namespace mut::bench {
namespace {

constexpr auto view = static_cast<int64_t>(YsbEvent::View);

// With no allowed lateness an event at or past the end closes the window before it is counted, so one
// window is open at a time.
class OpenWindow {
 public:
  int64_t start_ns() const { return start_ns_; }
  int64_t end_ns() const { return start_ns_ + ysb_window_ns; }

  void count(int64_t campaign) { ++counts_[static_cast<size_t>(campaign)]; }

  // Closes the window and opens the one that has `time_ns`.
  void close(int64_t time_ns, void* consumer, TakeCounts take) {
    std::array<CampaignCount, ysb_campaigns> rows;
    size_t row_count = 0;
    for (size_t campaign = 0; campaign < counts_.size(); ++campaign)
      if (counts_[campaign] != 0)
        rows[row_count++] = {static_cast<int64_t>(campaign), start_ns_, counts_[campaign]};
    if (row_count != 0) take(consumer, {rows.data(), row_count});
    counts_.fill(0);
    start_ns_ = time_ns / ysb_window_ns * ysb_window_ns;
  }

 private:
  std::array<int64_t, ysb_campaigns> counts_{};
  int64_t start_ns_ = 0;
};

}  // namespace

int64_t run_ysb_rows(std::span<const YsbRow> rows, void* consumer, TakeCounts take) {
  // Views are collected first, without a branch: one in three cannot be predicted.
  constexpr size_t block_rows = 256;
  constexpr size_t ahead_rows = 48;
  std::array<int64_t, block_rows> ads;
  OpenWindow window;
  int64_t watermark = std::numeric_limits<int64_t>::min();
  for (; !rows.empty(); rows = rows.subspan(std::min(block_rows, rows.size()))) {
    const auto block = rows.first(std::min(block_rows, rows.size()));
    int64_t oldest = std::numeric_limits<int64_t>::max();
    int64_t newest = std::numeric_limits<int64_t>::min();
    size_t view_count = 0;
    for (const YsbRow& row : block) {
      prefetch_ahead(&row, ahead_rows * sizeof(YsbRow));
      oldest = std::min(oldest, row.time_ns);
      newest = std::max(newest, row.time_ns);
      ads[view_count] = row.ad;
      view_count += row.event_type == view ? 1 : 0;
    }
    watermark = std::max(watermark, newest);
    if (oldest >= window.start_ns() && newest < window.end_ns()) {
      for (size_t i = 0; i < view_count; ++i) window.count(ads[i] / ysb_ads_per_campaign);
      continue;
    }
    for (const YsbRow& row : block) {
      if (row.time_ns >= window.end_ns()) window.close(row.time_ns, consumer, take);
      if (row.event_type == view && row.time_ns >= window.start_ns())
        window.count(row.ad / ysb_ads_per_campaign);
    }
  }
  window.close(watermark, consumer, take);
  return watermark;
}

int64_t run_ysb_columns(const YsbColumns& columns, void* consumer, TakeCounts take) {
  // Blocks whose selection vector stays in the first-level cache.
  constexpr size_t block_rows = 512;
  constexpr size_t ahead_bytes = 4096;
  std::array<uint32_t, block_rows> selected;
  OpenWindow window;
  int64_t watermark = std::numeric_limits<int64_t>::min();
  for (size_t begin = 0; begin < columns.row_count(); begin += block_rows) {
    const size_t count = std::min(block_rows, columns.row_count() - begin);
    const int64_t* time_ns = columns.time_ns.data() + begin;
    const int64_t* event_type = columns.event_type.data() + begin;
    const int64_t* ad = columns.ad.data() + begin;
    for (const int64_t* column : {time_ns, event_type, ad}) prefetch_words_ahead(column, count, ahead_bytes);
    int64_t oldest = std::numeric_limits<int64_t>::max();
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (size_t i = 0; i < count; ++i) {
      oldest = std::min(oldest, time_ns[i]);
      newest = std::max(newest, time_ns[i]);
    }
    watermark = std::max(watermark, newest);
    if (oldest >= window.start_ns() && newest < window.end_ns()) {
      size_t selected_count = 0;
      for (size_t i = 0; i < count; ++i) {
        selected[selected_count] = static_cast<uint32_t>(i);
        selected_count += event_type[i] == view ? 1 : 0;
      }
      for (size_t k = 0; k < selected_count; ++k) window.count(ad[selected[k]] / ysb_ads_per_campaign);
      continue;
    }
    for (size_t i = 0; i < count; ++i) {
      if (time_ns[i] >= window.end_ns()) window.close(time_ns[i], consumer, take);
      if (event_type[i] == view && time_ns[i] >= window.start_ns())
        window.count(ad[i] / ysb_ads_per_campaign);
    }
  }
  window.close(watermark, consumer, take);
  return watermark;
}

}  // namespace mut::bench
