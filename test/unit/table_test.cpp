// Keyed tables against a map of the standard library: insertions, growth, look-ups and erasures at random.
#include "runtime/inline/table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "runtime/inline/ahead.h"
#include "runtime/state/keyed_table.h"

namespace mut::state {
namespace {

StoreDesc description(abi::TypeKind key, size_t cells) {
  StoreDesc desc;
  KeyDesc of;
  of.name = "key";
  of.type = abi::make_scalar(key);
  desc.keys.push_back(of);
  for (size_t i = 0; i < cells; ++i) {
    CellDesc cell;
    cell.name = "n" + std::to_string(i);
    cell.fn = CellFn::Count;
    desc.cells.push_back(cell);
  }
  lay_out(desc);
  return desc;
}

constexpr size_t megabytes = 64;

class TableTest : public ::testing::TestWithParam<size_t> {
 protected:
  Budget budget_{megabytes << 20};
};

int64_t& value_of(char* row, const StoreDesc& desc) {
  return *reinterpret_cast<int64_t*>(row + desc.cells[0].offset);
}

void expect_same(const KeyedTable& table, const std::map<uint64_t, int64_t>& wanted) {
  ASSERT_EQ(table.row_count(), wanted.size());
  std::map<uint64_t, int64_t> seen;
  table.for_each([&](char* row) {
    uint64_t key;
    table.load_key(row, &key);
    EXPECT_TRUE(seen.emplace(key, value_of(row, table.desc())).second) << "twice: " << key;
  });
  EXPECT_EQ(seen, wanted);
  for (const auto& [key, value] : wanted) ASSERT_NE(table.find(&key), nullptr) << key;
}

// Look-ups as kernels make them, by the key itself once there are some rows: numbers in turn, which are found
// so, numbers 1024 apart, which meet, and scattered ones, for which it stops; with growth and erasures
// between.
TEST_P(TableTest, FindsByTheKeyItself) {
  StoreDesc desc = description(abi::TypeKind::I64, GetParam());
  std::mt19937_64 random(3);
  struct Kind {
    uint64_t keys;
    uint64_t apart;
    bool found_so;
  };
  for (const Kind& kind :
       {Kind{700, 1, true}, Kind{900, MUT_RECENT_ROWS, false}, Kind{20'000, 0x9E3779B97F4A7C15, false}}) {
    KeyedTable table(desc, 5, budget_);
    std::map<uint64_t, int64_t> wanted;
    for (int step = 0; step < 100'000; ++step) {
      uint64_t key = random() % kind.keys * kind.apart;
      if (random() % 50 == 0) {
        if (char* row = table.find(&key); row != nullptr) table.erase(row);
        wanted.erase(key);
        continue;
      }
      char* row = inl::find_or_insert(table.view(), &key, 1, 0, desc.row_size);
      ASSERT_NE(row, nullptr);
      uint64_t stored;
      memcpy(&stored, row + 8, 8);
      ASSERT_EQ(stored, key);
      ++value_of(row, desc);
      ++wanted[key];
    }
    EXPECT_EQ(table.view()->recent != nullptr, kind.found_so) << kind.keys;
    expect_same(table, wanted);
  }
  EXPECT_EQ(budget_.used(), 0U);
}

// Rows that are taken over by their keys and by pieces, in any order, with keys that the older table has not,
// and erased after: each is there once, with what it had and what it got since.
TEST_P(TableTest, TakesOverRowByRow) {
  StoreDesc desc = description(abi::TypeKind::I64, GetParam());
  std::mt19937_64 random(11);
  Budget budget(size_t{256} << 20);
  for (uint64_t keys : {0U, 3U, 700U, 60'000U}) {
    KeyedTable old(desc, 5, budget);
    std::map<uint64_t, int64_t> wanted;
    for (uint64_t key = 0; key < keys; ++key) {
      if (random() % 8 == 0) continue;
      auto value = static_cast<int64_t>(random() % 1000);
      value_of(old.find_or_insert(&key), desc) = value;
      if (value >= 100) wanted[key] = value;  // the others do not live
    }
    KeyedTable table(desc, 9, budget);
    table.take_over(old, {[&](const char* row) { return value_of(const_cast<char*>(row), desc) >= 100; },
                          [&](const char* row, char* made) {
                            ASSERT_EQ(value_of(made, desc), 0);
                            value_of(made, desc) = value_of(const_cast<char*>(row), desc);
                          }});
    for (uint64_t step = 0; step < keys / 2; ++step) {
      uint64_t key = random() % (keys + 10);
      char* row = table.find_or_insert(&key);
      ASSERT_NE(row, nullptr);
      if (random() % 4 == 0) {
        table.erase(row);
        wanted.erase(key);
      } else {
        value_of(row, desc) += 1000;
        wanted[key] += 1000;
      }
      if (step % 64 == 0) table.take_piece(1);
      ASSERT_GE(table.row_count() + table.left(), wanted.size());
    }
    uint64_t absent = keys + 100;
    EXPECT_EQ(table.find_or_take(&absent), nullptr);
    if (!wanted.empty()) {
      uint64_t key = wanted.rbegin()->first;
      EXPECT_NE(table.find_or_take(&key), nullptr);
    }
    table.take_rest();
    EXPECT_EQ(table.left(), 0U);
    expect_same(table, wanted);
  }
}

// What was there before an edit is there after it, whatever the budget says by then.
TEST_P(TableTest, TakesOverBeyondTheBudget) {
  StoreDesc desc = description(abi::TypeKind::I64, GetParam());
  KeyedTable old(desc, 5, budget_);
  constexpr uint64_t keys = 5000;
  for (uint64_t key = 0; key < keys; ++key) value_of(old.find_or_insert(&key), desc) = 7;
  Budget spent(size_t{0});
  KeyedTable table(desc, 9, spent);
  table.take_over(
      old, {[](const char*) { return true; }, [&](const char*, char* made) { value_of(made, desc) = 7; }});
  table.take_rest();
  EXPECT_EQ(table.row_count(), keys);
}

TEST_P(TableTest, IsAMap) {
  StoreDesc desc = description(abi::TypeKind::I64, GetParam());
  std::mt19937_64 random(7);
  for (uint64_t keys : {12U, 700U, 60'000U}) {
    KeyedTable table(desc, random(), budget_);
    std::map<uint64_t, int64_t> wanted;
    for (int step = 0; step < 150'000; ++step) {
      uint64_t key = random() % keys;
      // Fills at first, then empties and fills in turn.
      bool erases = step > 50'000 && random() % 100 < (step / 25'000 % 2 == 0 ? 20U : 80U);
      char* row = table.find(&key);
      ASSERT_EQ(row != nullptr, wanted.contains(key));
      if (erases) {
        if (row != nullptr) table.erase(row);
        wanted.erase(key);
        continue;
      }
      if (row == nullptr) row = table.find_or_insert(&key);
      ASSERT_NE(row, nullptr);
      if (!wanted.contains(key)) ASSERT_EQ(value_of(row, desc), 0) << "a new row is empty";
      value_of(row, desc) += step;
      wanted[key] += step;
    }
    expect_same(table, wanted);
    KeyedTable copy(desc, random(), budget_);
    copy.copy_from(table);
    expect_same(copy, wanted);
    for (auto at = wanted.begin(); at != wanted.end(); at = wanted.erase(at))
      table.erase(table.find(&at->first));
    expect_same(table, {});
  }
}

INSTANTIATE_TEST_SUITE_P(RowSizes, TableTest, ::testing::Values(1, 6, 40));

// As a kernel does it: events looked for ahead, and between them rows that come, go and move.
TEST_P(TableTest, FindsAhead) {
  StoreDesc desc = description(abi::TypeKind::I64, GetParam());
  std::mt19937_64 random(11);
  KeyedTable table(desc, random(), budget_);
  MutTable& view = *table.view();
  std::map<uint64_t, int64_t> wanted;
  std::vector<uint64_t> events(400'000);
  for (uint64_t& key : events) key = random() % 40'000;
  size_t found_ahead = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    if (i % 7 == 3) continue;  // a filter: numbers are left out
    if (view.ahead != nullptr) {
      inl::begin_ahead(*view.ahead, i);
      size_t end = std::min(events.size(), i + inl::ahead_tags);
      while (view.ahead->asked < end) inl::ask_tags(*view.ahead, &events[view.ahead->asked], 1);
      inl::ask_rows(*view.ahead, std::min(events.size(), i + inl::ahead_row));
      found_ahead += inl::row_ahead(view.ahead, &events[i], 1) != nullptr ? 1 : 0;
    }
    if (random() % 5 == 0) {  // a row goes between the look ahead and the look-up, mostly one that is near
      uint64_t gone = events[std::min(events.size() - 1, i + random() % 40)];
      if (char* row = table.find(&gone)) table.erase(row);
      wanted.erase(gone);
    }
    char* row = inl::find_or_insert(&view, &events[i], 1, 0, view.row_size);
    ASSERT_NE(row, nullptr);
    ASSERT_EQ(table.find(&events[i]), row);
    value_of(row, desc) += static_cast<int64_t>(i);
    wanted[events[i]] += static_cast<int64_t>(i);
  }
  expect_same(table, wanted);
  if (view.ahead != nullptr) EXPECT_GT(found_ahead, events.size() / 4);
}

TEST(TextTable, OwnsItsKeys) {
  Budget budget(megabytes << 20);
  StoreDesc desc = description(abi::TypeKind::String, 1);
  KeyedTable table(desc, 3, budget);
  std::mt19937_64 random(11);
  std::map<std::string, int64_t> wanted;
  for (int step = 0; step < 60'000; ++step) {
    std::string text(random() % 20, static_cast<char>('a' + random() % 3));
    text += std::to_string(random() % 500);
    MutStr given = abi::make_str(text);
    uint64_t key[2];
    memcpy(key, &given, sizeof(given));
    if (random() % 3 == 0) {
      char* row = table.find(key);
      ASSERT_EQ(row != nullptr, wanted.erase(text) == 1);
      if (row != nullptr) table.erase(row);
      continue;
    }
    char* row = table.find_or_insert(key);
    ASSERT_NE(row, nullptr);
    ++value_of(row, desc);
    ++wanted[text];
  }
  ASSERT_EQ(table.row_count(), wanted.size());
  table.for_each([&](char* row) {
    uint64_t key[2];
    table.load_key(row, key);
    MutStr text;
    memcpy(&text, key, sizeof(text));
    EXPECT_EQ(wanted.at(std::string(abi::view(text))), value_of(row, desc));
  });
}

TEST(TableBudget, RefusesWhatDoesNotFit) {
  Budget budget(1U << 20);
  StoreDesc desc = description(abi::TypeKind::I64, 6);
  KeyedTable table(desc, 5, budget);
  uint64_t key = 0;
  while (table.find_or_insert(&key) != nullptr) ++key;
  EXPECT_GT(key, 1000U);
  EXPECT_LE(budget.used(), budget.limit());
  for (uint64_t known = 0; known < key; ++known) ASSERT_NE(table.find(&known), nullptr);
}

}  // namespace
}  // namespace mut::state
