// Stores that are filled from stores of another version.
#include <gtest/gtest.h>

#include "runtime/inline/table.h"
#include "runtime/state/groups.h"
#include "runtime/state/rings.h"

namespace mut::test {
namespace {

using state::Budget;
using state::CellDesc;
using state::CellFn;
using state::RingStore;
using state::StoreDesc;
using state::StoreKind;
using state::WordKind;

constexpr uint64_t seed = 7;

state::KeyDesc key(const char* name, abi::TypeKind kind) {
  state::KeyDesc out;
  out.name = name;
  out.type = abi::make_scalar(kind);
  return out;
}

CellDesc sum(uint32_t column = 0) {
  CellDesc out;
  out.name = "t/sum";
  out.fn = CellFn::IntSum;
  out.result = abi::make_scalar(abi::TypeKind::I64);
  out.column = column;
  return out;
}

StoreDesc ring(int64_t span, uint64_t count, uint32_t columns) {
  StoreDesc out;
  out.kind = StoreKind::Ring;
  out.keys.push_back(key("u", abi::TypeKind::I64));
  out.span = span;
  out.count = count;
  for (uint32_t i = 0; i < columns; ++i) {
    out.columns.push_back({WordKind::Signed, 0});
    out.cells.push_back(sum(i));
  }
  state::lay_out(out);
  return out;
}

char* row_of(RingStore& store) {
  auto* table = static_cast<MutTable*>(store.view());
  const uint64_t one = 1;
  return inl::find_or_insert(table, &one, 1, 0, table->row_size);
}

void push(RingStore& store, int64_t time, std::vector<uint64_t> values) {
  std::vector<uint64_t> sample = {static_cast<uint64_t>(time), 0, (uint64_t{1} << values.size()) - 1};
  sample.insert(sample.end(), values.begin(), values.end());
  ASSERT_TRUE(store.push(row_of(store), sample.data()));
}

// The sum of a cell as an event at `time` without values sees it.
int64_t sum_at(RingStore& store, uint32_t cell, int64_t time) {
  std::vector<uint64_t> sample(store.desc().sample_words, 0);
  sample[0] = static_cast<uint64_t>(time);
  batch::Arena arena;
  return static_cast<int64_t>(store.query(row_of(store), cell, sample.data(), true, arena).words[0]);
}

// Two rings of one stage that saw the same five events, with values 1… and 10….
struct TwoRings {
  Budget budget{1 << 20};
  RingStore small;
  RingStore large;
  TwoRings(StoreDesc small_desc, StoreDesc large_desc)
      : small(std::move(small_desc), seed, budget), large(std::move(large_desc), seed, budget) {
    for (uint64_t i = 1; i <= 5; ++i) {
      push(small, static_cast<int64_t>(i) * 10, {i});
      push(large, static_cast<int64_t>(i) * 10, {i * 10});
    }
  }
};

TEST(Convert, JoinsTwoHistoriesByTime) {
  TwoRings old(ring(1000, 0, 1), ring(2000, 0, 1));
  RingStore joined(ring(2000, 0, 2), seed, old.budget);
  joined.convert_from(old.large, {0, -1}, 50);
  joined.join_from(old.small, {-1, 0}, 0);
  EXPECT_EQ(joined.entry_count(), 5U);
  EXPECT_EQ(joined.arrivals(), 5U);
  EXPECT_EQ(sum_at(joined, 0, 60), 150);
  EXPECT_EQ(sum_at(joined, 1, 60), 15);
  push(joined, 70, {60, 6});
  EXPECT_EQ(sum_at(joined, 0, 80), 210);
  EXPECT_EQ(sum_at(joined, 1, 80), 21);
}

TEST(Convert, JoinsTwoHistoriesByCount) {
  TwoRings old(ring(0, 2, 1), ring(0, 4, 1));
  RingStore joined(ring(0, 4, 2), seed, old.budget);
  joined.convert_from(old.large, {0, -1}, 50);
  joined.join_from(old.small, {-1, 0}, 0);
  EXPECT_EQ(joined.entry_count(), 4U);
  EXPECT_EQ(sum_at(joined, 0, 60), 140);
  EXPECT_EQ(sum_at(joined, 1, 60), 9);
}

TEST(Convert, JoinAlignsHistoriesOfDifferentAge) {
  Budget budget{1 << 20};
  RingStore older(ring(2000, 0, 1), seed, budget);
  RingStore younger(ring(1000, 0, 1), seed, budget);
  push(older, 10, {10});
  for (uint64_t i = 2; i <= 3; ++i) {
    push(older, static_cast<int64_t>(i) * 10, {i * 10});
    push(younger, static_cast<int64_t>(i) * 10, {i});
  }
  younger.start_cell(0);  // begun by an edit just before the cut: nothing counts yet
  RingStore joined(ring(2000, 0, 2), seed, budget);
  joined.convert_from(older, {0, -1}, 30);
  joined.join_from(younger, {-1, 0}, 0);
  EXPECT_EQ(joined.entry_count(), 3U);
  EXPECT_EQ(sum_at(joined, 0, 40), 60);
  EXPECT_EQ(sum_at(joined, 1, 40), 0);
  push(joined, 50, {5, 5});
  EXPECT_EQ(sum_at(joined, 1, 60), 5);
}

TEST(Convert, ShorterHistoryIsNotLate) {
  Budget budget{1 << 20};
  RingStore old(ring(1000, 0, 1), seed, budget);
  for (int64_t time : {10, 500, 900}) push(old, time, {1});
  RingStore shorter(ring(300, 0, 1), seed, budget);
  shorter.convert_from(old, {0}, 900);
  EXPECT_EQ(shorter.entry_count(), 1U);
  EXPECT_EQ(shorter.late_count(), 0U);
}

TEST(Convert, ReordersKeys) {
  Budget budget{1 << 20};
  auto groups = [&](std::vector<state::KeyDesc> keys) {
    StoreDesc out;
    out.keys = std::move(keys);
    out.cells.push_back(sum());
    state::lay_out(out);
    return out;
  };
  state::KeyDesc text = key("u", abi::TypeKind::String);
  state::KeyDesc number = key("k", abi::TypeKind::I64);
  state::GroupStore old(groups({text, number}), seed, budget);
  MutStr name = abi::make_str("a name that is longer than its prefix");
  uint64_t words[3] = {0, 0, 42};
  memcpy(words, &name, sizeof(name));
  char* row = old.table().find_or_insert(words);
  uint64_t value = 9;
  state::add_value(old.desc().cells[0], row + old.desc().cells[0].offset, old.table().heap(), &value, nullptr,
                   0);
  state::GroupStore made(groups({number, text}), seed, budget);
  made.set_key_places({1, 0});
  made.convert_from(old, {0}, 0);
  uint64_t turned[3] = {42, words[0], words[1]};
  char* found = made.table().find(turned);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(state::cell_result(made.desc().cells[0], found + made.desc().cells[0].offset, made.table().heap())
                .words[0],
            9U);
}

TEST(Convert, GroupWithoutTimeBeginsItsTtlAtTheCut) {
  Budget budget{1 << 20};
  StoreDesc desc;
  desc.keys.push_back(key("u", abi::TypeKind::I64));
  desc.cells.push_back(sum());
  StoreDesc forgetting = desc;
  forgetting.ttl = 100;
  state::lay_out(desc);
  state::lay_out(forgetting);
  state::GroupStore old(desc, seed, budget);
  uint64_t one = 1;
  old.table().find_or_insert(&one);
  state::GroupStore made(forgetting, seed, budget);
  made.convert_from(old, {0}, 1000);
  made.advance(1050);
  EXPECT_EQ(made.entry_count(), 1U);
  made.advance(1200);
  EXPECT_EQ(made.entry_count(), 0U);
}

}  // namespace
}  // namespace mut::test
