// Totals of sliding windows, and the best of their groups, against sums made anew.
#include "runtime/state/sliding_totals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "runtime/state/best_rows.h"
#include "runtime/state/cells.h"

namespace mut::state {
namespace {

constexpr uint64_t seed = 7;

StoreDesc counts_and_sums() {
  StoreDesc out;
  out.kind = StoreKind::Panes;
  KeyDesc key;
  key.name = "k";
  key.type = abi::make_scalar(abi::TypeKind::I64);
  out.keys.push_back(key);
  for (CellFn fn : {CellFn::Count, CellFn::IntSum}) {
    CellDesc cell;
    cell.fn = fn;
    cell.result = abi::make_scalar(abi::TypeKind::I64);
    out.cells.push_back(cell);
  }
  lay_out(out);
  return out;
}

struct Total {
  int64_t count = 0;
  __int128 sum = 0;
  friend bool operator==(const Total&, const Total&) = default;
};
using Totals = std::map<uint64_t, Total>;

class SlidingTotalsTest : public testing::Test {
 protected:
  // An event in a pane, whose number is its begin.
  void add(int64_t pane, uint64_t key, int64_t value) {
    auto& table = panes_[pane];
    if (!table) table = std::make_unique<KeyedTable>(desc_, seed, budget_);
    char* row = table->find_or_insert(&key);
    inl::add(cell_as<inl::CountCell>(row + desc_.cells[0].offset));
    inl::add(cell_as<inl::IntSumCell>(row + desc_.cells[1].offset), value);
    Total& total = expected_[pane][key];
    ++total.count;
    total.sum += value;
  }
  Totals expected(int64_t start, int64_t end) const {
    Totals out;
    for (auto pane = expected_.lower_bound(start); pane != expected_.lower_bound(end); ++pane) {
      for (const auto& [key, total] : pane->second) {
        out[key].count += total.count;
        out[key].sum += total.sum;
      }
    }
    return out;
  }
  Totals found(const KeyedTable& table) const {
    Totals out;
    table.for_each([&](const char* row) {
      uint64_t key = 0;
      table.load_key(row, &key);
      out[key] = {cell_as<inl::CountCell>(row + desc_.cells[0].offset).count,
                  inl::value(cell_as<inl::IntSumCell>(row + desc_.cells[1].offset))};
    });
    return out;
  }

  StoreDesc desc_ = counts_and_sums();
  Budget budget_{size_t{64} << 20};
  SlidingTotals::Panes panes_;
  SlidingTotals totals_{desc_, seed, budget_};
  std::map<int64_t, Totals> expected_;
};

// Windows of seven panes, each a random number of panes on; some panes are missing, some change late, and
// what is over is let go with and without having been taken out.
TEST_F(SlidingTotalsTest, WindowsAreWhatTheirPanesHold) {
  std::mt19937_64 random(1);
  constexpr int64_t length = 7;
  int64_t filled = 0;
  int64_t compared = 0;
  for (int64_t start = 0; start < 400; start += static_cast<int64_t>(random() % 9)) {
    for (; filled < start + length; ++filled) {
      if (random() % 5 == 0) continue;
      for (uint64_t events = random() % 60; events > 0; --events)
        add(filled, random() % 40 * (random() % 8 == 0 ? 1'000'003 : 1), static_cast<int64_t>(random()));
    }
    if (random() % 6 == 0) {  // late
      int64_t pane = start + static_cast<int64_t>(random() % length);
      totals_.pane_changes(pane);
      add(pane, random() % 40, -5);
    }
    const KeyedTable* table = totals_.move_to(start, start + length, panes_);
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(found(*table), expected(start, start + length)) << start;
    compared += table->row_count() > 0 ? 1 : 0;
    if (random() % 3 == 0) totals_.leave_before(start + 1, panes_);
    if (random() % 4 == 0) {
      for (auto pane = panes_.begin(); pane != panes_.lower_bound(start); pane = panes_.erase(pane))
        totals_.pane_changes(pane->first);
    }
  }
  EXPECT_GT(compared, 80);
}

TEST_F(SlidingTotalsTest, WithoutRoomThereAreNone) {
  for (uint64_t key = 0; key < 5000; ++key) add(0, key, 1);
  Budget little(size_t{20} << 10);
  SlidingTotals totals(desc_, seed, little);
  EXPECT_EQ(totals.move_to(0, 1, panes_), nullptr);
  EXPECT_EQ(little.used(), 0U);
}

// What is held is counted as about to go; of a burst that is over, and of nothing, nothing is held.
TEST_F(SlidingTotalsTest, ABurstLeavesNothingBehind) {
  for (uint64_t key = 0; key < 20'000; ++key) add(0, key, 1);
  for (int64_t pane = 1; pane < 4; ++pane) add(pane, 1, 1);
  size_t panes = budget_.used();
  ASSERT_NE(totals_.move_to(0, 2, panes_), nullptr);
  EXPECT_GT(budget_.used(), panes);
  totals_.leave_before(1, panes_);
  EXPECT_EQ(budget_.used(), panes);
  ASSERT_NE(totals_.move_to(1, 3, panes_), nullptr);
  totals_.leave_before(2, panes_);
  EXPECT_EQ(budget_.used() - panes, budget_.leaving());
  EXPECT_GT(budget_.leaving(), 0U);
  totals_.leave_before(10, panes_);
  EXPECT_EQ(budget_.used(), panes);
  EXPECT_EQ(budget_.leaving(), 0U);
}

TEST_F(SlidingTotalsTest, NothingIsLeftOfGroupsThatAreOver) {
  for (int64_t pane = 0; pane < 100; ++pane) add(pane, static_cast<uint64_t>(pane), 1);
  for (int64_t start = 0; start < 100; ++start)
    EXPECT_EQ(totals_.move_to(start, start + 3, panes_)->row_count(),
              std::min<uint64_t>(3, 100 - static_cast<uint64_t>(start)));
}

// The best by a cell, and all that equal the last of them.
TEST_F(SlidingTotalsTest, BestRowsAreThoseOfASort) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    panes_.clear();
    expected_.clear();
    for (uint64_t events = 1 + random() % 80; events > 0; --events)
      add(0, random() % 30, static_cast<int64_t>(random() % 7) - 3);
    BestRows best;
    best.cell = static_cast<uint32_t>(random() % 2);
    best.count = 1 + random() % 4;
    best.largest = random() % 2 == 0;
    std::vector<std::pair<__int128, uint64_t>> order;
    for (const auto& [key, total] : expected_[0]) {
      __int128 value = best.cell == 0 ? total.count : total.sum;
      order.emplace_back(best.largest ? -value : value, key);
    }
    std::sort(order.begin(), order.end());
    std::vector<uint64_t> wanted;
    for (const auto& [value, key] : order) {
      if (value <= order[std::min<size_t>(best.count, order.size()) - 1].first) wanted.push_back(key);
    }
    std::vector<uint64_t> got;
    for (const char* row : find_best_rows(*panes_[0], best)) panes_[0]->load_key(row, &got.emplace_back());
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, wanted) << round;
  }
}

// A sum that does not fit is an error that its row tells: then all rows are given.
TEST_F(SlidingTotalsTest, WhereASumDoesNotFitAllAreGiven) {
  for (uint64_t key = 0; key < 20; ++key) add(0, key, static_cast<int64_t>(key));
  for (int i = 0; i < 2; ++i) add(0, 3, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(find_best_rows(*panes_[0], {0, 1, true, ""}).size(), 20U);
}

}  // namespace
}  // namespace mut::state
