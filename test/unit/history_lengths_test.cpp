// Histories and `dedupe` whose length edits change again and again, against lists that let go at once. What a
// store holds beyond its length goes bit by bit; nobody may see it meanwhile, also when the length grows
// again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "runtime/inline/table.h"
#include "runtime/state/rings.h"

namespace mut::test {
namespace {

using state::Budget;
using state::CellFn;
using state::RingStore;
using state::StoreDesc;
using state::StoreKind;
using state::WordKind;

constexpr uint64_t seed = 7;
constexpr uint64_t keys = 3000;  // several segments of a table
constexpr int events = 60'000;
constexpr int64_t disorder = 300;

struct Length {
  int64_t span = 0;
  uint64_t count = 0;
};

StoreDesc described(StoreKind kind, Length length) {
  StoreDesc out;
  out.kind = kind;
  state::KeyDesc key;
  key.name = "k";
  key.type = abi::make_scalar(abi::TypeKind::I64);
  out.keys.push_back(key);
  out.span = length.span;
  out.count = length.count;
  if (kind == StoreKind::Ring) {
    out.columns = {{WordKind::Signed, 0}};
    state::CellDesc sum;
    sum.fn = CellFn::IntSum;
    sum.kind = WordKind::Signed;
    sum.result = abi::make_scalar(abi::TypeKind::I64);
    out.cells = {sum};
  }
  state::lay_out(out);
  return out;
}

// By key, in order of arrival.
struct Sample {
  int64_t time;
  int64_t value;
};
using Lists = std::map<uint64_t, std::vector<Sample>>;

void let_go(Lists& lists, Length length, int64_t watermark) {
  for (auto& [key, samples] : lists) {
    if (length.count != 0 && samples.size() > length.count)
      samples.erase(samples.begin(), samples.end() - static_cast<ptrdiff_t>(length.count));
    if (length.span != 0)
      std::erase_if(samples, [&](const Sample& sample) { return sample.time <= watermark - length.span; });
  }
}

class Course {
 public:
  Course(StoreKind kind, std::vector<Length> lengths, uint64_t draws)
      : lengths_(std::move(lengths)), random_(draws) {
    length_ = lengths_[0];
    store_ = std::make_shared<RingStore>(described(kind, length_), seed, budget_);
  }

  void run() {
    for (int i = 0; i < events; ++i) {
      int64_t time = int64_t{i} - static_cast<int64_t>(random_() % (disorder + 1));
      newest_ = std::max(newest_, time);
      watermark_ = newest_ - disorder;
      store_->observe(watermark_);
      if (i % 64 == 0) store_->advance(watermark_);
      if (i % 100 == 0) store_->take_piece(40);
      // Edits come in bursts: some before anything of the one before has gone.
      if (i % 2000 == 0 || (i % 2000 < 100 && i % 30 == 0)) ASSERT_NO_FATAL_FAILURE(edit());
      ASSERT_NO_FATAL_FAILURE(event(i, time));
    }
    // Bit by bit all goes that the lists have not, and what has passed.
    store_->take_rest();
    int64_t at_last = watermark_ + (length_.span == 0 ? 0 : 100'000);
    for (int i = 0; i < 3000; ++i) store_->advance(at_last);
    let_go(lists_, length_, at_last);
    uint64_t held = 0;
    for (const auto& [key, samples] : lists_) held += samples.size();
    EXPECT_EQ(store_->entry_count(), held);
  }

 private:
  void edit() {
    let_go(lists_, length_, watermark_);  // what has passed does not come back
    const Length before = length_;
    length_ = lengths_[random_() % lengths_.size()];
    let_go(lists_, length_, watermark_);
    // As at a cut: what the edit before left is taken first.
    store_->take_rest();
    store_->take_emptied();
    StoreDesc next = described(store_->desc().kind, length_);
    std::vector<int> cells(next.cells.size(), 0);
    bool by_rules = next.kind == StoreKind::Ring && length_.count >= before.count;
    switch (random_() % 4) {
      case 0: {
        auto made = std::make_shared<RingStore>(next, seed, budget_);
        made->convert_from(*store_, cells, watermark_);
        ASSERT_FALSE(made->misfit());
        store_ = std::move(made);
        return;
      }
      case 1:
        if (!by_rules) break;
        store_ = std::shared_ptr<RingStore>(static_cast<RingStore*>(store_->branch().release()));
        store_->retune(next, cells, watermark_);
        return;
      case 2:
        if (!by_rules) break;
        store_->retune(next, cells, watermark_);
        return;
      default:
        break;
    }
    auto made = std::make_shared<RingStore>(next, seed, budget_);
    ASSERT_TRUE(made->can_take_over(*store_, cells));
    made->take_over(store_, cells, watermark_, nullptr);
    store_ = std::move(made);
  }

  void event(int i, int64_t time) {
    uint64_t key = random_() % keys;
    auto* table = static_cast<MutTable*>(store_->view());
    char* row = inl::find_or_insert(table, &key, 1, 0, table->row_size);
    std::vector<Sample>& of_key = lists_[key];
    std::vector<uint64_t> sample(store_->desc().sample_words, 0);
    sample[0] = static_cast<uint64_t>(time);
    if (store_->desc().kind == StoreKind::Dedupe) {
      auto is_near = [&](const Sample& passed) {
        return passed.time > watermark_ - length_.span && std::abs(passed.time - time) < length_.span;
      };
      bool near = std::any_of(of_key.begin(), of_key.end(), is_near);
      ASSERT_EQ(store_->seen_near(row, time), near) << "event " << i;
      auto in_stretch = [&](const Sample& passed) {
        return passed.time > std::max(time, watermark_) - length_.span && passed.time <= time;
      };
      int64_t passed = std::count_if(of_key.begin(), of_key.end(), in_stretch);
      for (int64_t most : {1, 2, 3}) ASSERT_EQ(store_->is_full(row, time, most), passed >= most) << i;
      if (passed >= 3) return;
    } else {
      sample[2] = 1;
      sample[store_->desc().columns[0].word] = static_cast<uint64_t>(i);
      bool excluding = random_() % 2 == 0;
      int64_t wanted = excluding ? 0 : i;
      size_t most = length_.count - (excluding || length_.count == 0 ? 0 : 1);
      for (size_t n = of_key.size(); n-- > 0;) {
        bool by_count = length_.span == 0 && of_key.size() - n <= most;
        bool by_time = length_.span != 0 && of_key[n].time <= time &&
                       of_key[n].time > std::max(time, watermark_) - length_.span;
        if (by_count || by_time) wanted += of_key[n].value;
      }
      batch::Arena arena;
      state::CellResult got = store_->query(row, 0, sample.data(), excluding, arena);
      ASSERT_EQ(static_cast<int64_t>(got.words[0]), wanted) << "event " << i;
    }
    ASSERT_TRUE(store_->push(row, sample.data()));
    if (length_.span == 0 || time > watermark_ - length_.span) of_key.push_back({time, i});
    if (length_.count != 0 && of_key.size() > length_.count) of_key.erase(of_key.begin());
  }

  std::vector<Length> lengths_;
  std::mt19937_64 random_;
  Budget budget_{size_t{1} << 30};
  std::shared_ptr<RingStore> store_;
  Length length_;
  Lists lists_;
  int64_t newest_ = 0;
  int64_t watermark_ = 0;
};

class Lengths : public testing::TestWithParam<uint64_t> {};

TEST_P(Lengths, OfHistoriesByCount) {
  Course(StoreKind::Ring, {{0, 20}, {0, 3}, {0, 8}, {0, 1}, {0, 50}}, GetParam()).run();
}

TEST_P(Lengths, OfHistoriesByTime) {
  Course(StoreKind::Ring, {{40'000, 0}, {2000, 0}, {9000, 0}, {500, 0}}, GetParam()).run();
}

TEST_P(Lengths, OfDedupe) {
  Course(StoreKind::Dedupe, {{40'000, 0}, {2000, 0}, {9000, 0}, {500, 0}}, GetParam()).run();
}

INSTANTIATE_TEST_SUITE_P(Draws, Lengths, testing::Range<uint64_t>(1, 9));

// A shorter history is what one asks for to get memory back.
TEST(HistoryLengths, AShorterHistoryGivesItsMemoryBack) {
  Budget budget{size_t{1} << 30};
  auto old = std::make_shared<RingStore>(described(StoreKind::Ring, {0, 200}), seed, budget);
  for (uint64_t i = 0; i < 1000 * 200; ++i) {
    uint64_t key = i % 1000;
    auto* table = static_cast<MutTable*>(old->view());
    char* row = inl::find_or_insert(table, &key, 1, 0, table->row_size);
    uint64_t sample[4] = {i, 0, 1, i};
    ASSERT_TRUE(old->push(row, sample));
  }
  const size_t before = budget.used();
  auto made = std::make_shared<RingStore>(described(StoreKind::Ring, {0, 2}), seed, budget);
  made->take_over(std::move(old), {0}, 0, nullptr);
  EXPECT_EQ(made->entry_count(), 200'000U);
  made->take_rest();
  made->take_emptied();
  EXPECT_EQ(made->entry_count(), 2000U);
  EXPECT_LT(budget.used(), before / 20);
}

// Where the budget is spent, events fail until samples have passed: what these leave free is room again.
TEST(HistoryLengths, WhatHasPassedIsRoomWhereTheBudgetIsSpent) {
  Budget budget{size_t{1} << 18};
  RingStore store(described(StoreKind::Ring, {1000, 0}), seed, budget);
  auto* table = static_cast<MutTable*>(store.view());
  auto push = [&](uint64_t key, uint64_t time) {
    char* row = inl::find_or_insert(table, &key, 1, 0, table->row_size);
    uint64_t sample[4] = {time, 0, 1, 7};
    return row != nullptr && store.push(row, sample);
  };
  uint64_t held = 0;
  while (push(held % 16, 0)) ++held;
  ASSERT_GT(held, 1000U);
  store.observe(5000);
  for (int i = 0; i < 1000; ++i) store.advance(5000);
  EXPECT_EQ(store.entry_count(), 0U);
  uint64_t again = 0;
  while (again < held / 2 && push(again % 16, 5000)) ++again;
  EXPECT_EQ(again, held / 2);
}

// Two keys that become one: the samples of both.
class ToOneKey final : public state::KeyChange {
 public:
  void begin_row(const state::KeyedTable&, const char*) override {}
  void end_row(state::KeyedTable&, char*) override {}
  void apply(const StoreDesc&, const StoreDesc&, uint64_t* key) override { key[0] = 1; }
};

TEST(HistoryLengths, KeysThatBecomeOneHaveTheSamplesOfBoth) {
  Budget budget{size_t{1} << 20};
  RingStore old(described(StoreKind::Ring, {1000, 0}), seed, budget);
  auto row_of = [](RingStore& store, uint64_t key) {
    auto* table = static_cast<MutTable*>(store.view());
    return inl::find_or_insert(table, &key, 1, 0, table->row_size);
  };
  for (uint64_t i = 0; i < 10; ++i) {
    uint64_t sample[4] = {10 * i, 0, 1, i};
    ASSERT_TRUE(old.push(row_of(old, i % 2), sample));
  }
  RingStore made(described(StoreKind::Ring, {1000, 0}), seed, budget);
  ToOneKey change;
  made.set_key_change(&change);
  made.convert_from(old, {0}, 100);
  made.set_key_change(nullptr);
  EXPECT_FALSE(made.misfit());
  EXPECT_EQ(made.entry_count(), 10U);
  EXPECT_EQ(made.arrivals(), 10U);
  uint64_t sample[4] = {100, 0, 1, 0};
  batch::Arena arena;
  EXPECT_EQ(made.query(row_of(made, 1), 0, sample, true, arena).words[0], 45U);
}

}  // namespace
}  // namespace mut::test
